import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { givenMany, recorderBench, wall0 } from "../../support/recorder-bench.ts";

const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

describe("a recorder cuts", () => {
  test("at the first keyframe at or after each boundary, and each end is the next one's start", async () => {
    const setup = recorderBench();
    setup.recorder.start();
    await setup.begin();
    await givenMany(setup, 30);
    const path = await setup.recorder.stop();
    const { segments } = setup.sink;
    // Fragments start at :03.370, :04.370 …: what arrival adds to the media is counted as delay.
    expect(segments.map(({ start }) => iso(start.startTimeMs))).toEqual([
      "2025-09-23T06:30:03.370Z",
      "2025-09-23T06:30:10.370Z",
      "2025-09-23T06:30:20.370Z",
      "2025-09-23T06:30:30.370Z",
    ]);
    expect(segments.map(({ fragments }) => fragments.length)).toEqual([7, 10, 10, 3]);
    expect(segments.map(({ end }) => iso(end?.endTimeMs))).toEqual([
      "2025-09-23T06:30:10.370Z",
      "2025-09-23T06:30:20.370Z",
      "2025-09-23T06:30:30.370Z",
      "2025-09-23T06:30:33.370Z",
    ]);
    expect(segments.map(({ end }) => end?.endReason)).toEqual([
      "boundary",
      "boundary",
      "boundary",
      "stopped",
    ]);
    expect(segments.map(({ start }) => start.sequence)).toEqual([0, 1, 2, 3]);
    expect(new Set(segments.map(({ start }) => start.runId)).size).toBe(1);
    expect(segments[1]?.end).toMatchObject({ durationMs: 10_000, fps: 25, clockState: "synced" });
    expect(segments[0]?.start).toMatchObject({
      ...{ cameraId: "cam01", nodeId: "node01", timeZone: "Asia/Seoul", width: 640, height: 360 },
      ...{ codec: "avc1.64001f", clockState: "synced", softwareVersion: "0.0.0-test" },
    });
    expect(path).toBe(`/spool/${segments[3]?.start.videoId}.mp4`);
    expect(setup.recorder.status()).toMatchObject({ state: "stopped", closedSegments: 4, lostFragments: 0 });
  });

  test("never in the middle of a GOP, however long it is", async () => {
    const setup = recorderBench({ segmentSeconds: 5 });
    setup.recorder.start();
    await setup.begin();
    await setup.give({ durationMs: 1000 });
    for (let i = 0; i < 4; i++) await setup.give({ durationMs: 1000, keyframe: false });
    await setup.give({ durationMs: 7000 });
    await setup.give({ durationMs: 7000 });
    await setup.recorder.stop();
    expect(setup.sink.segments.map(({ fragments }) => fragments.length)).toEqual([5, 1, 1]);
    expect(setup.sink.segments.map(({ end }) => end?.durationMs)).toEqual([5000, 7000, 7000]);
  });

  test("with the last fragment before the boundary: nobody waits for the next one", async () => {
    const setup = recorderBench();
    setup.recorder.start();
    await setup.begin();
    await givenMany(setup, 7);
    const [first] = setup.sink.segments;
    expect(first?.end).toMatchObject({ endReason: "boundary", durationMs: 7000 });
    expect(iso(first?.end?.endTimeMs)).toBe("2025-09-23T06:30:10.370Z");
    expect(setup.recorder.status()).toMatchObject({
      state: "recording",
      closedSegments: 1,
      sequence: undefined,
    });
    // However late the next is, it begins where the last one ended.
    await setup.give({ lateMs: 1500 });
    expect(setup.sink.segments[1]?.start).toMatchObject({
      ...{ startTimeMs: first?.end?.endTimeMs, runId: first?.start.runId, sequence: 1 },
    });
  });

  test("not early where the clock was set: the next fragment begins the time as it is now", async () => {
    const setup = recorderBench();
    setup.recorder.start();
    await setup.begin();
    await givenMany(setup, 7);
    setup.clock.step(3_600_000);
    await givenMany(setup, 2);
    const [first, second] = setup.sink.segments;
    expect(first?.end?.endReason).toBe("boundary");
    expect(second?.start.startTimeMs).toBe(Date.parse("2025-09-23T07:30:10.370Z"));
    expect(second?.start.runId).not.toBe(first?.start.runId);
    expect(second?.start.sequence).toBe(0);
  });

  test("and what was told or happened before the next fragment leaves no half-begun segment", async () => {
    const setup = recorderBench();
    setup.recorder.start();
    await setup.begin();
    await givenMany(setup, 7);
    expect(await setup.recorder.stop()).toBeUndefined();
    setup.recorder.start();
    await setup.give();
    // Another run: there may be a hole before it.
    expect(setup.sink.segments.map(({ start }) => start.sequence)).toEqual([0, 0]);
    expect(new Set(setup.sink.segments.map(({ start }) => start.runId)).size).toBe(2);
  });

  const fragments = (keyframe: fc.Arbitrary<boolean>) =>
    fc.array(
      fc.record({
        durationMs: fc.integer({ min: 40, max: 4000 }),
        keyframe,
        lateMs: fc.integer({ min: 0, max: 3000 }),
      }),
      { maxLength: 80 },
    );
  const segmentSeconds = fc.constantFrom(2, 5, 10, 60);
  const shiftMs = fc.integer({ min: 0, max: 86_400_000 });

  const recorded = async (given: { keyframe: boolean }[], segmentSeconds: number, shiftMs: number) => {
    const setup = recorderBench({ segmentSeconds }, wall0 + shiftMs);
    setup.recorder.start();
    await setup.begin();
    const all = [(await setup.give({ lateMs: 2000 })).bytes];
    for (const fragment of given) all.push((await setup.give(fragment)).bytes);
    await setup.recorder.onRunEnd("the source ended");
    return { all, segments: setup.sink.segments, lost: setup.recorder.status().lostFragments };
  };

  test("keeps every fragment, once and in order, with no hole between segments", async () => {
    await fc.assert(
      fc.asyncProperty(fragments(fc.constant(true)), segmentSeconds, shiftMs, async (...given) => {
        const { all, segments } = await recorded(...given);
        const kept = segments.flatMap((segment) => segment.fragments);
        expect(kept.length).toBe(all.length);
        expect(kept.every((bytes, i) => bytes === all[i])).toBe(true);
        for (const [i, segment] of segments.entries()) {
          const next = segments[i + 1];
          if (next) expect(segment.end?.endTimeMs).toBe(next.start.startTimeMs);
          expect(segment.end?.endTimeMs).toBeGreaterThan(segment.start.startTimeMs);
          expect(segment.start.sequence).toBe(i);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("never begins a segment without a keyframe, and counts what it has no place for", async () => {
    await fc.assert(
      fc.asyncProperty(fragments(fc.boolean()), segmentSeconds, shiftMs, async (given, ...rest) => {
        const { all, segments, lost } = await recorded(given, ...rest);
        const kept = segments.flatMap((segment) => segment.fragments);
        expect(kept.length + lost).toBe(all.length);
        expect(kept).toEqual(all.filter((bytes) => kept.includes(bytes)));
        const isKeyframe = [true, ...given.map(({ keyframe }) => keyframe)];
        for (const segment of segments) {
          expect(isKeyframe[all.indexOf(segment.fragments[0]!)]).toBe(true);
          const next = segments[segments.indexOf(segment) + 1];
          if (next?.start.runId === segment.start.runId)
            expect(segment.end?.endTimeMs).toBe(next.start.startTimeMs);
        }
        // Only once is a fragment taken by surprise; then until the next keyframe.
        const firstLost = all.findIndex((bytes) => !kept.includes(bytes));
        const nextKeyframe = isKeyframe.indexOf(true, Math.max(0, firstLost));
        if (lost === 0) return;
        expect(lost).toBe((nextKeyframe < 0 ? all.length : nextKeyframe) - firstLost);
        // A hole is between runs, never within one.
        const after = segments.findIndex((segment) => all.indexOf(segment.fragments[0]!) > firstLost);
        if (after > 0) expect(segments[after]?.start.runId).not.toBe(segments[after - 1]?.start.runId);
      }),
      { numRuns: 100 },
    );
  });

  test("sound alone goes into the segment that is open, and nowhere else", async () => {
    const setup = recorderBench();
    await setup.begin();
    setup.recorder.start();
    await setup.give({ audioOnly: true });
    await givenMany(setup, 2);
    await setup.give({ audioOnly: true });
    await setup.recorder.stop();
    expect(setup.sink.segments.map(({ fragments }) => fragments.length)).toEqual([3]);
    expect(setup.sink.segments[0]?.end?.durationMs).toBe(2000);
    expect(setup.recorder.status().lostFragments).toBe(0);
  });
});
