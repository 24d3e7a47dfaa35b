import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { NewVideo } from "../../../src/hub/db/catalog.ts";
import { sampleRun, sampleVideo } from "../../support/sample-videos.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";

let hub: TestHub;
let videos: NewVideo[];
beforeAll(async () => {
  hub = await openTestHub();
  videos = [...sampleRun(30), ...sampleRun(30, { cameraId: "cam02", nodeId: "node02" })];
  const { catalog } = hub.storage;
  await catalog.saveVideos(videos, Date.parse("2025-09-24T00:00:00Z"));
  await catalog.updateVideoStatus(videos[3]?.videoId ?? "", "damaged");
  await catalog.updateVideoNotes(videos[5]?.videoId ?? "", "red car, 100% sure");
});
afterAll(() => hub[Symbol.asyncDispose]());

interface Page {
  videos: Record<string, unknown>[];
  next_cursor: string | null;
}
interface Refusal {
  status: number;
  issues: { path: string; message: string }[];
}
const list = async (query: string) => (await hub.get(`/api/videos?${query}`)).json() as Promise<Page>;
const search = async (body: unknown) =>
  (await hub.post("/api/videos/search", body, hub.clientKey)).json() as Promise<Page>;
const idsOf = (page: Page) => page.videos.map((video) => video.video_id);
const ids = (list: NewVideo[]) => list.map(({ videoId }) => videoId);
const ofCamera = (cameraId: string) => videos.filter((video) => video.cameraId === cameraId);

describe("one video", () => {
  test("has every field of the original design, and ours", async () => {
    const video = videos[0] as NewVideo;
    expect(await (await hub.get(`/api/videos/${video.videoId}`)).json()).toEqual({
      video_id: video.videoId,
      camera_id: "cam01",
      file_path: "cam01/2025-09-23/cam01_20250923_153000.mp4",
      file_size: 300_000_000,
      duration: 600,
      created_at: "2025-09-24T00:00:00.000Z",
      start_time: "2025-09-23T06:30:00.000Z",
      end_time: "2025-09-23T06:40:00.000Z",
      resolution: { width: 1280, height: 720 },
      fps: 30,
      status: "available",
      duration_ms: 600_000,
      codec: "avc1.64001f,mp4a.40.2",
      node_id: "node01",
      run_id: video.runId,
      sequence: 0,
      time_zone: "Asia/Seoul",
      recorded_sha256: video.recordedSha256,
      file_sha256: video.fileSha256,
      clock_state: "synced",
      software_version: "0.1.0 (abc1234)",
      mock: false,
      notes: "",
      stream_url: `/api/videos/${video.videoId}/stream`,
      thumbnail_url: `/api/videos/${video.videoId}/thumbnail`,
    });
  });

  test("that is not known is 404; an id that is none is 400", async () => {
    expect((await hub.get(`/api/videos/${sampleVideo().videoId}`)).status).toBe(404);
    for (const id of ["x", "1", (videos[0] as NewVideo).videoId.toUpperCase(), `${videos[0]?.videoId}%00`]) {
      const response = await hub.get(`/api/videos/${id}`);
      expect(response.status).toBe(400);
      expect(((await response.json()) as Refusal).issues[0]?.path).toBe("id");
    }
  });
});

