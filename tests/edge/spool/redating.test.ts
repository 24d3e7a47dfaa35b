import { describe, expect, test } from "bun:test";
import { readdir, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SegmentStart } from "../../../src/edge/recorder/segment-sink.ts";
import type { Dating } from "../../../src/edge/spool/redating.ts";
import type { Spool } from "../../../src/edge/spool/spool.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { recordSample, sampleStartMs, temporaryFolder } from "../../support/sample-recording.ts";
import { openLoadedSpool } from "../../support/test-spool.ts";

const hold = 600_000;
/** Half a minute after a boot without a clock; the machine has been up for 20 s more than its process. */
const bootedMs = 31_000;

/** A machine whose clock is not set. */
class UnsetMachine {
  readonly clock = new FakeClock(bootedMs);
  #synced = false;
  readonly dating: Dating;

  constructor(bootId = "11111111-1111-4111-8111-111111111111") {
    this.dating = {
      boot: { bootId, uptimeOffsetMs: 20_000 },
      clockSync: () => (this.#synced ? "synced" : "unsynced"),
      holdMs: hold,
    };
  }

  /** NTP answers: it is so late now. */
  set(wallMs: number): void {
    this.clock.step(wallMs - this.clock.wallMs());
    this.#synced = true;
  }

  open(root: string): Promise<Spool> {
    return openLoadedSpool(root, { clock: this.clock, dating: this.dating });
  }

  /** Records two seconds from now on. */
  async record(spool: Spool, overrides: Partial<SegmentStart> = {}) {
    const startTimeMs = this.clock.wallMs();
    const wallOffsetMs = startTimeMs - this.clock.monotonicMs();
    const start = { startTimeMs, wallOffsetMs, clockState: "unsynced" as const, ...overrides };
    const recorded = await recordSample(spool.sink, start);
    this.clock.advance(2000);
    return recorded;
  }
}

const closedIn = async (root: string) => {
  const found = [];
  for (const name of (await readdir(join(root, "closed"))).sort()) {
    const record = JSON.parse(await readFile(join(root, "closed", name, "segment.json"), "utf8"));
    found.push({ name, ...record });
  }
  return found;
};
const waiting = (spool: Spool) => spool.uploads.waiting().map(({ videoId }) => videoId);

describe("a segment of a clock that is not set", () => {
  test("is held back, and dated anew with its name when the clock is set", async () => {
    await using folder = await temporaryFolder();
    const machine = new UnsetMachine();
    using spool = await machine.open(folder.path);
    const { start } = await machine.record(spool);
    await spool.redating.settle();
    expect(waiting(spool)).toEqual([]);
    expect((await closedIn(folder.path))[0]).toMatchObject({
      name: `cam01_19700101_090031_${start.videoId}`,
      clock_state: "unsynced",
    });

    let heard = 0;
    spool.uploads.onWaiting(() => heard++);
    // Five minutes after it ended it is half past six.
    machine.clock.advance(300_000);
    machine.set(sampleStartMs);
    await spool.redating.settle();
    const [closed, ...more] = await closedIn(folder.path);
    expect(more).toEqual([]);
    expect(closed).toMatchObject({
      name: `cam01_20250923_152458_${start.videoId}`,
      video_id: start.videoId,
      run_id: start.runId,
      start_time: "2025-09-23T06:24:58.000Z",
      end_time: "2025-09-23T06:25:00.000Z",
      duration_ms: 2000,
      clock_state: "corrected",
      end_reason: "boundary",
    });
    expect(closed).not.toHaveProperty("clock_anchor");
    expect(heard).toBe(1);
    expect(spool.uploads.waiting()).toMatchObject([
      { videoId: start.videoId, startTimeMs: sampleStartMs - 302_000 },
    ]);
    const { identity, sourcePath, spoolChecksum } = await spool.uploads.load(start.videoId);
    expect(identity).toMatchObject({ startTimeMs: sampleStartMs - 302_000, clockState: "corrected" });
    expect(await Bun.file(sourcePath).exists()).toBe(true);
    expect(spoolChecksum).toMatch(/^[0-9a-f]{16}$/);
  });

  test("that was cut off by a crash is dated by the next process of the same boot", async () => {
    await using folder = await temporaryFolder();
    const machine = new UnsetMachine();
    const { start, path } = await (async () => {
      using spool = await machine.open(folder.path);
      return machine.record(spool);
    })();
    // As a killed process leaves it: the record says what the first fragment told.
    const name = path.split("/").at(-2) ?? "";
    await rename(dirname(path), join(folder.path, "recording", name));
    const record = JSON.parse(
      await readFile(join(folder.path, "recording", name, "segment.json"), "utf8"),
    ) as Record<string, unknown>;
    for (const of of ["end_time", "duration_ms", "fps", "recorded_sha256", "end_reason", "size_bytes"]) {
      delete record[of];
    }
    await Bun.write(join(folder.path, "recording", name, "segment.json"), JSON.stringify(record));

    // The next process counts its own time from elsewhere.
    const next = new UnsetMachine();
    next.dating.boot = { ...next.dating.boot, uptimeOffsetMs: 20_000 + 60_000 };
    next.set(sampleStartMs);
    using spool = await next.open(folder.path);
    expect(waiting(spool)).toEqual([]);
    await spool.redating.settle();
    // It is a minute later than it was when the segment began.
    expect((await closedIn(folder.path))[0]).toMatchObject({
      name: `cam01_20250923_152900_${start.videoId}`,
      start_time: "2025-09-23T06:29:00.000Z",
      clock_state: "corrected",
      end_reason: "crash",
    });
  });

  test("of an earlier boot stays as it is, and is not held back", async () => {
    await using folder = await temporaryFolder();
    const before = new UnsetMachine();
    {
      using spool = await before.open(folder.path);
      await before.record(spool);
    }
    const after = new UnsetMachine("22222222-2222-4222-8222-222222222222");
    after.set(sampleStartMs);
    using spool = await after.open(folder.path);
    await spool.redating.settle();
    expect(waiting(spool)).toHaveLength(1);
    expect((await closedIn(folder.path))[0]).toMatchObject({
      start_time: "1970-01-01T00:00:31.000Z",
      clock_state: "unsynced",
    });
  });

  test("is released with the date it has after its time, and then keeps it, through a restart too", async () => {
    await using folder = await temporaryFolder();
    const machine = new UnsetMachine();
    const { start } = await (async () => {
      using spool = await machine.open(folder.path);
      const recorded = await machine.record(spool);
      machine.clock.advance(hold - 2001);
      await spool.redating.settle();
      expect(waiting(spool)).toEqual([]);
      return recorded;
    })();
    // Restarts do not begin the time anew.
    using spool = await machine.open(folder.path);
    expect(waiting(spool)).toEqual([]);
    machine.clock.advance(2001);
    await spool.redating.settle();
    expect(waiting(spool)).toEqual([start.videoId]);
    // It may be in the archive already: dated anew, it would be there twice.
    machine.set(sampleStartMs);
    await spool.redating.settle();
    spool[Symbol.dispose]();
    using again = await machine.open(folder.path);
    await again.redating.settle();
    expect(waiting(again)).toEqual([start.videoId]);
    expect((await closedIn(folder.path))[0]).toMatchObject({
      start_time: "1970-01-01T00:00:31.000Z",
      clock_state: "unsynced",
    });
  });

  test("interrupted between its new record and its new name gets the name at the next start", async () => {
    await using folder = await temporaryFolder();
    const machine = new UnsetMachine();
    const { start } = await (async () => {
      using spool = await machine.open(folder.path);
      const recorded = await machine.record(spool);
      machine.set(sampleStartMs);
      await spool.redating.settle();
      return recorded;
    })();
    const name = `cam01_20250923_152958_${start.videoId}`;
    const old = `cam01_19700101_090031_${start.videoId}`;
    await rename(join(folder.path, "closed", name), join(folder.path, "closed", old));
    for (let twice = 0; twice < 2; twice++) {
      using spool = await machine.open(folder.path);
      await spool.redating.settle();
      expect(await closedIn(folder.path)).toMatchObject([{ name, start_time: "2025-09-23T06:29:58.000Z" }]);
      expect(waiting(spool)).toEqual([start.videoId]);
    }
  });

  test("whose new name the disk refuses is named later, and not moved in time twice", async () => {
    await using folder = await temporaryFolder();
    const machine = new UnsetMachine();
    using spool = await machine.open(folder.path);
    const { start } = await machine.record(spool);
    machine.set(sampleStartMs);
    const name = `cam01_20250923_152958_${start.videoId}`;
    const inTheWay = join(folder.path, "closed", name);
    await Bun.write(inTheWay, "a file cannot be replaced by a folder");
    await expect(spool.redating.settle()).rejects.toMatchObject({ code: "ENOTDIR" });
    expect(waiting(spool)).toEqual([]);
    await Bun.file(inTheWay).delete();
    await spool.redating.settle();
    expect(await closedIn(folder.path)).toMatchObject([{ name, start_time: "2025-09-23T06:29:58.000Z" }]);
    expect(waiting(spool)).toEqual([start.videoId]);
  });

  test("and those after it leave no hole and no overlap when they are dated anew", async () => {
    await using folder = await temporaryFolder();
    const machine = new UnsetMachine();
    using spool = await machine.open(folder.path);
    for (let sequence = 0; sequence < 3; sequence++) await machine.record(spool, { sequence });
    machine.set(sampleStartMs);
    await machine.record(spool, { clockState: "synced" });
    await spool.redating.settle();
    const closed = (await closedIn(folder.path)) as { start_time: string; end_time: string }[];
    expect(closed.map(({ start_time }) => start_time)).toEqual([
      "2025-09-23T06:29:54.000Z",
      "2025-09-23T06:29:56.000Z",
      "2025-09-23T06:29:58.000Z",
      "2025-09-23T06:30:00.000Z",
    ]);
    expect(closed.map(({ end_time }) => end_time).slice(0, -1)).toEqual(
      closed.map(({ start_time }) => start_time).slice(1),
    );
  });
});

test("a segment of a set clock is never held back", async () => {
  await using folder = await temporaryFolder();
  const machine = new UnsetMachine();
  using spool = await machine.open(folder.path);
  const { start } = await machine.record(spool, { clockState: "synced" });
  expect(waiting(spool)).toEqual([start.videoId]);
  expect((await closedIn(folder.path))[0]).not.toHaveProperty("clock_anchor");
});

test("dating goes on by itself, and ends when it is told", async () => {
  await using folder = await temporaryFolder();
  const machine = new UnsetMachine();
  using spool = await machine.open(folder.path);
  const end = new AbortController();
  const running = spool.redating.run(end.signal);
  await machine.record(spool);
  const released = Promise.withResolvers<void>();
  spool.uploads.onWaiting(() => released.resolve());
  machine.set(sampleStartMs);
  await released.promise;
  expect(waiting(spool)).toHaveLength(1);
  end.abort();
  await running;
});
