import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/common/clock.ts";
import type { AnnounceResponse } from "../../../src/common/protocol/announce.ts";
import { newApiKey } from "../../../src/hub/auth/api-key.ts";
import type { NewVideo } from "../../../src/hub/db/catalog.ts";
import { openStorage } from "../../../src/hub/storage.ts";
import { startHubProcess } from "../../support/hub-process.ts";
import { sampleHash, sampleRun, sampleVideo } from "../../support/sample-videos.ts";
import { announceOf, openTestHub, type TestHub } from "../../support/test-hub.ts";

let hub: TestHub;
beforeAll(async () => {
  hub = await openTestHub();
});
afterAll(() => hub[Symbol.asyncDispose]());

let cameras = 0;
const newCamera = () => `cam${++cameras}`;
const resultsOf = async (response: Response) => ((await response.json()) as AnnounceResponse).results;
const all = (cameraId: string) =>
  hub.storage.catalog.findVideos({ cameraIds: [cameraId], order: "oldest_first", limit: 1_000 });

describe("an announce", () => {
  test("is acknowledged, and the same again acknowledged again", async () => {
    const videos = sampleRun(3, { cameraId: newCamera() });
    const first = await hub.announce(videos);
    expect(first.status).toBe(200);
    expect(await resultsOf(first)).toEqual(
      videos.map(({ videoId }) => ({ video_id: videoId, result: "stored" })),
    );
    const second = await hub.announce(videos.toReversed());
    expect(second.status).toBe(200);
    expect(await resultsOf(second)).toEqual(
      videos.toReversed().map(({ videoId }) => ({ video_id: videoId, result: "duplicate" })),
    );
    expect(await all(videos[0]?.cameraId ?? "")).toMatchObject(videos);
  });

  test("of what is no footage keeps that, and the API tells it", async () => {
    const video = sampleVideo({ cameraId: newCamera(), isMock: true });
    expect((await hub.announce([video])).status).toBe(200);
    expect(await (await hub.get(`/api/videos/${video.videoId}`)).json()).toMatchObject({ mock: true });
  });

  test("with other content is 409 with both hashes, and the rest of the batch is stored", async () => {
    const [known, other, ...rest] = sampleRun(5, { cameraId: newCamera() }) as [NewVideo, NewVideo];
    await hub.announce([known]);
    const changed = { ...known, fileSha256: sampleHash("other") };
    const stolen = { ...other, filePath: known.filePath };
    const response = await hub.announce([...rest, changed, stolen]);
    expect(response.status).toBe(409);
    const results = await resultsOf(response);
    expect(results.map(({ result }) => result)).toEqual([
      "stored",
      "stored",
      "stored",
      "conflict",
      "conflict",
    ]);
    expect(results[3]).toMatchObject({
      video_id: known.videoId,
      announced_sha256: changed.fileSha256,
      known_sha256: known.fileSha256,
    });
    expect(results[4]?.detail).toContain(known.videoId);
    expect(await all(known.cameraId)).toHaveLength(4);
  });

  test("a hundred times at once leaves one row", async () => {
    const video = sampleVideo({ cameraId: newCamera() });
    const responses = await Promise.all(Array.from({ length: 100 }, () => hub.announce([video])));
    const results = (await Promise.all(responses.map(resultsOf))).flat().map(({ result }) => result);
    expect(responses.every(({ status }) => status === 200)).toBe(true);
    expect(results.filter((result) => result === "stored")).toHaveLength(1);
    expect(results.filter((result) => result === "duplicate")).toHaveLength(99);
    expect(await all(video.cameraId)).toHaveLength(1);
  });

  test("of five hundred is one request", async () => {
    const videos = sampleRun(500, { cameraId: newCamera() });
    expect((await resultsOf(await hub.announce(videos))).every(({ result }) => result === "stored")).toBe(
      true,
    );
    expect(await all(videos[0]?.cameraId ?? "")).toHaveLength(500);
    const tooMany = await hub.announce(sampleRun(501, { cameraId: newCamera() }));
    expect(tooMany.status).toBe(400);
  });

  test("fields of a newer release are let through", async () => {
    const body = announceOf([sampleVideo({ cameraId: newCamera() })]);
    const newer = {
      ...body,
      priority: 1,
      videos: body.videos.map((video) => ({ ...video, lens: { x: 1 } })),
    };
    expect((await hub.post("/api/videos/announce", newer, hub.nodeKey)).status).toBe(200);
  });

  test("a bound key speaks for its own node alone, and one foreign video refuses the batch", async () => {
    const key = await hub.makeKey("node", "node01");
    const [own, other] = [
      sampleVideo({ cameraId: newCamera(), nodeId: "node01" }),
      sampleVideo({ cameraId: newCamera(), nodeId: "node02" }),
    ];
    expect((await hub.announce([own], key)).status).toBe(200);
    expect((await hub.announce([other], key)).status).toBe(403);
    const mixed = sampleVideo({ cameraId: own.cameraId, attempt: 2 });
    expect((await hub.announce([mixed, other], key)).status).toBe(403);
    expect(await hub.storage.catalog.findVideo(mixed.videoId)).toBeUndefined();
  });
});

