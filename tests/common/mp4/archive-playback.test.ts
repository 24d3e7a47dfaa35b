import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readArchiveFile } from "../../../src/common/mp4/archive-file.ts";
import { readBoxes } from "../../../src/common/mp4/boxes.ts";
import { cutIntoSegments, recipes, recordStream, run, splitStream, writeSegment } from "./sample-streams.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "livecam-playback-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Packet {
  type: string;
  pts: number;
  dts: number;
  duration: number;
  size: number;
  keyframe: boolean;
  /** Not presented: before the start of the edit list. */
  discarded: boolean;
}

/** What ffprobe demultiplexes, times in seconds. */
async function packetsOf(path: string): Promise<Packet[]> {
  const text = await run([
    ...["ffprobe", "-v", "error", "-of", "json", "-show_entries"],
    ...["packet=codec_type,pts_time,dts_time,duration_time,size,flags", path],
  ]);
  return JSON.parse(text).packets.map((packet: Record<string, string>) => ({
    type: packet.codec_type,
    pts: Number(packet.pts_time),
    dts: Number(packet.dts_time),
    duration: Number(packet.duration_time),
    size: Number(packet.size),
    keyframe: packet.flags!.startsWith("K"),
    discarded: packet.flags!.includes("D"),
  }));
}

interface Frame {
  time: number;
  hash: string;
}

/** Decoded pictures or sound, as hashes; times in ticks. `seekTo` in seconds. */
async function framesOf(path: string, stream: "v" | "a", seekTo?: number): Promise<Frame[]> {
  const seek = seekTo === undefined ? [] : ["-ss", `${seekTo}`];
  const text = await run([
    ...["ffmpeg", "-v", "error", "-nostdin", ...seek, "-i", path, "-map", `0:${stream}`],
    ...["-threads", "1", "-vsync", "passthrough", "-f", "framemd5", "-"],
  ]);
  const rows = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const cells = rows.map((row) => row.split(",").map((cell) => cell.trim()));
  return cells.map((row) => ({ time: Number(row[2]), hash: `${row[4]} ${row[5]}` }));
}

const fromFirst = (frames: readonly Frame[]) =>
  frames.map(({ time, hash }) => ({ time: time - frames[0]!.time, hash }));

/** Microseconds are what ffprobe prints. */
const near = 0.000_002;

const only = (packets: readonly Packet[], type: string) => packets.filter((packet) => packet.type === type);

function expectSamePackets(outer: readonly Packet[], inner: readonly Packet[]): void {
  const shown = (packets: readonly Packet[]) => packets.map(({ size, keyframe }) => ({ size, keyframe }));
  expect(shown(outer)).toEqual(shown(inner));
  const shift = outer[0]!.pts - inner[0]!.pts;
  for (const [i, packet] of outer.entries()) {
    expect(Math.abs(packet.pts - inner[i]!.pts - shift)).toBeLessThan(near);
    expect(Math.abs(packet.dts - inner[i]!.dts - shift)).toBeLessThan(near);
    const next = outer[i + 1];
    if (next !== undefined) expect(Math.abs(packet.dts + packet.duration - next.dts)).toBeLessThan(near);
  }
}

/** What does not depend on how the tracks lie to each other is tried with a few only: starting ffmpeg takes time. */
const triedFurther = ["H.264 with B-frames and AAC, delayed moov", "H.265 with AAC", "odd GOP and rates"];

interface Segment {
  inner: string;
  outer: string;
  inside: Packet[];
  outside: Packet[];
}

