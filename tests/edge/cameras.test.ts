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

function setUp(paused: string[] = []) {
  const marks = new Map<string, { sinceMs: number }>(
    paused.map((id) => [id, { sinceMs: 1_758_600_000_000 }]),
  );
  const pauses = {
    of: (id: string) => marks.get(id),
    set: async (id: string) => void marks.set(id, { sinceMs: 1_758_600_000_000 }),
    clear: async (id: string) => void marks.delete(id),
  };
  const sink = new MemorySink();
  const told: unknown[] = [];
  const gaps = {
    expect: (ids: readonly string[], isPaused: (id: string) => boolean) =>
      void told.push({ expect: ids.map((id) => (isPaused(id) ? `${id} paused` : id)) }),
    forget: (id: string) =>
      void told.push({ forget: id, open: sink.segments.filter(({ end }) => !end).length }),
    reconfigured: (id: string) =>
      void told.push({ reconfigured: id, segments: sink.segments.map(({ end }) => end?.endReason) }),
    paused: () => undefined,
    resumed: () => undefined,
  };
  const cameras = new Cameras({
    ...{ nodeId: "node01", timeZone: "UTC", softwareVersion: "1", piModel: "none", clock: systemClock },
    spool: { sink, gaps, pauses } as never,
    clockSync: () => "synced",
    ...{ segmentSeconds: 3600, stallMs: 60_000, fallbackAfterFailures: 0 },
  });
  return {
    ...{ sink, told, cameras, marks },
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

test("one that was paused when the node ended stays paused, is not captured, and goes on when it is resumed", async () => {
  await using at = setUp(["cam02"]);
  const { cameras, sink, told, marks } = at;
  cameras.start([camera("cam01", 10), camera("cam02", 10)]);
  await at.records(1);
  expect(told).toEqual([{ expect: ["cam01", "cam02 paused"] }]);
  const cam02 = cameras.get("cam02");
  expect(cam02?.status()).toMatchObject({ state: "paused", paused_since: "2025-09-23T04:00:00.000Z" });
  expect(cam02?.camera.status()).toMatchObject({ state: "stopped", runStartedAtMs: undefined });
  await cameras.change(camera("cam02", 5));
  expect(cam02?.status().state).toBe("paused");
  await cameras.remove("cam02");
  // A config without it is no reason to record what somebody did not want to be seen.
  cameras.start([camera("cam02", 10)]);
  expect(told.at(-1)).toEqual({ expect: ["cam02 paused"] });
  await cameras.get("cam02")?.resume();
  expect([...marks]).toEqual([]);
  await at.records(2);
  expect(cameras.get("cam02")?.status()).toMatchObject({ state: "recording", paused_since: null });
  expect(sink.segments).toHaveLength(2);
  await cameras.stop();
}, 60_000);
