import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { parseInitSegment } from "../../../../src/common/mp4/init-segment.ts";
import type { Video } from "../../../../src/hub/db/catalog.ts";
import { type PartTrack, readPart } from "../../../../src/hub/playback/qualities/part-samples.ts";
import { archiveTestRun } from "../../../support/archived-run.ts";
import { archiveTestVideo } from "../../../support/archived-video.ts";
import { countFrames } from "../../../support/count-frames.ts";
import { type HlsPart, readHlsMaster, readHlsPlaylist } from "../../../support/hls-validator.ts";
import { openTestHub, type TestHub } from "../../../support/test-hub.ts";

// ffmpeg makes and transcodes the footage.
setDefaultTimeout(60_000);

const startMs = Date.parse("2025-09-23T06:30:00Z");
const at = (seconds: number) => new Date(startMs + seconds * 1000).toISOString();
const whole = { from: at(-60), to: at(120) };

let hub: TestHub;
let videos: Video[];

/** With sound, B-frames and edit lists: thirteen seconds in two segments, a hole, three seconds of another run; and one in H.265. */
beforeAll(async () => {
  hub = await openTestHub();
  const archive = join(hub.folder, "archive");
  const recipe = { audio: true, bFrames: 2, editLists: true, size: "640x360" };
  videos = [
    ...(await archiveTestRun(archive, { ...recipe, startTimeMs: startMs, secondsPerVideo: [8, 5] })),
    ...(await archiveTestRun(archive, { ...recipe, startTimeMs: startMs + 30_000, secondsPerVideo: [3] })),
  ];
  const hevc = { cameraId: "hevc", codec: "h265", startTimeMs: startMs, width: 426, height: 240 } as const;
  await hub.announce([...videos, await archiveTestVideo(archive, { ...hevc, seconds: 2 })]);
});
afterAll(() => hub[Symbol.asyncDispose]());

async function textOf(path: string): Promise<string> {
  const response = await hub.get(path);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
  return text;
}
const masterOf = async (cameraId = "cam01", query: Record<string, string> = whole) =>
  readHlsMaster(await textOf(`/api/cameras/${cameraId}/master.m3u8?${new URLSearchParams(query)}`));
const variantOf = async (cameraId: string, stableId: string) => {
  const variant = (await masterOf(cameraId)).variants.find((one) => one.stableId === stableId);
  if (variant === undefined) throw new Error(`no ${stableId}`);
  return { variant, ...readHlsPlaylist(await textOf(variant.uri)) };
};

async function bytesOf({ uri, start, end }: Pick<HlsPart, "uri" | "start" | "end">): Promise<Buffer> {
  const range = start === undefined ? {} : { range: `bytes=${start}-${(end ?? 0) - 1}` };
  const response = await hub.get(uri, { authorization: `Bearer ${hub.clientKey}`, ...range });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status !== (start === undefined ? 200 : 206)) throw new Error(`${uri}: ${bytes}`);
  return bytes;
}

/** The tracks of a part, and the init segment it was read with. */
async function readHlsPart(part: HlsPart) {
  const init = parseInitSegment(await bytesOf(part.map));
  const { tracks } = readPart(await bytesOf(part), init);
  const track = (id: number | undefined) => tracks.find(({ trackId }) => trackId === id) as PartTrack;
  return { init, video: track(init.video.trackId), audio: track(init.audio?.trackId) };
}
const timesOf = ({ samples }: PartTrack) => samples.map(({ decodeTime }) => decodeTime);
const shownOf = ({ samples }: PartTrack) =>
  samples.map(({ compositionTime }) => compositionTime).sort((a, b) => a - b);

