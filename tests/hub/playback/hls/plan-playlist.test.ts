import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Video } from "../../../../src/hub/db/catalog.ts";
import { keepThoseAppended, planPlaylist } from "../../../../src/hub/playback/hls/plan-playlist.ts";
import { sampleVideo } from "../../../support/sample-videos.ts";

const startMs = Date.UTC(2025, 8, 23, 6, 30);

/** A video of three parts of 6, 6 and 3 s, `atSeconds` into the day, whose run is that far already. */
function indexed(atSeconds: number, runId: string, runSeconds = atSeconds) {
  const video: Video = {
    ...sampleVideo({ startTimeMs: startMs + atSeconds * 1000, durationMs: 15_000, runId }),
    ...{ createdAtMs: 0, status: "available", notes: "" },
  };
  const parts = {
    init: { start: 0, end: 10 },
    firstOffset: 10,
    sizesBytes: Uint32Array.of(100, 100, 50),
    durationsTicks: Float64Array.of(6_000, 6_000, 3_000),
    timescale: 1_000,
    leadTicks: 0,
    startTicks: runSeconds * 1000,
    endTicks: (runSeconds + 15) * 1000,
    areIndependent: true,
  };
  return { video, parts, lines: "" };
}
const all = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
const at = (seconds: number) => startMs + seconds * 1000;

describe("a range", () => {
  const cut = (fromMs: number, toMs: number) =>
    planPlaylist([indexed(0, "a")], { fromMs, toMs }).map(({ firstPart, endPart, startTimeMs }) => [
      firstPart,
      endPart,
      (startTimeMs - startMs) / 1000,
    ]);
  const cases: [from: number, to: number, expected: number[][]][] = [
    [0, 15, [[0, 3, 0]]],
    [-100, 100, [[0, 3, 0]]],
    [6, 12, [[1, 2, 6]]],
    [5.999, 12.001, [[0, 3, 0]]],
    [7, 8, [[1, 2, 6]]],
    [14.9, 15, [[2, 3, 12]]],
    [15, 20, []],
    [-5, 0, []],
  ];
  for (const [from, to, expected] of cases) {
    test(`${from} to ${to}`, () => expect(cut(at(from), at(to))).toEqual(expected));
  }
});

describe("a discontinuity", () => {
  const marks = (...videos: ReturnType<typeof indexed>[]) =>
    planPlaylist(videos, all).map(({ isDiscontinuous }) => isDiscontinuous);
  test("is not between segments of a run that follow each other", () => {
    expect(marks(indexed(0, "a"), indexed(15, "a"), indexed(30, "a"))).toEqual([false, false, false]);
  });
  test("is not where the clock was stepped and the recording went on", () => {
    expect(marks(indexed(0, "a"), indexed(3_600, "a", 15))).toEqual([false, false]);
  });
  test("is where another run begins, be its times as they may", () => {
    expect(marks(indexed(0, "a"), indexed(15, "b"))).toEqual([false, true]);
  });
  test("is where a segment of the run is not there", () => {
    expect(marks(indexed(0, "a"), indexed(30, "a"))).toEqual([false, true]);
    expect(marks(indexed(0, "a"), indexed(15.05, "a"))).toEqual([false, false]);
    expect(marks(indexed(0, "a"), indexed(15.2, "a"))).toEqual([false, true]);
  });
  test("is where the clock went back and the range leaves out the parts between", () => {
    // The second lies before the first by the wall clock; of the first only the beginning is in the range.
    const entries = planPlaylist([indexed(0, "a"), indexed(-10, "a", 15)], { fromMs: at(-20), toMs: at(2) });
    expect(
      entries.map(({ firstPart, endPart, isDiscontinuous }) => [firstPart, endPart, isDiscontinuous]),
    ).toEqual([
      [0, 1, false],
      [0, 2, true],
    ]);
  });
});

describe("a playlist that grows", () => {
  const video = (startTimeMs: number, createdAtMs: number): Video => ({
    ...sampleVideo({ startTimeMs }),
    ...{ createdAtMs, status: "available", notes: "" },
  });
  test("leaves out what comes late", () => {
    const [a, b, late] = [video(0, 10), video(600, 20), video(300, 30)];
    expect(keepThoseAppended([a, late, b])).toEqual([a, b]);
  });
  test("has what it had before, and more at its end", () => {
    const arrivals = fc.array(fc.record({ start: fc.nat(50), wait: fc.nat(2) }), { maxLength: 30 });
    fc.assert(
      fc.property(arrivals, fc.nat(30), (given, count) => {
        let createdAtMs = 0;
        const videos = given.map(({ start, wait }) => {
          createdAtMs += wait * 1000;
          return video(start, createdAtMs);
        });
        // A batch is announced at once: an answer has all of it or nothing.
        const whole = videos.findIndex(
          (one, i) => i >= count && one.createdAtMs !== videos[i - 1]?.createdAtMs,
        );
        const earlier = keepThoseAppended(whole === -1 ? videos : videos.slice(0, whole));
        expect(keepThoseAppended(videos).slice(0, earlier.length)).toEqual(earlier);
      }),
    );
  });
});
