import { expect, test } from "bun:test";
import { RunObserver } from "../../../src/edge/camera/run-observer.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { madeFragment, madeInit } from "../../support/made-fragments.ts";

test("the newest keyframe is kept, also when the memory it came in is used for fragments without one", async () => {
  const clock = new FakeClock(Date.parse("2025-09-23T06:30:00Z"));
  const nobody = { onRunStart() {}, onFragment() {}, onRunEnd() {} };
  const observer = new RunObserver(nobody, clock);
  // As a capture has it: what is read now overwrites the fragment before the last one.
  const memory = [new Uint8Array(1000), new Uint8Array(1000)];
  await observer.onRunStart(madeInit);
  for (let i = 0; i < 10; i++) {
    const bytes = memory[i % 2]!.fill(i);
    const made = madeFragment({ startMs: i * 1000, durationMs: 1000, keyframe: i === 0 || i === 5 });
    await observer.onFragment(
      { ...made, bytes },
      { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() },
    );
    expect(observer.newest?.fragment.bytes.every((byte) => byte === (i < 5 ? 0 : 5))).toBe(true);
  }
});

test("who begins to watch gets the init segment and the last fragment, unless what follows it has gone by", async () => {
  const clock = new FakeClock(Date.parse("2025-09-23T06:30:00Z"));
  const nobody = { onRunStart() {}, onFragment() {}, onRunEnd() {} };
  const observer = new RunObserver(nobody, clock);
  const arrival = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
  const watch = () => {
    const seen: unknown[] = [];
    const onFragment = ({ videoDecodeTime }: { videoDecodeTime: number }) => seen.push(videoDecodeTime / 90);
    observer.watch({ onInit: () => seen.push("init"), onFragment, onStopped: () => seen.push("stopped") })();
    return seen;
  };
  expect(watch()).toEqual(["stopped"]);
  observer.starting();
  expect(watch()).toEqual([]);
  await observer.onRunStart(madeInit);
  expect(watch()).toEqual(["init"]);
  await observer.onFragment(madeFragment({ startMs: 0, durationMs: 1000 }), arrival);
  await observer.onFragment(madeFragment({ startMs: 1000, durationMs: 1000 }), arrival);
  expect(watch()).toEqual(["init", 1000]);
  await observer.onFragment(madeFragment({ startMs: 2000, durationMs: 1000, keyframe: false }), arrival);
  expect(watch()).toEqual(["init"]);
  await observer.onFragment(madeFragment({ startMs: 3000, durationMs: 1000 }), arrival);
  observer.stalled("no keyframe for 10 s");
  expect(watch()).toEqual(["init"]);
});

test("what has been shown is forgotten when the capture is stopped, and watchers are told", async () => {
  const clock = new FakeClock(Date.parse("2025-09-23T06:30:00Z"));
  const observer = new RunObserver({ onRunStart() {}, onFragment() {}, onRunEnd() {} }, clock);
  const seen: string[] = [];
  const watcherNamed = (name: string) => ({
    onInit: () => void seen.push(`${name} init`),
    onFragment: () => void seen.push(`${name} fragment`),
    onStopped: () => void seen.push(`${name} stopped`),
  });
  const arrival = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
  observer.starting();
  observer.watch(watcherNamed("first"));
  await observer.onRunStart(madeInit);
  await observer.onFragment(madeFragment({ startMs: 0, durationMs: 1000, keyframe: true }), arrival);
  observer.stopped();
  observer.stopped();
  expect(observer.newest).toBeUndefined();
  observer.watch(watcherNamed("second"));
  observer.starting();
  await observer.onRunStart(madeInit);
  expect(seen).toEqual([
    ...["first init", "first fragment", "first stopped"],
    ...["second stopped", "first init", "second init"],
  ]);
});