describe("the multivariant playlist", () => {
  test("has what was recorded first, and what is smaller", async () => {
    const { variants, isIndependent } = await masterOf();
    expect(isIndependent).toBe(true);
    expect(variants.map(({ stableId, resolution }) => [stableId, resolution])).toEqual([
      ["source", "640x360"],
      ["240p", "426x240"],
    ]);
    const [source, lower] = variants;
    expect(source?.codecs).toEqual(videos[0]?.codec.split(",") as string[]);
    expect(lower?.codecs).toEqual(["avc1.64001e", "mp4a.40.2"]);
    expect(lower?.bandwidth).toBeLessThan(source?.bandwidth ?? 0);
    expect(lower?.frameRate).toBeCloseTo(10, 1);
  });

  test("says of the recorded quality what its parts are", async () => {
    const { variant, parts } = await variantOf("cam01", "source");
    const bitsOf = ({ start = 0, end = 0 }: HlsPart) => (end - start) * 8;
    const rates = parts.filter(({ seconds }) => seconds >= 3).map((part) => bitsOf(part) / part.seconds);
    expect(variant.bandwidth).toBeGreaterThanOrEqual(Math.max(...rates));
    const seconds = parts.reduce((sum, part) => sum + part.seconds, 0);
    const bits = parts.reduce((sum, part) => sum + bitsOf(part), 0);
    expect(variant.averageBandwidth / (bits / seconds)).toBeCloseTo(1, 3);
  });

  test("of H.265 has H.264 of the same size", async () => {
    const { variants } = await masterOf("hevc");
    expect(variants.map(({ stableId, codecs }) => [stableId, codecs[0]?.slice(0, 5)])).toEqual([
      ["source", "hvc1."],
      ["h264", "avc1."],
    ]);
    const { parts } = await variantOf("hevc", "h264");
    const { init, video } = await readHlsPart(parts[0] as HlsPart);
    expect([init.video.codec, init.video.width, video.samples.length]).toEqual(["avc1.64001e", 426, 20]);
  });
});

describe("a lower quality", () => {
  test("has the same parts, times and discontinuities", async () => {
    const [source, lower] = [await variantOf("cam01", "source"), await variantOf("cam01", "240p")];
    const shapeOf = ({ seconds, dateMs, isDiscontinuous }: HlsPart) => ({ seconds, dateMs, isDiscontinuous });
    expect(lower.parts.map(shapeOf)).toEqual(source.parts.map(shapeOf));
    expect(lower.targetSeconds).toBe(source.targetSeconds);
    expect(lower.isIndependent).toBe(true);
  });

  test("decodes and shows each picture when it was recorded, with the recorded sound", async () => {
    const [source, lower] = [await variantOf("cam01", "source"), await variantOf("cam01", "240p")];
    for (const [i, part] of source.parts.entries()) {
      const [recorded, made] = [await readHlsPart(part), await readHlsPart(lower.parts[i] as HlsPart)];
      expect(timesOf(made.video)).toEqual(timesOf(recorded.video));
      expect(shownOf(made.video)).toEqual(shownOf(recorded.video));
      expect(made.video.samples.map(({ isSync }) => isSync)[0]).toBe(true);
      expect(made.audio).toEqual(recorded.audio);
      const { timescale, mediaTime, emptyEditDuration } = recorded.init.video;
      expect(made.init.video).toMatchObject({ timescale, mediaTime, emptyEditDuration });
      expect([made.init.codec, made.init.video.width]).toEqual(["avc1.64001e,mp4a.40.2", 426]);
      // The size it is shown in, as 16.16 fixed point numbers.
      const shownIn = Buffer.from(made.init.video.trackHeaderTail).subarray(-8);
      expect([shownIn.readUInt16BE(0), shownIn.readUInt16BE(4)]).toEqual([426, 240]);
    }
  });

  test("each part can be decoded by itself, all together without a picture less, and no part takes more than was said", async () => {
    const { parts, variant } = await variantOf("cam01", "240p");
    const init = await bytesOf((parts[0] as HlsPart).map);
    const all: Buffer[] = [];
    for (const part of parts) {
      const bytes = await bytesOf(part);
      all.push(bytes);
      const stdin = Buffer.concat([init, bytes]);
      expect(await countFrames("pipe:0", { stdin })).toBe(Math.round(part.seconds * 10));
      if (part.seconds >= 3) expect((bytes.length * 8) / part.seconds).toBeLessThan(variant.bandwidth);
    }
    // One init segment for the two segments of the run.
    const run = parts.findIndex(({ isDiscontinuous }) => isDiscontinuous);
    expect(new Set(parts.slice(0, run).map(({ map }) => map.uri)).size).toBe(1);
    expect(await countFrames("pipe:0", { stdin: Buffer.concat([init, ...all.slice(0, run)]) })).toBe(130);
  });

  test("is the same the second time, and needs no ffmpeg then", async () => {
    const { parts } = await variantOf("cam01", "240p");
    const part = parts[1] as HlsPart;
    const first = await hub.get(part.uri);
    expect(first.headers.get("content-type")).toBe("video/mp4");
    const again = await hub.get(part.uri);
    expect(again.headers.get("etag")).toBe(first.headers.get("etag") as string);
    expect(Buffer.from(await again.arrayBuffer()).equals(Buffer.from(await first.arrayBuffer()))).toBe(true);
  });
});

