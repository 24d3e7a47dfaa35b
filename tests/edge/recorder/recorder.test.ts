import { describe, expect, test } from "bun:test";
import { madeFragment } from "../../support/made-fragments.ts";
import { givenMany, latencyMs, recorderBench, wall0 } from "../../support/recorder-bench.ts";

const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

test("what is no footage is marked, in every segment of its run and in no other", async () => {
  const setup = recorderBench();
  setup.recorder.start();
  await setup.begin();
  await givenMany(setup, 3);
  await setup.begin({ isMock: true });
  await givenMany(setup, 12);
  await setup.begin();
  await givenMany(setup, 2);
  expect(setup.sink.segments.map(({ start }) => start.isMock)).toEqual([undefined, true, true, undefined]);
});

test("the end of a segment has the index of all that is in it", async () => {
  const setup = recorderBench({ segmentSeconds: 5 });
  setup.recorder.start();
  await setup.begin();
  await givenMany(setup, 12);
  await setup.recorder.stop();
  const ended = setup.sink.segments.map(({ fragments, end }) => ({
    fragments: fragments.length,
    bytes: fragments.reduce((sum, { length }) => sum + length, 0),
    index: end?.index,
  }));
  expect(ended.length).toBeGreaterThan(2);
  for (const { fragments, bytes, index } of ended)
    expect(index).toMatchObject({ fragmentCount: fragments, fragmentsSizeBytes: bytes });
});

test("a fragment that no index can hold is recorded nevertheless, in a segment without one", async () => {
  const setup = recorderBench({ segmentSeconds: 60 });
  setup.recorder.start();
  await setup.begin();
  await givenMany(setup, 2);
  // Sound, of a track that the init segment does not know.
  await setup.give({ audioOnly: true });
  await givenMany(setup, 1);
  await setup.recorder.stop();
  expect(setup.sink.segments.map(({ fragments }) => fragments.length)).toEqual([4]);
  expect(setup.sink.segments[0]?.end?.durationMs).toBe(3000);
  expect(setup.sink.segments[0]?.end?.index).toBeUndefined();
});

describe("a recorder is told", () => {
  test("to start, pause, resume and stop; a pause begins another run", async () => {
    const setup = recorderBench({ segmentSeconds: 60 });
    await setup.begin();
    await givenMany(setup, 2);
    expect(setup.sink.segments).toEqual([]);
    setup.recorder.start();
    await givenMany(setup, 2);
    await setup.recorder.pause();
    expect(setup.recorder.status().state).toBe("paused");
    await givenMany(setup, 2);
    setup.recorder.resume();
    await givenMany(setup, 2);
    const runs = setup.sink.segments.map(({ start }) => start.runId);
    expect(runs.length).toBe(2);
    expect(new Set(runs).size).toBe(2);
    expect(setup.sink.segments.map(({ start }) => start.sequence)).toEqual([0, 0]);
    expect(setup.sink.segments.map(({ end }) => end?.endReason)).toEqual(["paused", undefined]);
    expect(await setup.recorder.stop()).toStartWith("/spool/");
    expect(await setup.recorder.stop()).toBeUndefined();
    setup.recorder.resume();
    await givenMany(setup, 2);
    expect(setup.sink.segments.length).toBe(2);
  });

  test("while a fragment is being written: the calls take turns", async () => {
    const setup = recorderBench();
    setup.recorder.start();
    await setup.begin();
    // MemorySink refuses calls that overlap.
    await setup.give();
    const all = [setup.give(), setup.recorder.pause(), setup.give(), setup.recorder.stop(), setup.give()];
    await Promise.all(all);
    expect(setup.sink.segments.map(({ fragments }) => fragments.length)).toEqual([2]);
    expect(setup.sink.segments[0]?.end?.endReason).toBe("paused");
  });

  test("of a capture that ended: its reason stays with the segment, and the next is another run", async () => {
    const setup = recorderBench();
    setup.recorder.start();
    await setup.begin();
    await givenMany(setup, 3);
    await setup.recorder.onRunEnd("no keyframe for 15 s");
    setup.clock.advance(20_000);
    await setup.begin();
    await givenMany(setup, 3);
    await setup.recorder.stop();
    const [first, second] = setup.sink.segments;
    expect(first?.end).toMatchObject({ endReason: "no keyframe for 15 s", durationMs: 3000 });
    expect(iso(first?.end?.endTimeMs)).toBe("2025-09-23T06:30:06.370Z");
    expect(iso(second?.start.startTimeMs)).toBe("2025-09-23T06:30:26.370Z");
    expect(second?.start.runId).not.toBe(first?.start.runId);
  });
});

