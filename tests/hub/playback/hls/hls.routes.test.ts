import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { newUuidV7 } from "../../../../src/common/ids.ts";
import { type FragmentRange, readArchiveFile } from "../../../../src/common/mp4/archive-file.ts";
import { readBox, readBoxes, requireBox } from "../../../../src/common/mp4/boxes.ts";
import { ByteCursor } from "../../../../src/common/mp4/byte-cursor.ts";
import type { Video } from "../../../../src/hub/db/catalog.ts";
import { archiveTestRun } from "../../../support/archived-run.ts";
import { countFrames } from "../../../support/count-frames.ts";
import { type HlsPart, readHlsPlaylist } from "../../../support/hls-validator.ts";
import { openTestHub, type TestHub } from "../../../support/test-hub.ts";

// ffmpeg makes the footage of nearly every test.
setDefaultTimeout(60_000);

const startMs = Date.parse("2025-09-23T06:30:00Z");
const at = (seconds: number) => new Date(startMs + seconds * 1000).toISOString();

let hub: TestHub;
let archive: string;
let first: Video[];
let second: Video[];

/** Twenty seconds in three segments, half a minute of nothing, six seconds of another run. */
beforeAll(async () => {
  hub = await openTestHub();
  archive = join(hub.folder, "archive");
  first = await archiveTestRun(archive, { startTimeMs: startMs, secondsPerVideo: [8, 7, 5], audio: true });
  second = await archiveTestRun(archive, {
    startTimeMs: startMs + 50_000,
    secondsPerVideo: [6],
    audio: true,
  });
  await hub.announce([...first, ...second]);
});
afterAll(() => hub[Symbol.asyncDispose]());

const pathOf = (query: Record<string, string>, cameraId = "cam01") =>
  `/api/cameras/${cameraId}/hls.m3u8?${new URLSearchParams(query)}`;
const whole = { from: at(-60), to: at(120) };

