import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type ParsedFragment, parseFragment } from "../../../src/common/mp4/fragment.ts";
import { parseInitSegment } from "../../../src/common/mp4/init-segment.ts";
import {
  audioEntry,
  type SyntheticSample,
  type SyntheticTraf,
  syntheticInit,
  syntheticMoof,
} from "./synthetic-stream.ts";

const nonSync = 0x10000;
const init = parseInitSegment(
  syntheticInit([
    { trackId: 1, kind: "video", defaults: [1, 3000, 500, nonSync] },
    { trackId: 9, kind: "text" },
    {
      ...{ trackId: 2, kind: "audio", timescale: 48_000, defaults: [1, 1024, 100, 0] },
      sampleEntry: audioEntry("Opus", new Uint8Array(0)),
    },
  ]),
);

/** Parses `trafs` with `dataBytes` of media data behind the `moof`. */
function parse(trafs: readonly SyntheticTraf[], dataBytes = 100_000): ParsedFragment & { dataStart: number } {
  const moof = syntheticMoof(trafs);
  const start = moof.length + 8;
  return { ...parseFragment(moof, init, { start, end: start + dataBytes }), dataStart: start };
}

const sample = (fields: Partial<SyntheticSample> = {}): SyntheticSample => ({
  ...{ duration: 3000, size: 10, flags: nonSync, compositionOffset: 0 },
  ...fields,
});

/** Offsets depend on the length of the `moof`, which does not depend on their values. */
function withDataOffset(make: (dataOffset: number) => SyntheticTraf[]): SyntheticTraf[] {
  return make(syntheticMoof(make(0)).length + 8);
}

describe("where a sample's fields come from", () => {
  test("trex, when nothing else says", () => {
    const trafs = withDataOffset((dataOffset) => [
      { trackId: 1, decodeTime: 90_000, runs: [{ samples: [sample(), sample()], dataOffset }] },
    ]);
    const fragment = parse(trafs);
    const [track] = fragment.tracks;
    expect([...track!.durations]).toEqual([3000, 3000]);
    expect([...track!.sizes]).toEqual([500, 500]);
    expect([...track!.sync]).toEqual([0, 0]);
    expect([...track!.offsets]).toEqual([fragment.dataStart, fragment.dataStart + 500]);
    expect(fragment).toMatchObject({
      videoDecodeTime: 90_000,
      videoDurationTicks: 6000,
      startsWithKeyframe: false,
      hasVideo: true,
    });
    expect(fragment.videoDurationMs).toBeCloseTo(66.667, 3);
  });

  test("tfhd before trex", () => {
    const trafs = withDataOffset((dataOffset) => [
      {
        ...{ trackId: 1, decodeTime: 0, defaultDuration: 1, defaultSize: 2, defaultFlags: 0 },
        runs: [{ samples: [sample()], dataOffset }],
      },
    ]);
    const [track] = parse(trafs).tracks;
    expect([track!.durations[0], track!.sizes[0], track!.sync[0]]).toEqual([1, 2, 1]);
  });

  test("first_sample_flags for the first sample only", () => {
    const trafs = withDataOffset((dataOffset) => [
      {
        ...{ trackId: 1, decodeTime: 0 },
        runs: [{ samples: [sample(), sample()], dataOffset, firstFlags: 0x2000000 }],
      },
    ]);
    const fragment = parse(trafs);
    expect([...fragment.tracks[0]!.sync]).toEqual([1, 0]);
    expect(fragment.startsWithKeyframe).toBe(true);
  });

  test("composition offsets are signed in both versions", () => {
    for (const version of [0, 1] as const) {
      const trafs = withDataOffset((dataOffset) => [
        {
          ...{ trackId: 1, decodeTime: 0 },
          runs: [
            {
              samples: [sample({ compositionOffset: -3000 })],
              dataOffset,
              version,
              own: { compositionOffset: true },
            },
          ],
        },
      ]);
      expect(parse(trafs).tracks[0]!.compositionOffsets[0]).toBe(-3000);
    }
  });
});

