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