describe("the wall clock", () => {
  test.each([3_600_000, -3_600_000])(
    "set by %d ms: the running segment keeps its times, the next has the new ones",
    async (step) => {
      const setup = recorderBench();
      setup.recorder.start();
      await setup.begin();
      await givenMany(setup, 3);
      setup.clock.step(step);
      await givenMany(setup, 10);
      await setup.recorder.stop();
      const [first, second] = setup.sink.segments;
      expect(iso(first?.start.startTimeMs)).toBe("2025-09-23T06:30:03.370Z");
      expect(iso(first?.end?.endTimeMs)).toBe("2025-09-23T06:30:10.370Z");
      expect(first?.end?.endReason).toBe(`the clock was set by ${step > 0 ? "+" : ""}${step / 1000}.0 s`);
      expect(second?.start.startTimeMs).toBe(Date.parse("2025-09-23T06:30:10.370Z") + step);
      // Times of one run continue, so these are two.
      expect(second?.start.runId).not.toBe(first?.start.runId);
      expect(second?.start.sequence).toBe(0);
    },
  );

  test("of a machine that booted without one: said so, until it is set", async () => {
    const setup = recorderBench({}, Date.parse("1970-01-01T00:00:31.000Z"));
    setup.recorder.start();
    await setup.begin();
    await givenMany(setup, 12);
    setup.clock.step(wall0 - Date.parse("1970-01-01T00:00:31.000Z"));
    await givenMany(setup, 20);
    await setup.recorder.stop();
    const { segments } = setup.sink;
    expect(segments.map(({ start }) => start.clockState)).toEqual([
      "unsynced",
      "unsynced",
      "synced",
      "synced",
    ]);
    expect(segments.map(({ end }) => end?.clockState)).toEqual(["unsynced", "unsynced", "synced", "synced"]);
    expect(iso(segments[1]?.start.startTimeMs)).toStartWith("1970-01-01T00:00:40");
    expect(iso(segments[2]?.start.startTimeMs)).toStartWith("2025-09-23T06:30:");
  });

  test("that is set between a fragment's arrival and its segment's beginning: not by a clock that can be believed", async () => {
    const setup = recorderBench({}, wall0 - 3_600_000);
    setup.recorder.start();
    await setup.begin();
    const arrival = { wallMs: setup.clock.wallMs(), monotonicMs: setup.clock.monotonicMs() };
    setup.clock.step(3_600_000);
    await setup.recorder.onFragment(madeFragment({ startMs: 0, durationMs: 1000 }), arrival);
    expect(setup.sink.segments[0]?.start).toMatchObject({
      clockState: "unsynced",
      wallOffsetMs: arrival.wallMs - arrival.monotonicMs,
    });
  });

  test("that looks right and is not synced is not believed", async () => {
    const setup = recorderBench({ clockSync: () => "unsynced" });
    setup.recorder.start();
    await setup.begin();
    await setup.give();
    expect(setup.sink.segments[0]?.start.clockState).toBe("unsynced");
  });

  test.each([
    ["2025-03-30T00:55:00.000Z", "Europe/Berlin"],
    ["2025-10-26T00:55:00.000Z", "Europe/Berlin"],
    ["2025-11-02T05:55:00.000Z", "America/New_York"],
  ])(
    "over a change of daylight saving at %s in %s: cuts stay on the full ten minutes",
    async (from, timeZone) => {
      const setup = recorderBench({ segmentSeconds: 600, timeZone }, Date.parse(from) - latencyMs);
      setup.recorder.start();
      await setup.begin();
      await givenMany(setup, 3600);
      await setup.recorder.stop();
      const starts = setup.sink.segments.slice(1).map(({ start }) => start.startTimeMs);
      expect(starts.length).toBe(6);
      for (const start of starts) expect(Math.floor(start / 1000) % 600).toBe(0);
    },
  );
});