describe("the list", () => {
  test("is newest first, 50 at a time", async () => {
    const page = await list("");
    expect(page.videos).toHaveLength(50);
    const starts = page.videos.map((video) => String(video.start_time));
    expect(starts).toEqual(starts.toSorted().reverse());
    expect(page.next_cursor).toBeString();
  });

  test("by camera, repeated or with commas", async () => {
    expect(idsOf(await list("camera_id=cam01&order=oldest_first"))).toEqual(ids(ofCamera("cam01")));
    expect((await list("camera_id=cam01&camera_id=cam02&limit=500")).videos).toHaveLength(60);
    expect((await list("camera_id=cam01,cam02&limit=500")).videos).toHaveLength(60);
    expect((await list("camera_id=cam03")).videos).toEqual([]);
  });

  test("by time: what overlaps the range, with any offset", async () => {
    const utc = await list("camera_id=cam01&from=2025-09-23T06:35:00Z&to=2025-09-23T06:50:00.000Z");
    expect(idsOf(utc)).toEqual(ids(ofCamera("cam01").slice(0, 2)).reverse());
    const seoul = encodeURIComponent("2025-09-23T15:35:00+09:00");
    expect(idsOf(await list(`camera_id=cam01&from=${seoul}&to=2025-09-23T06:50:00Z`))).toEqual(idsOf(utc));
  });

  test("by status", async () => {
    expect(idsOf(await list("status=damaged"))).toEqual([(videos[3] as NewVideo).videoId]);
    expect((await list("status=damaged,missing&camera_id=cam02")).videos).toEqual([]);
  });

  test("page by page gives everything once, in both orders and with any page size", async () => {
    for (const order of ["newest_first", "oldest_first"]) {
      for (const limit of [1, 7, 30, 60, 500]) {
        const seen: unknown[] = [];
        let cursor: string | null = null;
        let pages = 0;
        do {
          const from: string = cursor === null ? "" : `&cursor=${cursor}`;
          const page: Page = await list(`order=${order}&limit=${limit}${from}`);
          seen.push(...idsOf(page));
          cursor = page.next_cursor;
          pages++;
        } while (cursor !== null);
        expect(new Set(seen).size).toBe(60);
        expect(seen).toHaveLength(60);
        expect(pages).toBe(Math.ceil(60 / limit));
      }
    }
  });
});

describe("refused lists", () => {
  const bad: [string, string[]][] = [
    ["limit=0", ["limit"]],
    ["limit=501", ["limit"]],
    ["limit=-1", ["limit"]],
    ["limit=1e2", ["limit"]],
    ["limit=1.5", ["limit"]],
    ["limit=", ["limit"]],
    ["limit=５", ["limit"]],
    [`limit=${"9".repeat(400)}`, ["limit"]],
    ["limit=1&limit=2", ["limit"]],
    ["order=start_time", ["order"]],
    ["order=newest_first;DROP%20TABLE%20videos", ["order"]],
    ["order=__proto__", ["order"]],
    ["from=yesterday", ["from"]],
    ["from=1758609000000", ["from"]],
    ["from=2025-09-23", ["from"]],
    ["from=2025-02-30T25:00:00Z", ["from"]],
    ["from=2025-09-23T15:35:00+09:00", ["from"]],
    ["from=+275761-01-01T00:00:00Z", ["from"]],
    ["from=2025-09-23T06:00:00Z&from=2025-09-23T07:00:00Z", ["from"]],
    ["from=2025-09-23T07:00:00Z&to=2025-09-23T06:00:00Z", ["to"]],
    ["from=2025-09-23T07:00:00Z&to=2025-09-23T07:00:00Z", ["to"]],
    ["camera_id=", ["camera_id.0"]],
    ["camera_id=cam01,,cam02", ["camera_id.1"]],
    ["camera_id=CAM01", ["camera_id.0"]],
    ["camera_id=../etc", ["camera_id.0"]],
    ["camera_id=cam01%00", ["camera_id.0"]],
    ["camera_id='%20OR%201=1--", ["camera_id.0"]],
    ["camera_id[]=cam01", ["camera_id[]"]],
    ["status=gone", ["status.0"]],
    ["status=available,available,available,available,available", ["status"]],
    ["camera=cam01&offset=10&limit=5", ["camera", "offset"]],
    ["__proto__=x&constructor=y&toString=z", ["__proto__", "constructor", "toString"]],
    ["api_key=lck_x", ["api_key"]],
  ];
  test.each(bad)("%s", async (query, paths) => {
    const response = await hub.get(`/api/videos?${query}`);
    expect(response.status).toBe(400);
    const { issues } = (await response.json()) as Refusal;
    expect(issues.map(({ path }) => path).sort()).toEqual(paths.toSorted());
  });

  test("ten thousand cameras", async () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `c${i}`);
    expect((await hub.post("/api/videos/search", { camera_ids: many }, hub.clientKey)).status).toBe(413);
    expect(
      (await hub.post("/api/videos/search", { camera_ids: many.slice(0, 65) }, hub.clientKey)).status,
    ).toBe(400);
    expect((await hub.get(`/api/videos?camera_id=${many.slice(0, 65).join(",")}`)).status).toBe(400);
    expect((await hub.get(`/api/videos?camera_id=${many.slice(0, 64).join(",")}`)).status).toBe(200);
  });
});