describe("what cannot be answered", () => {
  const refusalOf = async (path: string) => {
    const response = await hub.get(path);
    const body = (await response.json()) as { issues?: { path: string }[] };
    return [response.status, ...(body.issues ?? []).map((issue) => issue.path)];
  };
  const id = () => videos[0]?.videoId;

  test("names the field", async () => {
    const { parts } = await variantOf("cam01", "240p");
    const bytes = /parts\/(\d+)-(\d+)\//.exec((parts[0] as HlsPart).uri) as unknown as [
      string,
      string,
      string,
    ];
    const [start, end] = [Number(bytes[1]), Number(bytes[2])];
    for (const quality of ["241p", "source", "-1p", "..%2f..%2fetc", "__proto__", "240P"]) {
      expect(await refusalOf(`/api/videos/${id()}/init/${quality}.mp4`)).toEqual([400, "quality"]);
      expect(await refusalOf(`/api/videos/${id()}/parts/${start}-${end}/${quality}.mp4`)).toEqual([
        400,
        "quality",
      ]);
    }
    for (const part of [`${start}-${end + 1}`, `${start + 1}-${end}`, `${end}-${start}`, "0-0"]) {
      expect(await refusalOf(`/api/videos/${id()}/parts/${part}/240p.mp4`)).toEqual([400, "part"]);
    }
    for (const part of ["0", "-1-5", "a-b", "1e3-5", "0x1-2", "9".repeat(20), `${"9".repeat(16)}-1`]) {
      expect(await refusalOf(`/api/videos/${id()}/parts/${part}/240p.mp4`)).toEqual([400, "part"]);
    }
    // Larger than it was recorded.
    expect(await refusalOf(`/api/videos/${id()}/init/720p.mp4`)).toEqual([400, "quality"]);
    expect(await refusalOf(`/api/videos/${id()}/init/240p.mp4?x=1`)).toEqual([400, "x"]);
    expect(await refusalOf("/api/videos/7/init/240p.mp4")).toEqual([400, "id"]);
    const unknown = "01997000-0000-7000-8000-000000000000";
    expect(await refusalOf(`/api/videos/${unknown}/init/240p.mp4`)).toEqual([404]);
    const query = new URLSearchParams({ ...whole, quality: "best" });
    expect(await refusalOf(`/api/cameras/cam01/hls.m3u8?${query}`)).toEqual([400, "quality"]);
    expect(await refusalOf(`/api/cameras/cam01/master.m3u8?${query}`)).toEqual([400, "quality"]);
    expect(await refusalOf("/api/cameras/cam01/master.m3u8")).toEqual([400, "from"]);
    expect(await refusalOf(`/api/cameras/nowhere/master.m3u8?${new URLSearchParams(whole)}`)).toEqual([404]);
  });

  test("needs a credential", async () => {
    expect((await hub.get(`/api/videos/${id()}/init/240p.mp4`, {})).status).toBe(401);
    expect((await hub.get(`/api/videos/${id()}/parts/0-1/240p.mp4`, {})).status).toBe(401);
    expect((await hub.get("/api/cameras/cam01/master.m3u8", {})).status).toBe(401);
  });

  test("where transcoding is switched off there is what was recorded alone", async () => {
    await using other = await openTestHub({ config: { transcoding: false } });
    const archive = join(other.folder, "archive");
    const [video] = await archiveTestRun(archive, {
      startTimeMs: startMs,
      secondsPerVideo: [2],
      size: "640x360",
    });
    await other.announce([video as Video]);
    const query = new URLSearchParams(whole);
    const master = readHlsMaster(await (await other.get(`/api/cameras/cam01/master.m3u8?${query}`)).text());
    expect(master.variants.map(({ stableId }) => stableId)).toEqual(["source"]);
    expect((await other.get(`/api/cameras/cam01/hls.m3u8?${query}&quality=240p`)).status).toBe(501);
    expect((await other.get(`/api/videos/${video?.videoId}/init/240p.mp4`)).status).toBe(501);
  });
});
