import { describe, expect, test } from "bun:test";
import { planArchiveFile } from "../../../src/common/mp4/archive-file.ts";
import { u32s, writeFullBox } from "../../../src/common/mp4/box-writer.ts";
import { readBox } from "../../../src/common/mp4/boxes.ts";
import { planEdits } from "../../../src/common/mp4/edit-plan.ts";
import type { ParsedFragment, TrackFragment } from "../../../src/common/mp4/fragment.ts";
import { parseInitSegment } from "../../../src/common/mp4/init-segment.ts";
import { SegmentIndex } from "../../../src/common/mp4/segment-index.ts";
import { maxReferences, parseSidx, planSubsegments, writeSidx } from "../../../src/common/mp4/sidx.ts";
import { identityFor } from "./sample-streams.ts";
import { audioEntry, syntheticInit } from "./synthetic-stream.ts";

const init = parseInitSegment(
  syntheticInit([
    { trackId: 1, kind: "video", timescale: 90_000 },
    { trackId: 2, kind: "audio", timescale: 48_000, sampleEntry: audioEntry("Opus", new Uint8Array(0)) },
  ]),
);

interface Samples {
  trackId?: number;
  decodeTime: number;
  durations: number[];
  sizes?: number[];
  compositionOffsets?: number[];
  firstOffset?: number;
  offsets?: number[];
}

function trackFragment(samples: Samples): TrackFragment {
  const count = samples.durations.length;
  const sizes = samples.sizes ?? Array(count).fill(100);
  const first = samples.firstOffset ?? 1000;
  const offsets =
    samples.offsets ?? sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, first));
  return {
    trackId: samples.trackId ?? 1,
    sampleDescriptionIndex: 1,
    baseDecodeTime: samples.decodeTime,
    durationTicks: samples.durations.reduce((sum, duration) => sum + duration, 0),
    sampleCount: count,
    durations: Uint32Array.from(samples.durations),
    sizes: Uint32Array.from(sizes),
    compositionOffsets: Int32Array.from(samples.compositionOffsets ?? Array(count).fill(0)),
    sync: Uint8Array.from(samples.durations, (_, i) => (i === 0 ? 1 : 0)),
    offsets: Uint32Array.from(offsets),
  };
}

function fragment(...tracks: Samples[]): ParsedFragment {
  const parsed = tracks.map(trackFragment);
  const video = parsed.find((track) => track.trackId === 1);
  return {
    sequenceNumber: 1,
    sizeBytes: 10_000,
    tracks: parsed,
    hasVideo: video !== undefined,
    startsWithKeyframe: video !== undefined,
    videoDecodeTime: video?.baseDecodeTime ?? 0,
    videoDurationTicks: video?.durationTicks ?? 0,
    videoDurationMs: (video?.durationTicks ?? 0) / 90,
  };
}

function indexOf(...fragments: ParsedFragment[]): SegmentIndex {
  const index = new SegmentIndex(init);
  for (const each of fragments) index.addFragment(each);
  return index;
}

