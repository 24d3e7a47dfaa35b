import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readBoxes } from "../../../src/common/mp4/boxes.ts";
import { ByteCursor } from "../../../src/common/mp4/byte-cursor.ts";
import { StreamSplitter } from "../../../src/common/mp4/stream-splitter.ts";
import type { Video } from "../../../src/hub/db/catalog.ts";
import { archiveTestRun } from "../../support/archived-run.ts";
import { startExportServer } from "./export-server.ts";
import { type Frame, framesOfFile } from "./frames.ts";
import { archiveTwoRuns, startMs, type TwoRuns } from "./two-runs.ts";

let server: TwoRuns["server"];
let first: TwoRuns["first"];
let second: TwoRuns["second"];
let save: TwoRuns["save"];
let framesOf: TwoRuns["framesOf"];

beforeAll(async () => {
  ({ server, first, second, save, framesOf } = await archiveTwoRuns({ editLists: true }));
});
afterAll(() => server[Symbol.asyncDispose]());

const fmp4 = (from: number, to: number, more = "", headers?: Record<string, string>) =>
  server.clip(startMs, from, to, `&format=fmp4${more}`, headers);

/** ffmpeg counts from the sound, which begins before the picture of its fragment does. */
function expectSteadyPictures(shown: readonly Frame[]): void {
  const start = shown[0]!.seconds;
  for (const [i, { seconds }] of shown.entries()) expect(seconds - start).toBeCloseTo(i / 10, 3);
}

