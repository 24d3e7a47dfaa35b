import { describe, expect, test } from "bun:test";
import { LiveRing } from "../../../../src/hub/live/hls/live-ring.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { checkReload, readHlsPlaylist } from "../../../support/hls-validator.ts";
import { liveFragment, liveInit, noFragment } from "../../../support/live-fragments.ts";

const startMs = Date.parse("2026-05-01T10:00:00Z");

/** A ring, and the camera that fills it: fragments come when they are over. */
function setUp(options: { maxBytes?: number; budget?: number; nextSequence?: number } = {}) {
  const { maxBytes = 1e9, budget = 1e9, nextSequence = 100 } = options;
  const clock = new FakeClock(startMs);
  let reserved = 0;
  const ring = new LiveRing({
    ...{ cameraId: "cam01", clock, maxBytes },
    numbers: { nextSequence, discontinuities: 3 },
    reserve(bytes) {
      if (reserved + bytes > budget) return false;
      reserved += bytes;
      return true;
    },
    onNews: () => undefined,
  });
  let mediaSeconds = 0;
  const begin = (bytes = liveInit) => {
    mediaSeconds = 0;
    ring.onInit({ codecs: "avc1.64001f", width: 640, height: 360, bytes });
  };
  const give = (seconds = 1, { keyframe = true, skipSeconds = 0, sampleBytes = 100 } = {}) => {
    clock.advance((seconds + skipSeconds) * 1000);
    mediaSeconds += skipSeconds;
    ring.onFragment(liveFragment({ startSeconds: mediaSeconds, seconds, keyframe, sampleBytes }), keyframe);
    mediaSeconds += seconds;
  };
  const read = () => readHlsPlaylist(ring.playlist());
  return { ring, clock, begin, give, read, reserved: () => reserved };
}

describe("the playlist of what a camera gives", () => {
  test("slides over the newest fragments, and every answer follows from the one before", () => {
    const { ring, begin, give, read } = setUp();
    begin();
    for (let i = 0; i < 3; i++) give();
    let before = read();
    expect(before.parts.map(({ uri }) => uri)).toEqual(
      [100, 101, 102].map((sequence) => `/api/cameras/cam01/live/${sequence}.m4s`),
    );
    expect(before.isIndependent).toBe(true);
    expect(before.parts[0]?.dateMs).toBe(startMs);
    for (let i = 0; i < 40; i++) {
      give();
      const after = read();
      checkReload(before, after);
      before = after;
    }
    expect(before.parts.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 8 }, (_, i) => 135 + i),
    );
    expect(before.parts[0]?.map.uri).toBe("/api/cameras/cam01/live/init-100.mp4");
    // What left the playlist can still be fetched by who read it just before.
    expect(ring.bytesOf("126.m4s")?.byteLength).toBeGreaterThan(1000);
    expect(ring.bytesOf("125.m4s")).toBeUndefined();
    expect(ring.bytesOf("init-100.mp4")).toEqual(liveInit);
    expect(ring.bytesOf("init-101.mp4")).toBeUndefined();
  });

  test("a new run is a discontinuity with its own map; when it has slid out it is counted", () => {
    const { ring, begin, give, read } = setUp();
    begin();
    for (let i = 0; i < 4; i++) give();
    begin();
    for (let i = 0; i < 2; i++) give();
    let before = read();
    expect(before.parts.map((part) => part.discontinuities)).toEqual([4, 4, 4, 4, 5, 5]);
    expect(before.parts.map((part) => part.isDiscontinuous)).toEqual([
      false,
      false,
      false,
      false,
      true,
      false,
    ]);
    expect(before.parts[4]?.map.uri).toEndWith("/init-104.mp4");
    for (let i = 0; i < 12; i++) {
      give();
      const after = read();
      checkReload(before, after);
      before = after;
    }
    expect(before.parts[0]).toMatchObject({ discontinuities: 5, isDiscontinuous: false });
    expect(ring.bytesOf("init-104.mp4")).toEqual(liveInit);
  });

  test("a hole in a run is one, too, and what follows begins with a keyframe", () => {
    const { begin, give, read } = setUp();
    begin();
    give(1, { keyframe: false });
    give();
    give(1, { keyframe: false });
    give(1, { keyframe: false, skipSeconds: 2 });
    give();
    const { parts, isIndependent } = read();
    expect(isIndependent).toBe(false);
    expect(parts.map(({ discontinuities }) => discontinuities)).toEqual([4, 4, 5]);
    expect(parts.map(({ dateMs }) => dateMs - startMs)).toEqual([1000, 2000, 6000]);
  });

  test("dates are those of the quickest fragments, and follow a clock that drifts", () => {
    const { clock, begin, give, read } = setUp();
    begin();
    clock.advance(400);
    give();
    clock.advance(-400);
    for (let i = 0; i < 2; i++) give();
    expect(read().parts.map(({ dateMs }) => dateMs - startMs)[0]).toBe(400);
    begin();
    give();
    expect(read().parts.at(-1)?.dateMs).toBe(startMs + 3000);
  });

  test("the target duration is that of the longest", () => {
    const { begin, give, read } = setUp();
    begin();
    give(2.5);
    expect(read().targetSeconds).toBe(3);
    for (let i = 0; i < 10; i++) give(2.5);
    const { parts, targetSeconds } = read();
    expect({ targetSeconds, parts: parts.length }).toEqual({ targetSeconds: 3, parts: 5 });
  });
});

