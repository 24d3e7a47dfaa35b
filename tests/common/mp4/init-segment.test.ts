import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FieldWriter, latin1, u32s, writeBox, writeFullBox } from "../../../src/common/mp4/box-writer.ts";
import { parseInitSegment } from "../../../src/common/mp4/init-segment.ts";
import { recipes, recordStream, run, splitStream } from "./sample-streams.ts";
import { audioEntry, avcC, type SyntheticTrack, syntheticInit, videoEntry } from "./synthetic-stream.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "livecam-init-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** General profile, tier and level at the start of an HEVCDecoderConfigurationRecord. */
function hvcC(profile: number, compatibility: number, constraints: number[], level: number): Uint8Array {
  const record = new Uint8Array(23);
  record.set([1, profile], 0);
  new DataView(record.buffer).setUint32(2, compatibility);
  record.set(constraints, 6);
  record[12] = level;
  record[21] = 3;
  return writeBox("hvcC", record);
}

/** The descriptors of an AAC sample entry around its AudioSpecificConfig. */
function esds(objectType: number, config: number[]): Uint8Array {
  const specific = [0x05, config.length, ...config];
  // A size may take four bytes, as ffmpeg writes it.
  const decoder = [
    0x04,
    0x80,
    0x80,
    0x80,
    13 + specific.length,
    objectType,
    0x15,
    ...Array(11).fill(0),
    ...specific,
  ];
  const stream = [0x03, 0x80, 0x80, 0x80, 3 + decoder.length, 0, 2, 0, ...decoder];
  return writeFullBox("esds", 0, 0, Uint8Array.from(stream));
}

const video: SyntheticTrack = { trackId: 1, kind: "video" };

describe("codec names after RFC 6381", () => {
  test.each([
    ["avc1.64001f", videoEntry("avc1", writeBox("avcC", avcC))],
    ["avc3.42e01e", videoEntry("avc3", writeBox("avcC", Uint8Array.of(1, 0x42, 0xe0, 0x1e, 0xff, 0xe0, 0)))],
    // The example of ISO/IEC 14496-15 Annex E.3.
    ["hev1.1.6.L93.B0", videoEntry("hev1", hvcC(0x01, 0x60000000, [0xb0, 0, 0, 0, 0, 0], 93))],
    ["hvc1.A4.41.H120.B0.23", videoEntry("hvc1", hvcC(0x64, 0x82000000, [0xb0, 0x23, 0, 0, 0, 0], 120))],
    ["hvc1.2.4.L153", videoEntry("hvc1", hvcC(0x02, 0x20000000, [0, 0, 0, 0, 0, 0], 153))],
    ["av01", videoEntry("av01", writeBox("av1C", new Uint8Array(4)))],
  ])("%s", (codec, sampleEntry) => {
    const init = parseInitSegment(syntheticInit([{ ...video, sampleEntry }]));
    expect(init.video.codec).toBe(codec);
    expect(init.codec).toBe(codec);
    expect(init.video.width).toBe(1920);
    expect(init.video.height).toBe(1080);
    expect(init.video.nalLengthBytes).toBe(codec === "av01" ? 0 : 4);
  });

  test.each([
    ["mp4a.40.2", audioEntry("mp4a", esds(0x40, [0x11, 0x90]))],
    ["mp4a.40.5", audioEntry("mp4a", esds(0x40, [0x2b, 0x92, 0x08, 0x00]))],
    ["mp4a.40.42", audioEntry("mp4a", esds(0x40, [0xf9, 0x46, 0x40]))],
    ["mp4a.6b", audioEntry("mp4a", esds(0x6b, []))],
    ["Opus", audioEntry("Opus", writeBox("dOps", new Uint8Array(11)))],
  ])("%s", (codec, sampleEntry) => {
    const init = parseInitSegment(syntheticInit([video, { trackId: 2, kind: "audio", sampleEntry }]));
    expect(init.audio?.codec).toBe(codec);
    expect(init.codec).toBe(`avc1.64001f,${codec}`);
  });

  test("the same as ffmpeg finds", async () => {
    const { init } = splitStream(await recordStream(folder, recipes["H.264 with B-frames and AAC"]!));
    const source = join(folder, "init.mp4");
    await writeFile(source, init.bytes);
    const stream = await recordStream(folder, recipes["H.264 with B-frames and AAC"]!);
    await writeFile(source, stream);
    const manifest = join(folder, "manifest.mpd");
    await run(["ffmpeg", "-v", "error", "-nostdin", "-i", source, "-c", "copy", "-f", "dash", manifest]);
    const codecs = [...(await readFile(manifest, "utf8")).matchAll(/codecs="([^"]+)"/g)].map(
      (match) => match[1],
    );
    expect(codecs.join(",")).toBe(init.codec);
  });

  test("H.265 as x265 makes it", async () => {
    const { init } = splitStream(await recordStream(folder, recipes["H.265 with AAC"]!));
    expect(init.codec).toMatch(/^hvc1\.1\.6\.L\d+\.90,mp4a\.40\.2$/);
  });
});