describe.each(Object.entries(recipes))("%s", (name, recipe) => {
  const file = name.replace(/[^a-zA-Z0-9]/g, "");
  const segments: Segment[] = [];
  let source: Packet[];
  beforeAll(async () => {
    const bytes = await recordStream(folder, recipe);
    const whole = join(folder, `${file}-source.mp4`);
    await writeFile(whole, bytes);
    source = await packetsOf(whole);
    const stream = splitStream(bytes);
    for (const [i, fragments] of cutIntoSegments(stream, 2).entries()) {
      const paths = await writeSegment(folder, `${file}-${i}`, stream.init, fragments);
      const [inside, outside] = await Promise.all([packetsOf(paths.inner), packetsOf(paths.outer)]);
      segments.push({ ...paths, inside, outside });
    }
  }, 60_000);

  test("the segments hold every packet of the source once", () => {
    expect(segments.length).toBeGreaterThan(1);
    for (const type of ["video", "audio"]) {
      const sizes = segments.flatMap(({ outside }) => only(outside, type).map((packet) => packet.size));
      expect(sizes).toEqual(only(source, type).map((packet) => packet.size));
    }
  });

  test("an ordinary player demultiplexes the same packets as a player of fragments", () => {
    for (const { inside, outside } of segments) {
      for (const type of ["video", "audio"]) {
        const [a, b] = [only(outside, type), only(inside, type)];
        if (b.length > 0) expectSamePackets(a, b);
        else expect(a).toEqual([]);
      }
      const starts = outside.filter((packet) => !packet.discarded).map((packet) => packet.pts);
      expect(Math.abs(Math.min(...starts))).toBeLessThan(near);
      expect(only(outside, "video").some((packet) => packet.discarded)).toBe(false);
    }
  });

  test("picture and sound are as far apart through both ways", () => {
    for (const { inside, outside } of segments) {
      if (only(inside, "audio").length === 0) continue;
      const apart = (packets: Packet[]) => only(packets, "audio")[0]!.pts - only(packets, "video")[0]!.pts;
      expect(Math.abs(apart(outside) - apart(inside))).toBeLessThan(near);
    }
  });

  test("every frame decodes to the same picture and sound", async () => {
    for (const { inner, outer, outside } of segments) {
      const [a, b] = await Promise.all([framesOf(outer, "v"), framesOf(inner, "v")]);
      expect(fromFirst(a)).toEqual(fromFirst(b));
      const sound = only(outside, "audio");
      if (sound.length === 0) continue;
      // ffmpeg drops what is before an edit list from an ordinary file only; there it is the encoder's priming.
      const priming = sound.filter((packet) => packet.discarded).length;
      const [c, d] = await Promise.all([framesOf(outer, "a"), framesOf(inner, "a")]);
      expect(fromFirst(c)).toEqual(fromFirst(d.slice(priming)));
    }
  }, 60_000);

  test("the index is in front, and init segment and fragments are found by byte range", async () => {
    for (const { inner, outer } of segments) {
      const bytes = await readFile(outer);
      expect([...readBoxes(bytes)].map((box) => box.type)).toEqual(["ftyp", "uuid", "moov", "mdat"]);
      const { initOffset, initSizeBytes, fragments } = await readArchiveFile(outer);
      const ranges = [{ offset: initOffset, sizeBytes: initSizeBytes }, ...fragments];
      const parts = ranges.map(({ offset, sizeBytes }) => bytes.subarray(offset, offset + sizeBytes));
      expect(Buffer.concat(parts)).toEqual(await readFile(inner));
      expect(fragments.every((fragment) => fragment.startsWithKeyframe && fragment.durationTicks > 0)).toBe(
        true,
      );
    }
  });

  if (!triedFurther.includes(name)) return;

  test("seeking finds the frame that is there", async () => {
    const { outer, outside } = segments[1]!;
    const frames = await framesOf(outer, "v");
    const shown = only(outside, "video").sort((a, b) => a.pts - b.pts);
    for (const part of [0.3, 0.9]) {
      const number = Math.floor(shown.length * part);
      const [found] = await framesOf(outer, "v", shown[number]!.pts - 0.001);
      expect(found?.hash).toBe(frames[number]!.hash);
    }
  }, 60_000);

  test("the payload is a fragmented MP4 with an index", async () => {
    const { outer, inside } = segments[1]!;
    const payload = join(folder, `${file}-payload.mp4`);
    await writeFile(payload, (await readFile(outer)).subarray((await readArchiveFile(outer)).initOffset));
    const packets = await packetsOf(payload);
    for (const type of ["video", "audio"]) {
      const times = (list: readonly Packet[]) =>
        only(list, type).map(({ pts, dts, size }) => ({ pts, dts, size }));
      expect(times(packets)).toEqual(times(inside));
    }
  });

  test("init segment and one fragment are enough for a picture", async () => {
    const { outer } = segments.at(-1)!;
    const bytes = await readFile(outer);
    const { initOffset, initSizeBytes, fragments } = await readArchiveFile(outer);
    const { offset, sizeBytes } = fragments.at(-1)!;
    const alone = join(folder, `${file}-alone.mp4`);
    const init = bytes.subarray(initOffset, initOffset + initSizeBytes);
    await writeFile(alone, Buffer.concat([init, bytes.subarray(offset, offset + sizeBytes)]));
    expect((await framesOf(alone, "v")).length).toBeGreaterThan(0);
  });
});
