import { expect, test } from "bun:test";
import * as v from "valibot";
import { systemClock } from "../../src/common/clock.ts";
import { Cameras } from "../../src/edge/cameras.ts";
import { CameraConfig } from "../../src/edge/config.ts";
import { MemorySink } from "../support/memory-sink.ts";

const source = { type: "test", width: 160, height: 120, bitrate: 100_000, keyframe_seconds: 0.5 };
const camera = (id: string, fps: number) => ({
  config: v.parse(CameraConfig, { id, source: { ...source, fps } }),
  credentials: undefined,
});

function setUp() {
  const sink = new MemorySink();
  const told: unknown[] = [];
  const gaps = {
    expect: (ids: readonly string[]) => void told.push({ expect: ids }),
    forget: (id: string) =>
      void told.push({ forget: id, open: sink.segments.filter(({ end }) => !end).length }),
    reconfigured: (id: string) =>
      void told.push({ reconfigured: id, segments: sink.segments.map(({ end }) => end?.endReason) }),
    paused: () => undefined,
    resumed: () => undefined,
  };
  const cameras = new Cameras({
    ...{ nodeId: "node01", timeZone: "UTC", softwareVersion: "1", piModel: "none", clock: systemClock },
    spool: { sink, gaps } as never,
    clockSync: () => "synced",
    ...{ segmentSeconds: 3600, stallMs: 60_000, fallbackAfterFailures: 0 },
  });
  return {
    ...{ sink, told, cameras },
    /** Until the newest segment has some fragments. */
    async records(segments: number) {
      const has = () =>
        sink.segments.length === segments && (sink.segments.at(-1)?.fragments.length ?? 0) >= 3;
      while (!has()) await Bun.sleep(20);
    },
    [Symbol.asyncDispose]: () => cameras.stop(),
  };
}

test("a camera that changes or comes while the disk fills gives less from the start, and as usual afterwards", async () => {
  await using at = setUp();
  const { cameras, sink } = at;
  cameras.start([camera("cam01", 10)]);
  await at.records(1);
  await cameras.compress(true);
  await at.records(2);
  await cameras.change(camera("cam01", 20));
  await at.records(3);
  await cameras.compress(false);
  await at.records(4);
  const ended = ["settings changed", "settings changed", "settings changed"];
  expect(at.told).toEqual([
    { expect: ["cam01"] },
    { reconfigured: "cam01", segments: ended.slice(2) },
    { reconfigured: "cam01", segments: ended.slice(1) },
    { reconfigured: "cam01", segments: ended },
  ]);
  // Of one that is paused nothing is missing for that reason.
  await cameras.get("cam01")?.pause();
  await cameras.change(camera("cam01", 10));
  expect(at.told).toHaveLength(4);
  await cameras.stop();
  // Half of the pictures, of the config as it was at the time.
  expect(sink.segments.map(({ end }) => Math.round(end?.fps ?? 0))).toEqual([10, 5, 10, 20]);
}, 60_000);

test("one that is removed is closed before nothing is missed of it, and none comes after the end", async () => {
  await using at = setUp();
  const { cameras, told } = at;
  cameras.start([camera("cam01", 10)]);
  await at.records(1);
  await cameras.remove("cam01");
  await cameras.remove("cam09");
  expect(told).toEqual([{ expect: ["cam01"] }, { forget: "cam01", open: 0 }]);
  expect(cameras.list()).toEqual([]);
  await cameras.stop();
  cameras.start([camera("cam02", 10)]);
  expect(cameras.list()).toEqual([]);
  expect(told).toHaveLength(2);
}, 60_000);