describe("samples", () => {
  test("are counted and timed", () => {
    const index = indexOf(
      fragment({ decodeTime: 900_000, durations: [3000, 3000, 3000] }),
      fragment({ decodeTime: 909_000, durations: [3000, 3003] }),
    );
    expect(index).toMatchObject({
      ...{ fragmentCount: 2, fragmentsSizeBytes: 20_000, sampleCount: 5 },
      ...{ firstDecodeTime: 900_000, endDecodeTime: 915_003, durationMs: 167, fps: 29.994 },
    });
  });

  test("that lie together are one chunk, but never across fragments", () => {
    const index = indexOf(
      fragment({ decodeTime: 0, durations: [1, 1, 1], offsets: [1000, 1100, 5000] }),
      fragment({ decodeTime: 3, durations: [1], firstOffset: 0 }),
    );
    expect([...index.video.chunkSampleCounts.view()]).toEqual([2, 1, 1]);
    expect([...index.video.chunkOffsets.view()]).toEqual([1000, 5000, 10_000]);
  });

  test("before a hole last until it ends", () => {
    const index = indexOf(
      fragment({ decodeTime: 0, durations: [10, 10] }),
      fragment({ decodeTime: 70, durations: [10] }),
    );
    expect([...index.video.durations.view()]).toEqual([10, 60, 10]);
    expect(index.endDecodeTime).toBe(80);
  });

  test("that were too long are cut where the next begins", () => {
    const index = indexOf(
      fragment({ decodeTime: 0, durations: [10, 10] }),
      fragment({ decodeTime: 13, durations: [10] }),
    );
    expect([...index.video.durations.view()]).toEqual([10, 3, 10]);
  });

  test("that go back are refused, and nothing is changed", () => {
    const index = indexOf(
      fragment({ decodeTime: 100, durations: [10, 10] }, { trackId: 2, decodeTime: 0, durations: [9] }),
    );
    const before = JSON.stringify([
      index.sampleCount,
      index.fragmentsSizeBytes,
      [...index.video.durations.view()],
    ]);
    const bad: [ParsedFragment, string][] = [
      [fragment({ decodeTime: 109, durations: [10] }), "goes back"],
      // The video would follow, the sound does not.
      [
        fragment({ decodeTime: 120, durations: [10] }, { trackId: 2, decodeTime: -1, durations: [1] }),
        "goes back",
      ],
      [fragment({ decodeTime: 120, durations: [10] }, { decodeTime: 119, durations: [1] }), "goes back"],
      [fragment({ decodeTime: 2 ** 33, durations: [10] }), "too long"],
      [fragment({ decodeTime: Number.MAX_SAFE_INTEGER, durations: [10] }), "too long|out of range"],
      [fragment({ trackId: 7, decodeTime: 120, durations: [10] }), "no track 7"],
    ];
    for (const [each, message] of bad) {
      expect(() => index.addFragment(each)).toThrow(new RegExp(message));
      expect(
        JSON.stringify([index.sampleCount, index.fragmentsSizeBytes, [...index.video.durations.view()]]),
      ).toBe(before);
    }
    index.addFragment(fragment({ decodeTime: 120, durations: [10] }, { decodeTime: 130, durations: [10] }));
    expect(index.endDecodeTime).toBe(140);
  });
});

describe("edits", () => {
  const edits = (...fragments: ParsedFragment[]) => {
    const plan = planEdits(indexOf(...fragments));
    return {
      movieTimescale: plan.movieTimescale,
      duration: plan.duration,
      tracks: plan.tracks.map(({ table, ...edit }) => ({ trackId: table.track.trackId, ...edit })),
    };
  };

  test("video alone starts at 0, whatever its decode and composition times are", () => {
    const plan = edits(
      fragment({
        decodeTime: 900_000,
        durations: [3000, 3000, 3000],
        compositionOffsets: [6000, 9000, 3000],
      }),
    );
    expect(plan).toEqual({
      movieTimescale: 90_000,
      duration: 12_000 - 3000,
      tracks: [{ trackId: 1, compositionShift: 0, emptyDuration: 0, mediaTime: 6000, duration: 9000 }],
    });
  });

  test("negative composition offsets are shifted", () => {
    const plan = edits(
      fragment({ decodeTime: 0, durations: [3000, 3000, 3000], compositionOffsets: [0, 3000, -3000] }),
    );
    expect(plan.tracks).toEqual([
      { trackId: 1, compositionShift: 3000, emptyDuration: 0, mediaTime: 3000, duration: 9000 },
    ]);
  });

  test("sound that starts later, or earlier, keeps its distance to the tick", () => {
    // LCM of 90,000 and 48,000 is 720,000. One second of video at 10 s; sound 100 of its ticks later, or earlier.
    const video = { decodeTime: 900_000, durations: [90_000] };
    const later = edits(fragment(video, { trackId: 2, decodeTime: 480_100, durations: [1000] }));
    expect(later.movieTimescale).toBe(720_000);
    expect(later.tracks.map((track) => track.emptyDuration)).toEqual([0, 100 * 15]);
    const earlier = edits(fragment(video, { trackId: 2, decodeTime: 479_900, durations: [1000] }));
    expect(earlier.tracks.map((track) => track.emptyDuration)).toEqual([100 * 15, 0]);
    expect(earlier.duration).toBe(720_000 + 1500);
  });

  test("what is before the start of the run is not presented", () => {
    const primed = parseInitSegment(
      syntheticInit([
        { trackId: 1, kind: "video", timescale: 90_000 },
        {
          ...{
            trackId: 2,
            kind: "audio",
            timescale: 48_000,
            sampleEntry: audioEntry("Opus", new Uint8Array(0)),
          },
          edits: writeFullBox("elst", 0, 0, u32s(1, 0, 1024, 0x10000)),
        },
      ]),
    );
    const plan = (decodeTimes: [video: number, audio: number]) => {
      const index = new SegmentIndex(primed);
      const video = { decodeTime: decodeTimes[0], durations: [90_000] };
      index.addFragment(
        fragment(video, { trackId: 2, decodeTime: decodeTimes[1], durations: [1024, 1024, 1024] }),
      );
      return planEdits(index).tracks.map(({ emptyDuration, mediaTime, duration }) => [
        emptyDuration,
        mediaTime,
        duration,
      ]);
    };
    expect(plan([0, 0])).toEqual([
      [0, 0, 720_000],
      [0, 1024, 2048 * 15],
    ]);
    // In the middle of the run nothing is left out: sound that starts 512 of its ticks early starts the movie.
    expect(plan([90_000, 48_000 + 512])).toEqual([
      [512 * 15, 0, 720_000],
      [0, 0, 3072 * 15],
    ]);
    // All of the sound is before the start: then that is where the movie starts.
    const before = parseInitSegment(
      syntheticInit([
        { trackId: 1, kind: "video", edits: writeFullBox("elst", 0, 0, u32s(1, 0, 90_000, 0x10000)) },
      ]),
    );
    const index = new SegmentIndex(before);
    index.addFragment(fragment({ decodeTime: 0, durations: [3000] }));
    expect(planEdits(index).tracks[0]).toMatchObject({ emptyDuration: 0, mediaTime: 0, duration: 3000 });
  });

  test("a track without samples is left out", () => {
    expect(edits(fragment({ decodeTime: 0, durations: [1] })).tracks.length).toBe(1);
  });
});