describe("a camera that stops", () => {
  test("because it is paused gives nothing any more, at once", () => {
    const { ring, begin, give, read } = setUp();
    begin();
    for (let i = 0; i < 5; i++) give();
    const [part] = read().parts;
    ring.onStopped();
    expect(() => ring.playlist()).toThrow("the camera is paused");
    expect(ring.bytesOf(`${part?.sequence}.m4s`)).toBeUndefined();
    begin();
    give();
    expect(read().parts).toHaveLength(1);
  });

  test("is told, not played on and on; what comes later is a playlist of its own", () => {
    const { ring, clock, begin, give, read } = setUp();
    expect(() => ring.playlist()).toThrow("gives no pictures");
    begin();
    for (let i = 0; i < 5; i++) give();
    ring.onAway("node node01 is not linked to this hub");
    expect(read().parts).toHaveLength(5);
    clock.advance(10_001);
    expect(() => ring.playlist()).toThrow("not linked");
    begin();
    give();
    expect(read().parts.map(({ sequence, discontinuities }) => [sequence, discontinuities])).toEqual([
      [105, 5],
    ]);
  });

  test.each([
    ["an init segment that is none", new TextEncoder().encode("init"), liveFragment({ startSeconds: 0 })],
    ["text in place of a fragment", liveInit, new TextEncoder().encode("fragment")],
    ["boxes that say nothing", liveInit, noFragment],
    [
      "a fragment and something behind it",
      liveInit,
      new Uint8Array([...liveFragment({ startSeconds: 0 }), 0]),
    ],
    ["a fragment that is cut off", liveInit, liveFragment({ startSeconds: 0 }).slice(0, -1)],
  ])("%s goes to nobody", (_, init, fragment) => {
    const { ring, begin, give, read, reserved } = setUp();
    begin(init);
    ring.onFragment(fragment, true);
    expect(() => ring.playlist()).toThrow("cannot be played");
    expect(reserved()).toBe(0);
    begin();
    give();
    expect(read().parts).toHaveLength(1);
  });
});

describe("memory", () => {
  test("of one camera is bounded: the oldest go first", () => {
    const { ring, begin, give, read, reserved } = setUp({ maxBytes: 3_500_000 });
    begin();
    for (let i = 0; i < 20; i++) give(1, { sampleBytes: 100_000 });
    expect(reserved()).toBeLessThan(3_500_000);
    expect(read().parts.map(({ sequence }) => sequence)).toEqual([117, 118, 119]);
    ring.clear();
    expect(reserved()).toBe(0);
  });

  test("what there is no room for at all leaves a hole", () => {
    const { begin, give, read, reserved } = setUp({ budget: 1_500_000 });
    begin();
    give();
    give(1, { sampleBytes: 200_000 });
    expect(reserved()).toBe(0);
    give();
    expect(read().parts.map(({ sequence, discontinuities }) => [sequence, discontinuities])).toEqual([
      [101, 5],
    ]);
  });
});
