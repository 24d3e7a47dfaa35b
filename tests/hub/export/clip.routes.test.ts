import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { rename, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { archiveTestRun } from "../../support/archived-run.ts";
import { startExportServer } from "./export-server.ts";
import { framesOfFile as frames, outputOf as run } from "./frames.ts";
import { archiveTwoRuns, startMs, type TwoRuns } from "./two-runs.ts";

let server: TwoRuns["server"];
let first: TwoRuns["first"];
let second: TwoRuns["second"];
let save: TwoRuns["save"];
let framesOf: TwoRuns["framesOf"];

beforeAll(async () => {
  ({ server, first, second, save, framesOf } = await archiveTwoRuns());
});
afterAll(() => server[Symbol.asyncDispose]());

async function durationOf(path: string): Promise<number> {
  return Number(
    await run(["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path]),
  );
}

describe("a clip", () => {
  test("of whole videos has each of their frames once, in order", async () => {
    const path = await save(await server.clip(startMs, 0, 12));
    const shown = await frames(path);
    expect(shown.map(({ md5 }) => md5)).toEqual(await framesOf(first));
    for (const [i, { seconds }] of shown.entries()) expect(seconds).toBeCloseTo(i / 10, 3);
    expect(await durationOf(path)).toBeCloseTo(12, 2);
  }, 60_000);

  test("has the sound where the pictures have it", async () => {
    const whole = await frames(await save(await server.clip(startMs, 0, 12)), "a");
    const part = await frames(await save(await server.clip(startMs, 4.5, 11)), "a");
    const timeOf = new Map(whole.map(({ md5, seconds }) => [md5, seconds]));
    const known = part.filter(({ md5 }) => timeOf.has(md5));
    expect(known.length).toBeGreaterThan(280);
    const shifts = known.map(({ md5, seconds }) => timeOf.get(md5)! - seconds).sort((a, b) => a - b);
    expect(shifts[Math.floor(shifts.length / 2)]).toBeCloseTo(4.5, 3);
    for (const shift of shifts) expect(Math.abs(shift - 4.5)).toBeLessThan(0.002);
  }, 60_000);

  test.each([
    [2.35, 9.25],
    [5.2, 5.6],
    [0, 0.1],
    [3.999, 4.001],
    [11.05, 30],
  ])(
    "cut exactly from %p to %p s begins and ends there",
    async (from, to) => {
      const path = await save(await server.clip(startMs, from, to));
      const end = Math.min(to, 26);
      const hole = from < 12 && to > 20 ? 8 : 0;
      expect(await durationOf(path)).toBeCloseTo(end - from - hole, 2);
      const all = [...(await framesOf(first)), ...(await framesOf(second))];
      const shown = await frames(path);
      // Players differ on whether a frame that began before the cut is shown for the rest of its time.
      const firstIndex = Math.floor(from * 10 + 1e-6);
      const known = shown.map(({ md5 }) => all.indexOf(md5));
      expect(known.every((index) => index >= firstIndex)).toBe(true);
      expect(known).toEqual([...known].sort((a, b) => a - b));
      const length = end - from - hole;
      expect(Math.abs(shown.length - length * 10)).toBeLessThanOrEqual(1.01);
    },
    60_000,
  );

  test("cut at keyframes has whole groups of pictures and says what it covers", async () => {
    const response = await server.clip(startMs, 2.35, 9.25, "&cut=keyframe");
    expect(response.headers.get("livecam-start-time")).toBe("2025-09-23T06:30:02.000Z");
    expect(response.headers.get("livecam-end-time")).toBe("2025-09-23T06:30:10.000Z");
    expect(response.headers.get("livecam-duration-ms")).toBe("8000");
    expect((await frames(await save(response))).length).toBe(80);
  }, 60_000);

  test("of a run with edit lists of its own shows the same frames at the same times", async () => {
    await using other = await startExportServer();
    const recipe = {
      startTimeMs: startMs,
      secondsPerVideo: [2, 2],
      bFrames: 2,
      audio: true,
      editLists: true,
    };
    const videos = await archiveTestRun(other.root, recipe);
    other.add(...videos);
    const path = join(other.root, "clip.mp4");
    await writeFile(path, await (await other.clip(startMs, 1, 4)).bytes());
    const shown = await frames(path);
    const each = await Promise.all(videos.map((video) => frames(join(other.root, video.filePath))));
    expect(shown.map(({ md5 }) => md5)).toEqual(
      each
        .flat()
        .map(({ md5 }) => md5)
        .slice(10),
    );
    for (const [i, { seconds }] of shown.entries()) expect(seconds).toBeCloseTo(i / 10, 3);
  }, 60_000);

  test("grows when the catalog learns of more", async () => {
    await using other = await startExportServer();
    const [early, late] = await archiveTestRun(other.root, { startTimeMs: startMs, secondsPerVideo: [2, 2] });
    const durationMs = async () => (await other.clip(startMs, 0, 4)).headers.get("livecam-duration-ms");
    other.add(early!);
    expect([await durationMs(), await durationMs()]).toEqual(["2000", "2000"]);
    other.add(late!);
    expect(await durationMs()).toBe("4000");
  }, 60_000);

  test("goes without the picture that was recorded in place of the camera", async () => {
    await using other = await startExportServer();
    const run = { startTimeMs: startMs, secondsPerVideo: [2, 2] };
    const [before, after] = await archiveTestRun(other.root, run);
    const noSignal = { startTimeMs: startMs + 4_000, secondsPerVideo: [2], size: "192x108" };
    const [mock] = await archiveTestRun(other.root, noSignal);
    const spanAt = (seconds: number) => ({
      ...{ startTimeMs: startMs + seconds * 1000, endTimeMs: startMs + (seconds + 2) * 1000 },
    });
    other.add(before!, { ...mock!, ...spanAt(2), isMock: true }, { ...after!, ...spanAt(4) });
    for (const format of ["mp4", "fmp4"]) {
      const response = await other.clip(startMs, 0, 6, `&format=${format}`);
      expect([response.status, response.headers.get("livecam-duration-ms")]).toEqual([200, "4000"]);
      await response.bytes();
    }
    // There is nothing else.
    expect((await other.clip(startMs, 2, 4)).status).toBe(404);
  }, 60_000);

  test("over a hole goes on at once after it", async () => {
    const response = await server.clip(startMs, 10, 23);
    expect(response.headers.get("livecam-duration-ms")).toBe("5000");
    const shown = await frames(await save(response));
    expect(shown.map(({ md5 }) => md5)).toEqual([
      ...(await framesOf(first)).slice(100),
      ...(await framesOf(second)).slice(0, 30),
    ]);
    for (const [i, { seconds }] of shown.entries()) expect(seconds).toBeCloseTo(i / 10, 3);
  }, 60_000);
});

describe("the file that is nowhere", () => {
  test("has a length, an ETag and ranges like any other", async () => {
    const whole = await server.clip(startMs, 1.5, 22);
    const bytes = await whole.bytes();
    const etag = whole.headers.get("etag")!;
    expect(whole.headers.get("content-disposition")).toBe(
      'attachment; filename="cam01_20250923T063001Z-20250923T063022Z.mp4"',
    );
    const size = bytes.length;
    const ends = [0, 1, 100, 5_000, Math.floor(size / 3), Math.floor(size / 2), size - 2, size - 1];
    for (const start of ends) {
      for (const end of ends.filter((end) => end >= start)) {
        const part = await server.clip(startMs, 1.5, 22, "", { range: `bytes=${start}-${end}` });
        expect(part.status).toBe(206);
        expect(part.headers.get("content-range")).toBe(`bytes ${start}-${end}/${size}`);
        expect(Buffer.compare(await part.bytes(), bytes.subarray(start, end + 1))).toBe(0);
      }
    }
    const again = { range: "bytes=0-9" };
    expect((await server.clip(startMs, 1.5, 22, "", { ...again, "if-range": etag })).status).toBe(206);
    expect((await server.clip(startMs, 1.5, 22, "", { ...again, "if-range": '"other"' })).status).toBe(200);
    expect((await server.clip(startMs, 1.5, 22, "", { "if-none-match": etag })).status).toBe(304);
    expect((await server.clip(startMs, 1.5, 22, "", { "if-match": '"other"' })).status).toBe(412);
    const past = await server.clip(startMs, 1.5, 22, "", { range: `bytes=${size}-` });
    expect([past.status, past.headers.get("content-range")]).toEqual([416, `bytes */${size}`]);
  }, 60_000);

  test("is described by HEAD", async () => {
    const path = `/api/cameras/cam01/clip.mp4?from=2025-09-23T06:30:00Z&to=2025-09-23T06:30:05Z`;
    const [head, get] = [await server.get(path, {}, "HEAD"), await server.get(path)];
    const size = (await get.bytes()).length;
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(size)]);
    expect(head.headers.get("etag")).toBe(get.headers.get("etag"));
  });

  test("has another ETag for another cut or range, and the same for the same", async () => {
    const etagOf = async (from: number, to: number, more = "") =>
      (await server.clip(startMs, from, to, more, { range: "bytes=0-0" })).headers.get("etag");
    const tags = [
      await etagOf(1, 5),
      await etagOf(1, 5.1),
      await etagOf(1.1, 5),
      await etagOf(1, 5, "&cut=keyframe"),
    ];
    expect(new Set(tags).size).toBe(4);
    expect(await etagOf(1, 5)).toBe(tags[0]!);
  });

  test("leaves no descriptor open when downloads are broken off", async () => {
    const descriptors = () => readdirSync("/proc/self/fd").length;
    const before = descriptors();
    for (let round = 0; round < 3; round++) {
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const abort = new AbortController();
          const url = `http://127.0.0.1:${server.port}/api/cameras/cam01/clip.mp4?from=2025-09-23T06:30:00Z&to=2025-09-23T06:30:25Z`;
          const response = await fetch(url, { headers: { authorization: "Bearer k" }, signal: abort.signal });
          const reader = response.body!.getReader();
          await reader.read();
          abort.abort();
          await reader.read().catch(() => undefined);
        }),
      );
    }
    const deadline = performance.now() + 30_000;
    while (descriptors() > before + 5 && performance.now() < deadline) await Bun.sleep(50);
    expect(descriptors()).toBeLessThanOrEqual(before + 5);
    // One that was left open is an error when it is collected, and ends the process.
    Bun.gc(true);
    await Bun.sleep(50);
    Bun.gc(true);
    await Bun.sleep(50);
  }, 60_000);
});