describe("a fragmented clip", () => {
  test("has whole groups of pictures of one run and says what it covers", async () => {
    const response = await fmp4(2.35, 9.25);
    expect(response.headers.get("content-disposition")).toContain("_fragmented.mp4");
    expect(response.headers.get("livecam-start-time")).toBe("2025-09-23T06:30:02.000Z");
    expect(response.headers.get("livecam-duration-ms")).toBe("8000");
    const shown = await framesOfFile(await save(response));
    expect(shown.map(({ md5 }) => md5)).toEqual((await framesOf(first)).slice(20, 100));
    expectSteadyPictures(shown);
  }, 60_000);

  test("goes on at once over a hole and into another run, with the sound where the pictures have it", async () => {
    const response = await fmp4(10, 23);
    // The sound of the second run begins before its picture does.
    const durationMs = Number(response.headers.get("livecam-duration-ms"));
    expect([durationMs >= 5000, durationMs < 5050]).toEqual([true, true]);
    const path = await save(response);
    const shown = await framesOfFile(path);
    expect(shown.map(({ md5 }) => md5)).toEqual([
      ...(await framesOf(first)).slice(100),
      ...(await framesOf(second)).slice(0, 30),
    ]);
    expectSteadyPictures(shown.slice(0, 20));
    expectSteadyPictures(shown.slice(20));
    const cut = await save(await server.clip(startMs, 10, 23));
    const [own, same] = [await framesOfFile(path, "a"), await framesOfFile(cut, "a")];
    const timeOf = new Map(same.map(({ md5, seconds }) => [md5, seconds]));
    const shifts = own.flatMap(({ md5, seconds }) => (timeOf.has(md5) ? [seconds - timeOf.get(md5)!] : []));
    expect(shifts.length).toBeGreaterThan(200);
    for (const shift of shifts) expect(Math.abs(shift - shown[0]!.seconds)).toBeLessThan(0.05);
  }, 60_000);

  test("is what was recorded but for its init segment, its index and the decode times", async () => {
    const bytes = await (await fmp4(0, 12)).bytes();
    const recorded = Buffer.concat(await Promise.all(first.map(async (video) => fragmentsOf(video))));
    const [head] = [...readBoxes(bytes)].filter(({ type }) => type === "moof");
    const own = Buffer.from(bytes.subarray(head!.start));
    expect(own.length).toBe(recorded.length);
    expect(withoutDecodeTimes(own).equals(withoutDecodeTimes(recorded))).toBe(true);
    const units = [...new StreamSplitter().push(bytes)];
    expect(units.filter(({ kind }) => kind === "fragment").length).toBeGreaterThanOrEqual(12);
  }, 60_000);

  test("has a length, an ETag of its own and ranges like any other", async () => {
    const whole = await fmp4(1.5, 22);
    const bytes = await whole.bytes();
    const size = bytes.length;
    const head = await server.get(
      `/api/cameras/cam01/clip.mp4?from=2025-09-23T06:30:01.5Z&to=2025-09-23T06:30:22Z&format=fmp4`,
      {},
      "HEAD",
    );
    expect([head.headers.get("content-length"), head.headers.get("etag")]).toEqual([
      String(size),
      whole.headers.get("etag"),
    ]);
    const other = await server.clip(startMs, 1.5, 22, "&cut=keyframe", { range: "bytes=0-0" });
    expect(other.headers.get("etag")).not.toBe(whole.headers.get("etag"));
    const moofs = [...readBoxes(bytes)].filter(({ type }) => type === "moof");
    const [early, late] = [moofs[1]!.start, moofs.at(-2)!.start];
    const ends = [
      0,
      100,
      early - 1,
      early + 90,
      early + 2_000,
      Math.floor(size / 2),
      late + 1,
      late + 200,
      size - 1,
    ];
    for (const start of ends) {
      for (const end of ends.filter((end) => end >= start)) {
        const part = await fmp4(1.5, 22, "", { range: `bytes=${start}-${end}` });
        expect(part.status).toBe(206);
        expect(Buffer.compare(await part.bytes(), bytes.subarray(start, end + 1))).toBe(0);
      }
    }
  }, 60_000);

  test("cannot be cut exactly, and is of one coding: 400 and 409", async () => {
    const exact = await fmp4(1, 5, "&cut=exact");
    expect(exact.status).toBe(400);
    expect(((await exact.json()) as { issues: { path: string }[] }).issues[0]?.path).toBe("cut");
    expect((await server.clip(startMs, 1, 5, "&format=mkv")).status).toBe(400);
    await using other = await startExportServer();
    const run = { startTimeMs: startMs, secondsPerVideo: [1], size: "64x48" };
    other.add(...(await archiveTestRun(other.root, run)));
    other.add(...(await archiveTestRun(other.root, { ...run, startTimeMs: startMs + 1_000, size: "96x54" })));
    expect((await other.clip(startMs, 0, 2, "&format=fmp4")).status).toBe(409);
  }, 60_000);

  test("of a group of pictures larger than what is read at a time is whole in every range", async () => {
    await using other = await startExportServer();
    const run = { startTimeMs: startMs, secondsPerVideo: [2, 2], size: "960x540", noise: true };
    const videos = await archiveTestRun(other.root, run);
    other.add(...videos);
    expect(videos[0]!.fileSizeBytes).toBeGreaterThan(2 * 1024 * 1024);
    const clip = (headers?: Record<string, string>) => other.clip(startMs, 0, 4, "&format=fmp4", headers);
    const bytes = await (await clip()).bytes();
    for (const start of [1_500_000, bytes.length - 1_200_000]) {
      const part = await (await clip({ range: `bytes=${start}-` })).bytes();
      expect(Buffer.compare(part, bytes.subarray(start))).toBe(0);
    }
    const path = join(other.root, "clip.mp4");
    await writeFile(path, bytes);
    expect((await framesOfFile(path)).length).toBe(40);
  }, 60_000);
});

/** Of an archived file: all after its `sidx`. */
async function fragmentsOf(video: Video): Promise<Uint8Array> {
  const bytes = await Bun.file(join(server.root, video.filePath)).bytes();
  const mdat = [...readBoxes(bytes)].find(({ type }) => type === "mdat")!;
  const sidx = [...readBoxes(bytes, mdat.contentStart)].find(({ type }) => type === "sidx")!;
  return bytes.subarray(sidx.end);
}

function withoutDecodeTimes(bytes: Buffer): Buffer {
  const blank = Buffer.from(bytes);
  for (const moof of readBoxes(bytes)) {
    if (moof.type !== "moof") continue;
    for (const traf of readBoxes(bytes, moof.contentStart, moof.end)) {
      if (traf.type !== "traf") continue;
      for (const box of readBoxes(bytes, traf.contentStart, traf.end)) {
        if (box.type === "tfdt") blank.fill(0, ByteCursor.ofBox(bytes, box, 4).offset, box.end);
      }
    }
  }
  return blank;
}