describe("cursors", () => {
  const first = () => list("camera_id=cam01&limit=5");

  test("that were bent in any place, are foreign, or belong to other conditions are refused", async () => {
    const { next_cursor } = await first();
    const cursor = next_cursor ?? "";
    const [payload = "", signature = ""] = cursor.split(".");
    const of = (json: unknown) => Buffer.from(JSON.stringify(json)).toString("base64url");
    await using other = await openTestHub();
    await other.storage.catalog.saveVideos(videos, 1);
    const foreign = (await (await other.get("/api/videos?camera_id=cam01&limit=5")).json()) as Page;
    expect(foreign.next_cursor).toBeString();
    const bent = [
      ...Array.from(
        { length: cursor.length },
        (_, i) => `${cursor.slice(0, i)}${cursor[i] === "x" ? "y" : "x"}${cursor.slice(i + 1)}`,
      ),
      payload,
      `.${signature}`,
      `${payload}.`,
      `${cursor}.${signature}`,
      `${cursor}=`,
      `${of([1, 0, "'; DROP TABLE videos;--"])}.${signature}`,
      `${of([1, 1.5, videos[0]?.videoId])}.${signature}`,
      foreign.next_cursor ?? "",
      "x".repeat(10_000),
      "",
      "null",
      "0",
    ];
    for (const value of bent) {
      const response = await hub.get(
        `/api/videos?camera_id=cam01&limit=5&cursor=${encodeURIComponent(value)}`,
      );
      expect([value, response.status]).toEqual([value, 400]);
      expect(((await response.json()) as Refusal).issues[0]?.path).toBe("cursor");
    }
    for (const query of [
      "camera_id=cam02",
      "camera_id=cam01&order=oldest_first",
      "camera_id=cam01&status=available",
      "",
    ]) {
      expect((await hub.get(`/api/videos?${query}&limit=5&cursor=${cursor}`)).status).toBe(400);
    }
    expect((await hub.post("/api/videos/search", { cursor, limit: 5 }, hub.clientKey)).status).toBe(400);
    expect((await hub.get(`/api/videos?limit=7&camera_id=cam01&cursor=${cursor}`)).status).toBe(200);
  });

  test("survive a restart of the hub", async () => {
    const { next_cursor } = await first();
    const { createCursorCodec } = await import("../../../src/hub/http/cursor.ts");
    const secret = await hub.storage.settings.get("cursor_secret");
    const codec = createCursorCodec(secret ?? "");
    expect(() =>
      codec.decode(next_cursor ?? "", '[["camera_id",["cam01"]],["order","newest_first"]]'),
    ).not.toThrow();
  });
});