describe("what cannot be a clip", () => {
  const at = "2025-09-23T06:30:00Z";
  test.each([
    ["nothing asked", "", "from"],
    ["no end", `from=${at}`, "to"],
    ["reversed", `from=${at}&to=2025-09-23T06:29:59Z`, "to"],
    ["empty", `from=${at}&to=${at}`, "to"],
    ["a day", `from=${at}&to=2025-09-24T06:30:00Z`, "to"],
    ["ten thousand years", `from=0000-01-01T00:00:00Z&to=9999-12-31T00:00:00Z`, "to"],
    ["no time", "from=yesterday&to=now", "from"],
    ["a local time", `from=2025-09-23T06:30:00&to=${at}`, "from"],
    ["another cut", `from=${at}&to=2025-09-23T06:31:00Z&cut=nice`, "cut"],
    ["twice", `from=${at}&from=${at}&to=2025-09-23T06:31:00Z`, "from"],
    ["unknown", `from=${at}&to=2025-09-23T06:31:00Z&path=/etc/passwd`, "path"],
  ])("%s: 400 that names the field", async (_, query, field) => {
    const response = await server.get(`/api/cameras/cam01/clip.mp4?${query}`);
    expect(response.status).toBe(400);
    const problem = (await response.json()) as { issues: { path: string }[] };
    expect(problem.issues.map(({ path }) => path)).toContain(field);
  });

  test("a range without videos, and a camera that is not there: 404", async () => {
    expect((await server.clip(startMs, 13, 19)).status).toBe(404);
    expect((await server.get(`/api/cameras/cam99/clip.mp4?from=${at}&to=2025-09-23T06:31:00Z`)).status).toBe(
      404,
    );
    expect((await server.get(`/api/cameras/..%2f/clip.mp4?from=${at}&to=2025-09-23T06:31:00Z`)).status).toBe(
      400,
    );
  });

  test("without a credential: 401", async () => {
    expect((await server.clip(startMs, 0, 4, "", { authorization: "" })).status).toBe(401);
  });
});

