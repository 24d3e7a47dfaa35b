import { createLogger } from "../../src/common/log.ts";
import { Recorder, type RecorderOptions } from "../../src/edge/recorder/recorder.ts";
import { FakeClock } from "./fake-clock.ts";
import { madeFragment, madeInit } from "./made-fragments.ts";
import { MemorySink } from "./memory-sink.ts";

export const wall0 = Date.parse("2025-09-23T06:30:03.250Z");
/** From the end of a fragment's media to its arrival. */
export const latencyMs = 120;

/** A recorder, and a camera with one GOP of a second at a time in front of it. */
export function recorderBench(overrides: Partial<RecorderOptions> = {}, wallMs = wall0) {
  const clock = new FakeClock(wallMs + latencyMs);
  const sink = new MemorySink();
  const recorder = new Recorder({
    cameraId: "cam01",
    nodeId: "node01",
    timeZone: "Asia/Seoul",
    segmentSeconds: 10,
    softwareVersion: "0.0.0-test",
    sink,
    clock,
    clockSync: () => "synced",
    logger: createLogger("recorder"),
    ...overrides,
  });
  let mediaMs = 0;
  return {
    clock,
    sink,
    recorder,
    /** As a capture that begins anew does. */
    async begin(about?: { isMock: boolean }) {
      mediaMs = 0;
      await recorder.onRunStart(madeInit, about);
    },
    async give(of: { durationMs?: number; keyframe?: boolean; audioOnly?: boolean; lateMs?: number } = {}) {
      const { durationMs = 1000, lateMs = 0, ...rest } = of;
      const fragment = madeFragment({ startMs: mediaMs, durationMs, ...rest });
      if (!of.audioOnly) {
        clock.advance(durationMs);
        mediaMs += durationMs;
      }
      await recorder.onFragment(fragment, {
        wallMs: clock.wallMs() + lateMs,
        monotonicMs: clock.monotonicMs() + lateMs,
      });
      return fragment;
    },
    skipMedia(ms: number) {
      mediaMs += ms;
    },
  };
}

export async function givenMany(setup: ReturnType<typeof recorderBench>, count: number) {
  for (let i = 0; i < count; i++) await setup.give();
}