async function playlistOf(query: Record<string, string>, cameraId?: string) {
  const response = await hub.get(pathOf(query, cameraId));
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status}: ${text}`);
  expect(response.headers.get("content-type")).toBe("application/vnd.apple.mpegurl");
  return { text, ...readHlsPlaylist(text) };
}

type Range = Pick<HlsPart, "uri" | "start" | "end">;

async function bytesOf({ uri, start = 0, end = 0 }: Range) {
  const headers = { authorization: `Bearer ${hub.clientKey}`, range: `bytes=${start}-${end - 1}` };
  const response = await hub.get(uri, headers);
  expect(response.status).toBe(206);
  return Buffer.from(await response.arrayBuffer());
}

/** The decode time with which a part begins, in seconds; throws for what is not fragments end to end. */
function startOf(bytes: Uint8Array): number {
  const boxes = [...readBoxes(bytes)];
  expect(boxes.map(({ type }) => type).join(" ")).toMatch(/^(?:moof mdat ?)+$/);
  const traf = requireBox(bytes, readBox(bytes), "traf");
  const tfdt = ByteCursor.ofBox(bytes, requireBox(bytes, traf, "tfdt"));
  const { version } = tfdt.fullBox();
  // The test's track of 10 frames a second has 10,240 ticks.
  return (version === 1 ? tfdt.u64() : tfdt.u32()) / 10_240;
}

describe("the playlist of a range", () => {
  test("is valid, and its byte ranges are the fragments of the archived files, all of them", async () => {
    const { parts, isEnded, type, targetSeconds, isIndependent } = await playlistOf(whole);
    expect({ isEnded, type, targetSeconds, isIndependent }).toEqual({
      ...{ isEnded: true, type: "VOD", targetSeconds: 7, isIndependent: true },
    });
    expect(parts.map(({ seconds }) => Math.round(seconds * 10) / 10)).toEqual([6, 2, 6, 1, 5, 6]);
    const videos = [...first, ...second];
    expect([...new Set(parts.map(({ uri }) => uri))]).toEqual(
      videos.map(({ videoId }) => `/api/videos/${videoId}/stream.mp4`),
    );
    // To the last byte of each file.
    for (const { videoId, fileSizeBytes } of videos) {
      const own = parts.filter(({ uri }) => uri.includes(videoId));
      expect(own.slice(1).map(({ start }) => start)).toEqual(own.slice(0, -1).map(({ end }) => end));
      expect(own.at(-1)?.end).toBe(fileSizeBytes);
    }
  });

  test("has a discontinuity where the times of the fragments jump, and nowhere else", async () => {
    const { parts } = await playlistOf(whole);
    expect(parts.map(({ isDiscontinuous }) => isDiscontinuous)).toEqual([
      false,
      false,
      false,
      false,
      false,
      true,
    ]);
    let expected = 0;
    for (const part of parts) {
      expected = part.isDiscontinuous ? 0 : expected;
      expect(startOf(await bytesOf(part))).toBeCloseTo(expected, 3);
      expected += part.seconds;
    }
  });

  test("has the init segment of each run, and one init segment fits to all its parts", async () => {
    const { parts } = await playlistOf(whole);
    expect(new Set(parts.map(({ map }) => map.uri)).size).toBe(2);
    for (const map of new Set(parts.map((part) => part.map))) {
      const types = [...readBoxes(await bytesOf(map))].map(({ type }) => type);
      expect(types).toEqual(["ftyp", "moov"]);
    }
    expect(await framesOf(parts.slice(0, 5))).toBe(200);
  });

  test("says when each part was", async () => {
    const { parts } = await playlistOf(whole);
    // The first frame of a run may stand longer, until the sound begins.
    expect(parts.map(({ dateMs }) => Math.round((dateMs - startMs) / 100) / 10)).toEqual([
      0, 6, 8, 14, 15, 50,
    ]);
  });

  test("begins with the part that has the moment, and tells players where in it", async () => {
    const { parts, startSeconds } = await playlistOf({ from: at(9.5), to: at(16) });
    expect(parts.map(({ dateMs }) => (dateMs - startMs) / 1000)).toEqual([8, 14, 15]);
    expect(startSeconds).toBe(1.5);
    expect((await playlistOf({ from: at(30), to: at(60) })).startSeconds).toBeUndefined();
  });

  test("tells gaps and their causes", async () => {
    const gap = {
      gap_id: newUuidV7(startMs + 20_000),
      camera_id: "cam01",
      cause: "camera_failed",
      detail: "",
    };
    const body = { protocol_version: 1, gaps: [{ ...gap, from_time: at(20), to_time: at(50) }] };
    expect((await hub.post("/api/nodes/site-1/gaps", body, hub.nodeKey)).status).toBe(200);
    const { gaps } = await playlistOf(whole);
    expect(gaps.map((one) => Object.fromEntries(one))).toEqual([
      {
        ...{ ID: `"${gap.gap_id}"`, CLASS: '"livecam.gap"', "START-DATE": `"${at(20)}"` },
        ...{ DURATION: "30.000", "X-CAUSE": '"camera_failed"' },
      },
    ]);
    expect((await playlistOf({ from: at(50), to: at(60) })).gaps).toEqual([]);
  });
});

/** Decoded, from an init segment and parts put together. */
async function framesOf(parts: readonly HlsPart[]): Promise<number> {
  const [head] = parts;
  if (head === undefined) return 0;
  const bytes = [await bytesOf(head.map)];
  for (const part of parts) bytes.push(await bytesOf(part));
  return countFrames("pipe:0", { stdin: Buffer.concat(bytes) });
}

describe("a playlist that grows", () => {
  test("has no end, grows at its end, and says no more than a segment comes", async () => {
    const startTimeMs = Math.floor(Date.now() / 1000) * 1000 - 60_000;
    const [a, b, c] = (await archiveTestRun(archive, {
      ...{ cameraId: "cam02", startTimeMs, secondsPerVideo: [4, 4, 4] },
    })) as [Video, Video, Video];
    const query = { from: new Date(startTimeMs).toISOString() };
    await hub.announce([a]);
    const before = await playlistOf(query, "cam02");
    // No node has told its segment length: ten minutes.
    expect(before).toMatchObject({
      type: "EVENT",
      isEnded: false,
      targetSeconds: 400,
      startSeconds: undefined,
    });
    await hub.announce([c]);
    const grown = await playlistOf(query, "cam02");
    expect(grown.text).toStartWith(before.text);
    expect(grown.parts.length).toBe(2);
    // What comes late is not put in between.
    await hub.announce([b]);
    expect((await playlistOf(query, "cam02")).text).toBe(grown.text);
    const to = new Date(startTimeMs + 12_000).toISOString();
    expect((await playlistOf({ ...query, to }, "cam02")).parts.length).toBe(3);
    const future = new Date(Date.now() + 3_600_000).toISOString();
    expect((await playlistOf({ ...query, to: future }, "cam02")).isEnded).toBe(false);
  });
});

describe("a file that is not what the catalog knows", () => {
  const damages: [what: string, cause: string, damage: (path: string) => Promise<unknown>][] = [
    ["is gone", "missing", (path) => rm(path)],
    ["is shorter", "damaged", (path) => truncate(path, 20_000)],
    ["is empty", "damaged", (path) => truncate(path, 0)],
    ["is a foreign MP4", "damaged", (path) => writeFile(path, "\0\0\0\x14ftypisom\0\0\0\0isom")],
    [
      "is another video",
      "damaged",
      (path) => Bun.write(path, Bun.file(join(archive, first[0]?.filePath ?? ""))),
    ],
  ];
  for (const [index, [what, cause, damage]] of damages.entries()) {
    test(`${what}: it is left out, marked and told`, async () => {
      const cameraId = `damaged${index}`;
      const videos = await archiveTestRun(archive, {
        cameraId,
        startTimeMs: startMs,
        secondsPerVideo: [2, 2, 2],
      });
      await hub.announce(videos);
      const middle = videos[1] as Video;
      await damage(join(archive, middle.filePath));
      const { parts, gaps } = await playlistOf(whole, cameraId);
      expect(parts.map(({ isDiscontinuous }) => isDiscontinuous)).toEqual([false, true]);
      expect(parts.map(({ dateMs }) => (dateMs - startMs) / 1000)).toEqual([0, 4]);
      expect(gaps.map((gap) => [gap.get("ID"), gap.get("X-CAUSE")])).toEqual([
        [`"${middle.videoId}"`, `"${cause}"`],
      ]);
      const row = (await (await hub.get(`/api/videos/${middle.videoId}`)).json()) as { status: string };
      expect(row.status).toBe(cause);
    });
  }

  test("lost its end: the parts that are whole play, the rest is a gap", async () => {
    const videos = await archiveTestRun(archive, {
      cameraId: "cut",
      startTimeMs: startMs,
      secondsPerVideo: [12, 2],
    });
    await hub.announce(videos);
    const [cut, next] = videos as [Video, Video];
    const before = await playlistOf(whole, "cut");
    const [, second] = before.parts as [HlsPart, HlsPart];
    // In the middle of the second part's second half.
    await truncate(join(archive, cut.filePath), ((second.end ?? 0) * 3 + (second.start ?? 0)) / 4);
    // The index may be remembered; whoever asks for a part finds out.
    await hub.get(before.parts[0]?.uri ?? "");
    const { parts, gaps, text } = await playlistOf(whole, "cut");
    expect(parts[0]).toEqual(before.parts[0] as HlsPart);
    expect(parts.map(({ isDiscontinuous }) => isDiscontinuous)).toEqual([false, false, true]);
    const seconds = parts[1]?.seconds ?? 0;
    expect(seconds).toBeGreaterThan(2.5);
    expect(seconds).toBeLessThan(5.5);
    const lost = { ID: `"${cut.videoId}"`, "X-CAUSE": '"damaged"', DURATION: (6 - seconds).toFixed(3) };
    expect(gaps.map((gap) => Object.fromEntries(gap))).toEqual([expect.objectContaining(lost)]);
    expect(await framesOf(parts.slice(0, 2))).toBe(Math.round((6 + seconds) * 10));
    expect(await framesOf(parts.slice(2))).toBe(20);
    expect(parts[2]?.uri).toContain(next.videoId);
    expect(await (await hub.get(`/api/videos/${cut.videoId}`)).json()).toMatchObject({ status: "damaged" });
    expect((await playlistOf(whole, "cut")).text).toBe(text);
  });

  test("has something else in its middle: both sides of it play", async () => {
    const [video] = (await archiveTestRun(archive, {
      ...{ cameraId: "hole", startTimeMs: startMs, secondsPerVideo: [18] },
    })) as [Video];
    const path = join(archive, video.filePath);
    const bytes = await readFile(path);
    const { fragments } = await readArchiveFile(path);
    const spoilt = fragments[7] as FragmentRange;
    await writeFile(path, bytes.fill(0, spoilt.offset, spoilt.offset + spoilt.sizeBytes));
    await hub.announce([video]);
    // As a check of its hash finds it.
    await hub.storage.catalog.updateVideoStatus(video.videoId, "damaged");
    const { parts, gaps } = await playlistOf(whole, "hole");
    expect(parts.map(({ dateMs }) => (dateMs - startMs) / 1000)).toEqual([0, 6, 8, 14]);
    expect(parts.map(({ isDiscontinuous }) => isDiscontinuous)).toEqual([false, false, true, false]);
    expect(gaps.map((gap) => [gap.get("START-DATE"), gap.get("DURATION")])).toEqual([
      [`"${at(7)}"`, "1.000"],
    ]);
    expect(await framesOf(parts.slice(0, 2))).toBe(70);
    expect(await framesOf(parts.slice(2))).toBe(100);
  });

  test("comes back: it is in the playlist again", async () => {
    const videos = await archiveTestRun(archive, {
      cameraId: "back",
      startTimeMs: startMs,
      secondsPerVideo: [2, 2],
    });
    await hub.announce(videos);
    const { parts } = await playlistOf(whole, "back");
    const path = join(archive, videos[1]?.filePath ?? "");
    await rename(path, `${path}.away`);
    expect((await hub.get(parts[1]?.uri ?? "")).status).toBe(404);
    expect((await playlistOf(whole, "back")).parts.length).toBe(1);
    await rename(`${path}.away`, path);
    expect((await playlistOf(whole, "back")).parts).toEqual(parts);
    const missing = await hub.get("/api/videos?camera_id=back&status=missing");
    expect(await missing.json()).toMatchObject({ videos: [] });
  });

  test("goes between playlist and fetch: 404 for its parts, the others play", async () => {
    const videos = await archiveTestRun(archive, {
      cameraId: "fleeting",
      startTimeMs: startMs,
      secondsPerVideo: [2, 2],
    });
    await hub.announce(videos);
    const { parts } = await playlistOf(whole, "fleeting");
    await rm(join(archive, videos[1]?.filePath ?? ""));
    expect((await hub.get(parts[1]?.uri ?? "")).status).toBe(404);
    expect(startOf(await bytesOf(parts[0] as HlsPart))).toBe(0);
    expect((await playlistOf(whole, "fleeting")).parts.length).toBe(1);
  });
});

describe("what cannot be answered", () => {
  const problemOf = async (path: string) => {
    const response = await hub.get(path);
    return {
      status: response.status,
      body: (await response.json()) as { detail: string; issues?: unknown[] },
    };
  };
  const bad: [query: Record<string, string>, path: string][] = [
    [{}, "from"],
    [{ to: at(1) }, "from"],
    [{ from: "yesterday" }, "from"],
    [{ from: "2025-09-23" }, "from"],
    [{ from: "2025-09-23T06:30:00" }, "from"],
    [{ from: "2025-02-30T06:30:00Z", to: "x" }, "to"],
    [{ from: "1758609000" }, "from"],
    [{ from: at(0), to: at(0) }, "to"],
    [{ from: at(1), to: at(0) }, "to"],
    [{ from: at(0), to: at(7 * 86_400 + 1) }, "to"],
    [{ from: "0000-01-01T00:00:00Z", to: "9999-12-31T23:59:59Z" }, "to"],
    [{ from: at(0) }, "from"],
    [{ from: "9999-01-01T00:00:00Z" }, "from"],
    [{ ...whole, camera: "cam02" }, "camera"],
  ];
  for (const [query, path] of bad) {
    test(`400: ${JSON.stringify(query)}`, async () => {
      const { status, body } = await problemOf(pathOf(query));
      expect(status).toBe(400);
      expect(body.issues).toContainEqual(expect.objectContaining({ path }));
    });
  }

  test("any notation of a time counts", async () => {
    const { parts } = await playlistOf({
      from: "2025-09-23T15:30:00.000000+09:00",
      to: "2025-09-23t06:30:20z",
    });
    expect(parts.length).toBe(5);
  });

  test("no camera and no video are told apart", async () => {
    expect(await problemOf(pathOf(whole, "nowhere"))).toMatchObject({
      ...{ status: 404, body: { detail: "there is no camera nowhere" } },
    });
    expect(await problemOf(pathOf({ from: at(-9), to: at(-1) }))).toMatchObject({
      ...{ status: 404, body: { detail: "cam01 has no video in this range" } },
    });
    expect((await problemOf(pathOf(whole, "..%2f..%2fetc"))).status).toBe(400);
  });
});

test("without the archive: 503, and nothing is called missing", async () => {
  await using other = await openTestHub();
  const root = join(other.folder, "archive");
  const videos = await archiveTestRun(root, { startTimeMs: startMs, secondsPerVideo: [2] });
  await other.announce(videos);
  await rm(root, { recursive: true });
  const response = await other.get(pathOf(whole));
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  const row = await other.get(`/api/videos/${videos[0]?.videoId}`);
  expect(((await row.json()) as { status: string }).status).toBe("available");
});