describe("where the data lies", () => {
  test("a run without an offset follows the run before", () => {
    const trafs = withDataOffset((dataOffset) => [
      {
        trackId: 1,
        decodeTime: 0,
        runs: [{ samples: [sample(), sample()], dataOffset }, { samples: [sample()] }],
      },
    ]);
    const { tracks, dataStart } = parse(trafs);
    expect([...tracks[0]!.offsets]).toEqual([dataStart, dataStart + 500, dataStart + 1000]);
  });

  test("runs of two tracks take turns", () => {
    const trafs = withDataOffset((at) => [
      {
        ...{ trackId: 1, decodeTime: 0 },
        runs: [
          { samples: [sample()], dataOffset: at },
          { samples: [sample()], dataOffset: at + 700 },
        ],
      },
      { trackId: 2, decodeTime: 7, runs: [{ samples: [sample(), sample()], dataOffset: at + 500 }] },
    ]);
    const { tracks, dataStart } = parse(trafs);
    expect(tracks.map((track) => track.trackId)).toEqual([1, 2]);
    expect([...tracks[0]!.offsets]).toEqual([dataStart, dataStart + 700]);
    expect([...tracks[1]!.offsets]).toEqual([dataStart + 500, dataStart + 600]);
    expect(tracks[1]!.baseDecodeTime).toBe(7);
  });

  test("without default-base-is-moof, a traf counts from the end of the one before", () => {
    const trafs = withDataOffset((at) => [
      {
        trackId: 1,
        decodeTime: 0,
        defaultBaseIsMoof: false,
        runs: [{ samples: [sample()], dataOffset: at }],
      },
      { trackId: 2, decodeTime: 0, defaultBaseIsMoof: false, runs: [{ samples: [sample()] }] },
    ]);
    const { tracks, dataStart } = parse(trafs);
    expect(tracks[1]!.offsets[0]).toBe(dataStart + 500);
  });

  test("tracks that are neither sound nor picture are left out", () => {
    const trafs = withDataOffset((at) => [
      { trackId: 9, decodeTime: 0, runs: [{ samples: [sample()], dataOffset: 1 }] },
      { trackId: 1, decodeTime: 0, runs: [{ samples: [sample()], dataOffset: at }] },
      { trackId: 2, decodeTime: 0, runs: [] },
    ]);
    expect(parse(trafs).tracks.map((track) => track.trackId)).toEqual([1]);
  });
});

test("a fragment with sound only has no video", () => {
  const trafs = withDataOffset((dataOffset) => [
    { trackId: 2, decodeTime: 0, runs: [{ samples: [sample()], dataOffset }] },
  ]);
  expect(parse(trafs)).toMatchObject({ hasVideo: false, startsWithKeyframe: false, videoDurationTicks: 0 });
});

test("samples are read as they were written, whatever the layout", () => {
  const field = fc.record({
    duration: fc.nat(100_000),
    size: fc.integer({ min: 1, max: 400 }),
    flags: fc.constantFrom(0, nonSync, 0x2000000),
    compositionOffset: fc.integer({ min: -90_000, max: 90_000 }),
  });
  const all = { duration: true, size: true, flags: true, compositionOffset: true };
  const runs = fc.array(fc.array(field, { maxLength: 20 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(runs, fc.nat(2 ** 40), fc.constantFrom(0, 1), (written, decodeTime, version) => {
      const samples = written.flat();
      fc.pre(samples.length > 0);
      const trafs = withDataOffset((dataOffset) => [
        {
          ...{ trackId: 1, decodeTime: version === 0 ? decodeTime % 2 ** 32 : decodeTime },
          decodeTimeVersion: version as 0 | 1,
          runs: written.map((list, i) => ({ samples: list, own: all, ...(i === 0 && { dataOffset }) })),
        },
      ]);
      const { tracks, dataStart } = parse(trafs);
      const track = tracks[0]!;
      expect(track.baseDecodeTime).toBe(trafs[0]!.decodeTime!);
      expect([...track.durations]).toEqual(samples.map((s) => s.duration));
      expect([...track.sizes]).toEqual(samples.map((s) => s.size));
      expect([...track.compositionOffsets]).toEqual(samples.map((s) => s.compositionOffset));
      expect([...track.sync]).toEqual(samples.map((s) => (s.flags & nonSync ? 0 : 1)));
      let offset = dataStart;
      for (const [i, { size }] of samples.entries()) {
        expect(track.offsets[i]).toBe(offset);
        offset += size;
      }
    }),
    { numRuns: 50 },
  );
});

describe("refused", () => {
  const one = (traf: Partial<SyntheticTraf>) =>
    withDataOffset((dataOffset) => [
      { trackId: 1, decodeTime: 0, runs: [{ samples: [sample()], dataOffset }], ...traf },
    ]);
  const cases: [string, SyntheticTraf[], string][] = [
    ["an absolute data offset", one({ baseDataOffset: 1000 }), "absolute data offsets"],
    ["a traf without a decode time", one({ decodeTime: undefined as never }), "no decode time"],
    ["a sample description that is not there", one({ descriptionIndex: 2 }), "no sample description 2"],
    [
      "data before the media data",
      one({ runs: [{ samples: [sample()], dataOffset: 8 }] }),
      "not in the media data",
    ],
    ["negative data", one({ runs: [{ samples: [sample()], dataOffset: -1 }] }), "not in the media data"],
    ["a sample that is too long", one({ defaultSize: 100_001 }), "not in the media data"],
    ["a sample of no bytes", one({ defaultSize: 0 }), "not in the media data"],
  ];
  test.each(cases)("%s", (_, trafs, message) => {
    expect(() => parse(trafs)).toThrow(message);
  });

  test("more samples than any GOP has, before memory is taken for them", () => {
    const moof = Buffer.from(syntheticMoof(one({})));
    moof.writeUInt32BE(0xffffffff, moof.indexOf("trun") + 8);
    const mdat = { start: moof.length + 8, end: moof.length + 1_000_000 };
    expect(() => parseFragment(moof, init, mdat)).toThrow("4294967295 samples");
  });
});