describe("subsegments", () => {
  test("start where their earliest picture is shown and last to the next", () => {
    const gop = { durations: [10, 10, 10], compositionOffsets: [20, 30, 10] };
    const index = indexOf(fragment({ decodeTime: 100, ...gop }), fragment({ decodeTime: 130, ...gop }));
    expect(planSubsegments(index)).toEqual([
      { sizeBytes: 10_000, startTicks: 120, durationTicks: 30, startsWithKeyframe: true, closed: true },
      { sizeBytes: 10_000, startTicks: 150, durationTicks: 30, startsWithKeyframe: true, closed: true },
    ]);
  });

  test("of an open GOP say that pictures come before the keyframe", () => {
    const index = indexOf(fragment({ decodeTime: 0, durations: [10, 10], compositionOffsets: [20, 0] }));
    const subsegments = planSubsegments(index);
    expect(subsegments[0]).toMatchObject({ startTicks: 10, closed: false });
    const bytes = writeSidx(index.video.track, subsegments);
    expect(parseSidx(bytes, readBox(bytes)).subsegments).toEqual(subsegments);
  });

  test("without video join the one before, and the first waits for video", () => {
    const sound = (decodeTime: number) => fragment({ trackId: 2, decodeTime, durations: [10] });
    const video = (decodeTime: number) => fragment({ decodeTime, durations: [10] });
    const index = indexOf(sound(0), video(0), sound(10), sound(20), video(10));
    expect(planSubsegments(index).map((each) => each.sizeBytes)).toEqual([40_000, 10_000]);
    expect(() => planSubsegments(indexOf(sound(0)))).toThrow("no video");
  });

  test("are taken together when there are more than an index can list", () => {
    const index = new SegmentIndex(init);
    const count = maxReferences + 1;
    for (let i = 0; i < count; i++) index.addFragment(fragment({ decodeTime: i * 10, durations: [10] }));
    const subsegments = planSubsegments(index);
    expect(subsegments.length).toBe(count / 2);
    expect(subsegments.every((each) => each.sizeBytes === 20_000 && each.durationTicks === 20)).toBe(true);
    const bytes = writeSidx(index.video.track, subsegments);
    expect(parseSidx(bytes, readBox(bytes))).toEqual({ trackId: 1, timescale: 90_000, subsegments });
  });
});

test("the front of a large segment is small, and its tables are compact", () => {
  const index = new SegmentIndex(init);
  // Ten minutes at 4 Mb/s: 300 MB, 30 frames and 47 packets of sound a second.
  for (let second = 0; second < 600; second++) {
    const video = {
      decodeTime: second * 90_000,
      durations: Array(30).fill(3000),
      sizes: Array(30).fill(16_000 + second),
    };
    const sound = {
      trackId: 2,
      decodeTime: second * 48_128,
      durations: Array(47).fill(1024),
      firstOffset: 490_000,
    };
    index.addFragment({ ...fragment(video, sound), sizeBytes: 500_000 });
  }
  const layout = planArchiveFile({ index, identity: identityFor(index, new Uint8Array(0)) });
  expect(layout.totalSizeBytes).toBeGreaterThan(300_000_000);
  expect(layout.totalSizeBytes).toBe(layout.fragmentsOffset + layout.fragmentsSizeBytes);
  expect(layout.front.length + layout.sidx.length).toBeLessThan(layout.totalSizeBytes * 0.001);
});