describe("files that changed", () => {
  test("another coding is told with its time", async () => {
    await using other = await startExportServer();
    const run = { startTimeMs: startMs, secondsPerVideo: [2] };
    other.add(...(await archiveTestRun(other.root, run)));
    other.add(
      ...(await archiveTestRun(other.root, { ...run, startTimeMs: startMs + 2_000, size: "192x108" })),
    );
    const response = await other.clip(startMs, 0, 4);
    expect(response.status).toBe(409);
    expect(((await response.json()) as { detail: string }).detail).toContain("2025-09-23T06:30:02.000Z");
    expect((await other.clip(startMs, 2, 4)).status).toBe(200);
  }, 60_000);

  test("one that is gone or cut off is said and marked, and the next try does without it", async () => {
    await using other = await startExportServer();
    const videos = await archiveTestRun(other.root, { startTimeMs: startMs, secondsPerVideo: [2, 2, 2] });
    other.add(...videos);
    await rename(join(other.root, videos[0]!.filePath), join(other.root, "elsewhere"));
    await truncate(join(other.root, videos[2]!.filePath), videos[2]!.fileSizeBytes - 1);
    for (const status of ["missing", "damaged"] as const) {
      const response = await other.clip(startMs, 0, 6);
      expect(response.status).toBe(503);
      expect(((await response.json()) as { detail: string }).detail).toContain(status);
    }
    expect([...other.rows.values()].map(({ status }) => status)).toEqual(["missing", "available", "damaged"]);
    const response = await other.clip(startMs, 0, 6);
    expect([response.status, response.headers.get("livecam-duration-ms")]).toEqual([200, "2000"]);
    await response.bytes();
  }, 60_000);

  test("garbage in the index is damage, not a crash", async () => {
    await using other = await startExportServer();
    const [video] = await archiveTestRun(other.root, { startTimeMs: startMs, secondsPerVideo: [2] });
    const path = join(other.root, video!.filePath);
    const whole = Buffer.from(await Bun.file(path).bytes());
    const tables = whole.indexOf("stts");
    for (let i = 0; i < 60; i++) {
      const broken = Buffer.from(whole);
      broken.writeUInt32BE((i * 0x9e3779b1) >>> 0, tables + 4 + ((i * 52) % 600));
      await writeFile(path, broken);
      other.rows.set(video!.videoId, video!);
      const response = await other.clip(startMs, 0, 2);
      expect([200, 503]).toContain(response.status);
      await response.bytes().catch(() => undefined);
    }
  }, 60_000);
});