describe("the search", () => {
  test("every condition", async () => {
    const found: [object, (video: NewVideo) => boolean][] = [
      [{}, () => true],
      [{ camera_ids: ["cam02"] }, ({ cameraId }) => cameraId === "cam02"],
      [{ node_ids: ["node02"] }, ({ nodeId }) => nodeId === "node02"],
      [{ weekdays: [2] }, () => true],
      [{ weekdays: [1, 3, 4, 5, 6, 7] }, () => false],
      // 15:30 in Seoul is where the run begins.
      [{ time_of_day: { from: "15:30", to: "15:50" } }, ({ sequence }) => sequence < 2],
      [{ time_of_day: { from: "20:00", to: "15:40" } }, ({ sequence }) => sequence < 1 || sequence >= 27],
      [{ min_duration: 600, max_duration: 600 }, () => true],
      [{ min_duration: 600.001 }, () => false],
      [{ max_file_size: 299_999_999 }, () => false],
      [{ min_file_size: 300_000_000 }, () => true],
      [{ statuses: ["damaged"] }, ({ videoId }) => videoId === videos[3]?.videoId],
      [
        { text: "CAM02_20250923_16" },
        ({ cameraId, sequence }) => cameraId === "cam02" && sequence >= 3 && sequence < 9,
      ],
      [{ text: "0% s" }, ({ videoId }) => videoId === videos[5]?.videoId],
      [{ text: "%" }, ({ videoId }) => videoId === videos[5]?.videoId],
      [{ from: "2025-09-23T06:40:00Z", to: "2025-09-23T06:40:00.001Z" }, ({ sequence }) => sequence === 1],
    ];
    for (const [conditions, matches] of found) {
      const page = await search({ ...conditions, order: "oldest_first", limit: 500 });
      expect([conditions, idsOf(page).toSorted()]).toEqual([
        conditions,
        ids(videos.filter(matches)).toSorted(),
      ]);
    }
  });

  test("goes page by page", async () => {
    const body = { weekdays: [2], limit: 25 };
    const seen: unknown[] = [];
    let cursor: string | null = null;
    do {
      const page: Page = await search(cursor === null ? body : { ...body, cursor });
      seen.push(...idsOf(page));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(new Set(seen).size).toBe(60);
    expect(seen).toHaveLength(60);
  });

  const bad: [unknown, string[]][] = [
    [{ camera_ids: [] }, ["camera_ids"]],
    [{ camera_ids: "cam01" }, ["camera_ids"]],
    [{ camera_ids: ["cam01", 7, null] }, ["camera_ids.1", "camera_ids.2"]],
    [{ weekdays: [0, 8, 1.5] }, ["weekdays.0", "weekdays.1", "weekdays.2"]],
    [{ weekdays: [1, 2, 3, 4, 5, 6, 7, 1] }, ["weekdays"]],
    [{ time_of_day: { from: "8:00", to: "24:01" } }, ["time_of_day.from", "time_of_day.to"]],
    [{ time_of_day: { from: "08:00" } }, ["time_of_day.to"]],
    [{ time_of_day: { from: "08:00", to: "08:00" } }, ["time_of_day"]],
    [{ time_of_day: [] }, ["time_of_day.from", "time_of_day.to"]],
    [{ min_duration: -1, max_duration: "9" }, ["min_duration", "max_duration"]],
    [{ min_duration: 2, max_duration: 1 }, ["max_duration"]],
    [{ min_file_size: 1.5, max_file_size: 2 ** 53 }, ["min_file_size", "max_file_size"]],
    [{ min_file_size: 2, max_file_size: 1 }, ["max_file_size"]],
    [{ text: "" }, ["text"]],
    [{ text: "a\u0000b" }, ["text"]],
    [{ text: "\ud800" }, ["text"]],
    [{ text: "x".repeat(101) }, ["text"]],
    [{ limit: "5" }, ["limit"]],
    [{ limit: 501 }, ["limit"]],
    [{ limit: null }, ["limit"]],
    [{ order: ["newest_first"] }, ["order"]],
    [{ from: 0, to: true }, ["from", "to"]],
    [{ cameras: ["cam01"], sort: "x" }, ["cameras", "sort"]],
  ];
  test.each(bad)("refuses %j", async (body, paths) => {
    const response = await hub.post("/api/videos/search", body, hub.clientKey);
    expect(response.status).toBe(400);
    const { issues } = (await response.json()) as Refusal;
    expect(issues.map(({ path }) => path).sort()).toEqual(paths.toSorted());
  });
});
