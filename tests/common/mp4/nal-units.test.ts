import { describe, expect, test } from "bun:test";
import { u32s, writeBox } from "../../../src/common/mp4/box-writer.ts";
import type { Fragment } from "../../../src/common/mp4/fragment.ts";
import { parseFragment } from "../../../src/common/mp4/fragment.ts";
import { parseInitSegment } from "../../../src/common/mp4/init-segment.ts";
import { hasWholeSamples, looksLikeKeyframe } from "../../../src/common/mp4/nal-units.ts";
import { audioEntry, syntheticInit, syntheticMoof, videoEntry } from "./synthetic-stream.ts";

const hvcC = new Uint8Array(23).fill(3);
const inits = {
  avc: parseInitSegment(syntheticInit([{ trackId: 1, kind: "video" }])),
  hevc: parseInitSegment(
    syntheticInit([{ trackId: 1, kind: "video", sampleEntry: videoEntry("hvc1", writeBox("hvcC", hvcC)) }]),
  ),
  other: parseInitSegment(
    syntheticInit([{ trackId: 1, kind: "video", sampleEntry: videoEntry("av01", new Uint8Array(0)) }]),
  ),
};

/** A fragment of the given samples; the first is flagged as a keyframe or not. */
function fragmentOf(init: (typeof inits)["avc"], samples: readonly Uint8Array[], flagged = false): Fragment {
  const own = { size: true };
  const list = samples.map(({ length }) => ({
    duration: 1,
    size: length,
    flags: 0x10000,
    compositionOffset: 0,
  }));
  const make = (dataOffset: number) =>
    syntheticMoof([
      {
        ...{ trackId: 1, decodeTime: 0, defaultFlags: 0x10000 },
        runs: [{ samples: list, own, dataOffset, firstFlags: flagged ? 0 : 0x10000 }],
      },
    ]);
  const moof = make(make(0).length + 8);
  const bytes = Buffer.concat([moof, writeBox("mdat", ...samples)]);
  const data = { start: moof.length + 8, end: bytes.length };
  return { ...parseFragment(moof, init, data), bytes };
}

const nal = (header: number, length = 200) =>
  Buffer.concat([u32s(length), Uint8Array.of(header), new Uint8Array(length - 1).fill(7)]);
const avcNal = (type: number) => nal(0x60 | type);
const hevcNal = (type: number) => nal(type << 1);

describe("a keyframe is told by its NAL units", () => {
  test.each(Array.from({ length: 32 }, (_, type) => type))("H.264 type %d", (type) => {
    const fragment = fragmentOf(inits.avc, [Buffer.concat([avcNal(6), avcNal(type)]), avcNal(5)], type !== 5);
    expect(looksLikeKeyframe(fragment, inits.avc)).toBe(type === 5);
  });

  test.each(Array.from({ length: 64 }, (_, type) => type))("H.265 type %d", (type) => {
    const fragment = fragmentOf(inits.hevc, [Buffer.concat([hevcNal(39), hevcNal(type)])]);
    expect(looksLikeKeyframe(fragment, inits.hevc)).toBe(type >= 16 && type <= 21);
  });

  test("of other codecs by its flags", () => {
    for (const flagged of [true, false]) {
      const fragment = fragmentOf(inits.other, [nal(5)], flagged);
      expect(looksLikeKeyframe(fragment, inits.other)).toBe(flagged);
    }
  });

  test("not of damaged samples", () => {
    const tooLong = Buffer.concat([u32s(1000), Uint8Array.of(0x65)]);
    for (const sample of [new Uint8Array(50), tooLong, Uint8Array.of(0, 0, 0)]) {
      expect(looksLikeKeyframe(fragmentOf(inits.avc, [sample]), inits.avc)).toBe(false);
    }
  });
});

describe("samples are whole", () => {
  const whole = (samples: Uint8Array[]) => hasWholeSamples(fragmentOf(inits.avc, samples), inits.avc);

  test("when NAL units fill them", () => {
    expect(whole([Buffer.concat([avcNal(7), avcNal(5)]), avcNal(1)])).toBe(true);
    expect(whole([Buffer.concat([avcNal(5), new Uint8Array(3)])])).toBe(false);
    expect(whole([avcNal(5), avcNal(1).subarray(0, 100)])).toBe(false);
    expect(whole([avcNal(5), new Uint8Array(100)])).toBe(false);
  });

  test("when they do not end in many zeros; a few may be padding", () => {
    const endingIn = (zeros: number) =>
      Buffer.concat([avcNal(5).subarray(0, 204 - zeros), new Uint8Array(zeros)]);
    expect(whole([endingIn(10)])).toBe(true);
    expect(whole([endingIn(64)])).toBe(false);
  });

  test("unless sound that cannot be silence is all zeros", () => {
    for (const [type, isWhole] of [["mp4a", false] as const, ["twos", true] as const]) {
      const esds = Uint8Array.of(0, 0, 0, 0, 3, 20, 0, 0, 0, 4, 15, 0x6b, ...Array(12).fill(0));
      const init = parseInitSegment(
        syntheticInit([
          { trackId: 2, kind: "video" },
          { trackId: 1, kind: "audio", sampleEntry: audioEntry(type, writeBox("esds", esds)) },
        ]),
      );
      expect(hasWholeSamples(fragmentOf(init, [new Uint8Array(80)]), init)).toBe(isWhole);
      expect(hasWholeSamples(fragmentOf(init, [new Uint8Array(80).fill(1)]), init)).toBe(true);
    }
  });
});