describe("refused announces", () => {
  const good = () => announceOf([sampleVideo({ cameraId: "cam01" })]);
  const bad: [string, (body: ReturnType<typeof good>) => unknown, string][] = [
    ["a version to come", (body) => ({ ...body, protocol_version: 2 }), "protocol_version"],
    ["no videos", (body) => ({ ...body, videos: [] }), "videos"],
    ["null for a video", (body) => ({ ...body, videos: [null] }), "videos.0"],
    ["videos as text", (body) => ({ ...body, videos: "x" }), "videos"],
    ...fields({
      video_id: [
        "../x",
        7,
        "01234567-89ab-4cde-8f01-0123456789ab",
        "x".repeat(1_000_000),
        null,
        ["a"],
        { a: 1 },
      ],
      camera_id: ["../x", "CAM", "metadata", "", "cam01\n", "ｃam"],
      node_id: ["", "a/b"],
      file_path: [
        "/etc/passwd",
        "../cam01/2025-09-23/cam01_20250923_153000.mp4",
        "cam02/2025-09-23/cam02_20250923_153000.mp4",
        "cam01/2025-09-23/cam01_20250924_153000.mp4",
        "cam01/2025-13-23/cam01_20251323_153000.mp4",
        "cam01\\2025-09-23\\cam01_20250923_153000.mp4",
        "cam01/2025-09-23/cam01_20250923_153000.mp4\u0000",
        "cam01/2025-09-23/cam01_20250923_153000.mkv",
        "",
      ],
      file_size: [-1, 0, 1.5, 2 ** 53, "300", null],
      file_sha256: ["", "x".repeat(64), "A".repeat(64), "a".repeat(63), 1],
      recorded_sha256: ["g".repeat(64)],
      start_time: [
        ...["now", 0, "2025-09-23T06:30:00", "2025-99-23T06:30:00Z"],
        ...["0000-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
      ],
      end_time: ["2025-09-23T06:29:59.999Z", "2025-09-24T06:30:00.001Z", "9999-12-31T23:59:59.999Z"],
      time_zone: ["Mars/Olympus", "../etc/localtime", ""],
      duration_ms: [-1, 0.5, Number.MAX_VALUE, 86_400_001],
      width: [0, -5, "1280"],
      fps: [-1, 1001, "30"],
      sequence: [-1],
      codec: ["a\u0000", "x".repeat(65)],
      clock_state: ["good", "constructor"],
      software_version: ["x".repeat(65), "a\nb", "half of a pair \ud83d", "\udc00"],
      run_id: ["x"],
    }),
  ];
  test.each(bad)("%s", async (_, change, path) => {
    const response = await hub.post("/api/videos/announce", change(good()), hub.nodeKey);
    // A megabyte of id is more than the body may have.
    if (response.status === 413) return;
    expect(response.status).toBe(400);
    const { issues } = (await response.json()) as { issues: { path: string }[] };
    expect(issues.map((issue) => issue.path)).toContain(path);
    expect(await all("cam01")).toEqual([]);
  });

  test("more than a megabyte", async () => {
    const body = { ...good(), padding: "x".repeat(1024 * 1024) };
    expect((await hub.post("/api/videos/announce", body, hub.nodeKey)).status).toBe(413);
  });

  function fields(
    values: Record<string, unknown[]>,
  ): [string, (body: ReturnType<typeof good>) => unknown, string][] {
    return Object.entries(values).flatMap(([name, list]) =>
      list.map((value): [string, (body: ReturnType<typeof good>) => unknown, string] => [
        `${name} ${JSON.stringify(value).slice(0, 60)}`,
        (body) => ({ ...body, videos: [{ ...body.videos[0], [name]: value }] }),
        `videos.0.${name}`,
      ]),
    );
  }
});

describe("a hub that is killed", () => {
  test("has everything that it acknowledged", async () => {
    const folder = await mkdtemp(join(tmpdir(), "livecam-kill-"));
    try {
      const [data, archive] = [join(folder, "data"), join(folder, "archive")];
      await mkdir(archive);
      const key = newApiKey({ kind: "node", name: "x", nodeId: null }, 0);
      {
        await using storage = await openStorage(data, systemClock);
        await storage.keys.add(key.key);
      }
      const acknowledged: string[] = [];
      for (let round = 0; round < 3; round++) {
        await using hub = await startHubProcess({ data, archive });
        const runs = Array.from({ length: 100 }, (_, i) => sampleRun(3, { cameraId: `cam${round}-${i}` }));
        let answers = 0;
        await Promise.all(
          runs.map(async (videos) => {
            try {
              const response = await fetch(`${hub.url}/api/videos/announce`, {
                method: "POST",
                headers: { "content-type": "application/json", authorization: `Bearer ${key.text}` },
                body: JSON.stringify(announceOf(videos)),
              });
              if (response.status !== 200) return;
              for (const { video_id } of await resultsOf(response)) acknowledged.push(video_id);
            } catch {
              // Killed before it could answer.
            }
            if (++answers === 20 + 25 * round) hub.child.kill("SIGKILL");
          }),
        );
        await hub.child.exited;
      }
      await using storage = await openStorage(data, systemClock);
      expect(acknowledged.length).toBeGreaterThan(60);
      for (const id of acknowledged) expect(await storage.catalog.findVideo(id)).toBeDefined();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 60_000);
});