describe("the times of the source", () => {
  test("jump ahead in mid-stream: another run, and no file spans the jump", async () => {
    const setup = recorderBench();
    setup.recorder.start();
    await setup.begin();
    await givenMany(setup, 3);
    setup.skipMedia(3_600_000);
    await givenMany(setup, 3);
    await setup.recorder.stop();
    const { segments } = setup.sink;
    expect(segments.map(({ end }) => end?.endReason)).toEqual(["the times of the source jumped", "stopped"]);
    expect(segments.map(({ end }) => end?.durationMs)).toEqual([3000, 3000]);
    expect(segments[1]?.start.startTimeMs).toBe(segments[0]?.end?.endTimeMs as number);
  });

  test("go back: another run", async () => {
    const setup = recorderBench();
    setup.recorder.start();
    await setup.begin();
    await givenMany(setup, 3);
    setup.skipMedia(-2000);
    await givenMany(setup, 3);
    await setup.recorder.stop();
    expect(setup.sink.segments.map(({ fragments }) => fragments.length)).toEqual([3, 3]);
  });

  test("a fragment that spans a jump is left out and counted", async () => {
    const setup = recorderBench();
    setup.recorder.start();
    await setup.begin();
    await givenMany(setup, 2);
    await setup.recorder.onFragment(madeFragment({ startMs: 2000, durationMs: 3_600_000 }), {
      wallMs: setup.clock.wallMs(),
      monotonicMs: setup.clock.monotonicMs(),
    });
    setup.skipMedia(3_600_000);
    await givenMany(setup, 2);
    await setup.recorder.stop();
    expect(setup.sink.segments.map(({ end }) => end?.durationMs)).toEqual([2000, 2000]);
    expect(setup.recorder.status().lostFragments).toBe(1);
  });
});

describe("a sink that refuses", () => {
  test("to write: the segment ends with the reason, what is lost is counted, and it goes on by itself", async () => {
    const setup = recorderBench();
    setup.recorder.start();
    await setup.begin();
    await givenMany(setup, 3);
    setup.sink.refuse = { append: "no space left" };
    await setup.give();
    expect(setup.recorder.status()).toMatchObject({
      state: "failing",
      message: "a segment cannot be written: no space left",
    });
    setup.sink.refuse = { open: "no space left" };
    await givenMany(setup, 4);
    setup.sink.refuse = {};
    await setup.give({ keyframe: false });
    await givenMany(setup, 2);
    const { segments } = setup.sink;
    expect(segments.length).toBe(2);
    expect(segments[0]?.end).toMatchObject({ endReason: "write failed: no space left", durationMs: 3000 });
    expect(segments[0]?.fragments.length).toBe(3);
    expect(segments[1]?.start.runId).not.toBe(segments[0]?.start.runId);
    expect(iso(segments[1]?.start.startTimeMs)).toBe("2025-09-23T06:30:12.370Z");
    expect(setup.recorder.status()).toMatchObject({
      state: "recording",
      message: undefined,
      lostFragments: 6,
    });
  });

  test("to close: recording goes on", async () => {
    const setup = recorderBench();
    setup.recorder.start();
    await setup.begin();
    setup.sink.refuse = { close: "the disk is gone" };
    await givenMany(setup, 8);
    expect(setup.sink.segments.length).toBe(2);
    expect(setup.sink.segments.map(({ fragments }) => fragments.length)).toEqual([7, 1]);
    expect(await setup.recorder.stop()).toBeUndefined();
    expect(setup.recorder.status()).toMatchObject({ closedSegments: 0, lostFragments: 0 });
  });
});