test("what a track says is read", () => {
  const edits = writeFullBox("elst", 0, 0, u32s(2, 66, 0xffffffff, 0x10000, 0, 2048, 0x10000));
  const init = parseInitSegment(
    syntheticInit([
      { trackId: 9, kind: "text" },
      { trackId: 4, kind: "video", timescale: 15_360, defaults: [1, 512, 7, 0x10000], edits },
    ]),
  );
  expect(init.movieTimescale).toBe(1000);
  expect(init.tracks.length).toBe(1);
  expect(init.audio).toBeUndefined();
  expect(init.video).toMatchObject({
    ...{ trackId: 4, kind: "video", timescale: 15_360, mediaTime: 2048, emptyEditDuration: 66 },
    sampleDefaults: { sampleDescriptionIndex: 1, durationTicks: 512, sizeBytes: 7, flags: 0x10000 },
    packedLanguage: 0x55c4,
  });
});

test("edit lists of version 1 are read", () => {
  const entries = new FieldWriter(4 + 20).u32(1).u64(1000).u64(4096).u32(0x10000);
  const edits = writeFullBox("elst", 1, 0, entries.bytes);
  const init = parseInitSegment(syntheticInit([{ ...video, edits }]));
  expect([init.video.mediaTime, init.video.emptyEditDuration]).toEqual([4096, 0]);
});

describe("refused", () => {
  const whole = Buffer.from(syntheticInit([video]));
  const ftyp = writeBox("ftyp", latin1("isom"), u32s(0x200));
  const without = (type: string) => {
    const bytes = Buffer.from(whole);
    bytes.write("free", bytes.indexOf(type));
    return bytes;
  };
  const changed = (type: string, offset: number, value: number) => {
    const bytes = Buffer.from(whole);
    bytes.writeUInt32BE(value, bytes.indexOf(type) + 4 + offset);
    return bytes;
  };
  test.each([
    ["no bytes", new Uint8Array(0), "cut off"],
    ["no ftyp", whole.subarray(whole.indexOf("moov") - 4), 'starts with "ftyp"'],
    ["no moov", ftyp, 'no "moov"'],
    ["no mvex", without("mvex"), "not a fragmented MP4"],
    ["no trex", without("trex"), 'track 1 has no "trex"'],
    ["no video track", syntheticInit([{ trackId: 1, kind: "text" }]), "no video track"],
    [
      "only sound",
      syntheticInit([{ trackId: 1, kind: "audio", sampleEntry: audioEntry("Opus", u32s()) }]),
      "no video",
    ],
    ["one id twice", syntheticInit([video, video]), "two tracks have the id 1"],
    [
      "17 tracks",
      syntheticInit(Array.from({ length: 17 }, (_, i) => ({ ...video, trackId: i }))),
      "more than 16",
    ],
    ["time scale 0", changed("mdhd", 12, 0), "time scale 0"],
    ["no sample entry", changed("stsd", 4, 0), "0 entries"],
    ["a billion sample entries", changed("stsd", 4, 1e9), "1000000000 entries"],
    ["no avcC", without("avcC"), 'no "avcC"'],
    [
      "an avcC that is cut off",
      syntheticInit([{ ...video, sampleEntry: videoEntry("avc1", writeBox("avcC")) }]),
      "past",
    ],
    [
      "an edit list that goes on for ever",
      syntheticInit([
        { ...video, edits: writeFullBox("elst", 0, 0, u32s(0xffffffff, 1, 0xffffffff, 0x10000)) },
      ]),
      "past the end of its box",
    ],
  ])("%s", (_, bytes, message) => {
    expect(() => parseInitSegment(bytes)).toThrow(message);
  });

  test("every shorter piece of it", () => {
    for (let length = 0; length < whole.length; length++) {
      expect(() => parseInitSegment(whole.subarray(0, length))).toThrow();
    }
  });
});
