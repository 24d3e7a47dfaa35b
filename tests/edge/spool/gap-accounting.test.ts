import { describe, expect, test } from "bun:test";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import type { OpenSegment } from "../../../src/edge/recorder/segment-sink.ts";
import type { Spool } from "../../../src/edge/spool/spool.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import {
  sampleRecording,
  sampleStart,
  sampleStartMs,
  temporaryFolder,
} from "../../support/sample-recording.ts";
import { openTestSpool } from "../../support/test-spool.ts";

interface Span {
  fromMs: number;
  toMs: number;
}

/** Media time of a fragment of the sample, in which a frame takes 100 ms. */
const fragmentMs = 400;
/** Less is no hole: two frames. */
const leastMs = 200;
const noLoad = new AbortController().signal;

/** A node's life with one camera, on a clock of its own, over the real spool. */
class Life {
  readonly clock = new FakeClock(sampleStartMs);
  readonly root: string;
  /** Whether NTP has answered since the boot. */
  isClockSet = true;
  #spool: Spool | undefined;
  #segment:
    | { open: OpenSegment; startTimeMs: number; fragments: number; clockState: "synced" | "unsynced" }
    | undefined;

  /** A process that is killed closes its files; this one has to do it in the end. */
  readonly #abandoned: OpenSegment[] = [];

  constructor(root: string) {
    this.root = root;
  }

  get spool(): Spool {
    if (!this.#spool) throw new Error("the node is not running");
    return this.#spool;
  }

  get nowMs(): number {
    return this.clock.wallMs();
  }

  /** `load` later is as recording goes on while the spool is still looked through. */
  async boot(options = { load: true }): Promise<void> {
    const boot = { bootId: "11111111-1111-4111-8111-111111111111", uptimeOffsetMs: 0 };
    const clockSync = () => (this.isClockSet ? "synced" : "unsynced");
    const dating = this.isClockSet ? undefined : { boot, clockSync, holdMs: 600_000 };
    this.#spool = await openTestSpool(this.root, { clock: this.clock, dating });
    this.spool.gaps.expect(["cam01"], (id) => this.spool.pauses.of(id) !== undefined);
    if (options.load) await this.load();
  }

  load(): Promise<void> {
    return this.spool.load(noLoad);
  }

  /** So many fragments, five to a segment; the last one stays open. */
  async record(fragments: number): Promise<void> {
    const { init, fragments: media } = await sampleRecording();
    for (let i = 0; i < fragments; i++) {
      if (this.#segment?.fragments === media.length) await this.endRun("boundary");
      this.#segment ??= await this.#open(init.bytes);
      this.clock.advance(fragmentMs);
      await this.#segment.open.append(media[this.#segment.fragments++] as Uint8Array);
    }
  }

  async endRun(endReason: string, endTimeMs = this.nowMs): Promise<void> {
    const segment = this.#segment;
    this.#segment = undefined;
    if (!segment) return;
    const durationMs = endTimeMs - segment.startTimeMs;
    const { clockState } = segment;
    await segment.open.close({ endTimeMs, durationMs, fps: 10, clockState, endReason });
  }

  async pause(): Promise<void> {
    await this.endRun("paused");
    this.spool.gaps.paused("cam01");
  }

  /** As SIGTERM ends it. */
  async stop(): Promise<void> {
    await this.endRun("stopped");
    // As it happens where the disk is quick: the end of the run is written down before the end of the process is told.
    await this.spool.gaps.flush();
    await this.spool.gaps.stopped();
    this.spool[Symbol.dispose]();
    this.#spool = undefined;
  }

  /** As SIGKILL ends it. */
  kill(): void {
    if (this.#segment) this.#abandoned.push(this.#segment.open);
    this.#segment = undefined;
    this.spool[Symbol.dispose]();
    this.#spool = undefined;
  }

  async end(): Promise<void> {
    if (this.#segment) this.kill();
    const end = { endTimeMs: 0, durationMs: 0, fps: 0, clockState: "synced" as const, endReason: "" };
    for (const segment of this.#abandoned) await segment.close(end).catch(() => undefined);
  }

  async recorded(): Promise<Span[]> {
    const spans: Span[] = [];
    for (const state of ["closed", "archived", "acknowledged"]) {
      for (const name of await readdir(join(this.root, state))) {
        const record = JSON.parse(await readFile(join(this.root, state, name, "segment.json"), "utf8"));
        spans.push({ fromMs: Date.parse(record.start_time), toMs: Date.parse(record.end_time) });
      }
    }
    return spans;
  }

  async gaps(): Promise<(Span & { cause: string })[]> {
    await this.spool.gaps.flush();
    return this.spool.gapReports.pending().map(({ from_time, to_time, cause }) => ({
      fromMs: Date.parse(from_time),
      toMs: Date.parse(to_time),
      cause,
    }));
  }

  /** Each gap's cause and whole seconds. */
  async causes(): Promise<string[]> {
    return (await this.gaps()).map(
      ({ cause, fromMs, toMs }) => `${cause} ${Math.round((toMs - fromMs) / 1000)}`,
    );
  }

  async #open(init: Uint8Array) {
    const startTimeMs = this.nowMs;
    const wallOffsetMs = startTimeMs - this.clock.monotonicMs();
    const clockState = this.isClockSet ? ("synced" as const) : ("unsynced" as const);
    return {
      open: await this.spool.sink.open(sampleStart({ startTimeMs, wallOffsetMs, clockState }), init),
      ...{ startTimeMs, clockState },
      fragments: 0,
    };
  }
}

async function newLife(): Promise<Life & AsyncDisposable> {
  const folder = await temporaryFolder();
  const life = new Life(join(folder.path, "spool"));
  return Object.assign(life, {
    async [Symbol.asyncDispose]() {
      await life.end();
      await folder[Symbol.asyncDispose]();
    },
  });
}

describe("what is not recorded is a gap, and its cause is", () => {
  test("that the camera failed, when its run ended and another began", async () => {
    await using life = await newLife();
    await life.boot();
    await life.record(3);
    const fromMs = life.nowMs;
    await life.endRun("ffmpeg exited with 1");
    life.clock.advance(30_000);
    await life.record(1);
    expect(await life.gaps()).toEqual([{ fromMs, toMs: fromMs + 30_000, cause: "camera_failed" }]);
    expect(life.spool.gapReports.pending()[0]?.detail).toBe("ffmpeg exited with 1");
  });

  test("none, where segments follow each other to within two frames", async () => {
    await using life = await newLife();
    await life.boot();
    await life.record(3);
    await life.endRun("boundary");
    await life.record(3);
    await life.endRun("another run began");
    life.clock.advance(leastMs - 1);
    await life.record(3);
    expect(await life.gaps()).toEqual([]);
    await life.endRun("another run began");
    life.clock.advance(leastMs);
    await life.record(3);
    expect(await life.gaps()).toHaveLength(1);
  });

  test("the pause, and what came before and after it has causes of its own", async () => {
    await using life = await newLife();
    await life.boot();
    await life.record(1);
    await life.endRun("the source is away");
    life.clock.advance(60_000);
    await life.pause();
    life.clock.advance(120_000);
    life.spool.gaps.resumed("cam01");
    life.clock.advance(30_000);
    await life.record(1);
    expect(await life.causes()).toEqual(["camera_failed 60", "paused 120", "camera_failed 30"]);
  });

  test("that settings were changed, unless nothing comes with the new ones", async () => {
    await using life = await newLife();
    await life.boot();
    await life.record(1);
    await life.endRun("settings changed");
    life.clock.advance(200);
    life.spool.gaps.reconfigured("cam01");
    life.clock.advance(2_000);
    await life.record(1);
    const fromMs = life.nowMs;
    await life.endRun("settings changed");
    life.spool.gaps.reconfigured("cam01");
    life.clock.advance(60_000);
    await life.record(1);
    expect(await life.causes()).toEqual(["reconfigured 2", "camera_failed 60"]);
    expect((await life.gaps())[1]).toMatchObject({ fromMs, toMs: fromMs + 60_000 });
    // One that was away before stays away for its own reason.
    await life.endRun("ffmpeg exited with 1");
    life.clock.advance(60_000);
    life.spool.gaps.reconfigured("cam01");
    life.clock.advance(60_000);
    await life.record(1);
    expect((await life.causes()).at(-1)).toBe("camera_failed 120");
  });

  test("that the node was stopped or down, told by the next process", async () => {
    await using life = await newLife();
    await life.boot();
    await life.record(5);
    await life.stop();
    life.clock.advance(100_000);
    await life.boot();
    life.clock.advance(3_000);
    await life.record(5);
    await life.spool.gaps.flush();
    const killedMs = life.nowMs;
    life.kill();
    life.clock.advance(200_000);
    await life.boot();
    life.clock.advance(3_000);
    await life.record(1);
    expect(await life.causes()).toEqual(["node_stopped 103", "node_down 203"]);
    expect((await life.gaps())[1]).toMatchObject({ fromMs: killedMs, toMs: killedMs + 203_000 });
  });

  test("the node's, then the camera's, when pictures come late after a start", async () => {
    await using life = await newLife();
    await life.boot();
    await life.record(5);
    await life.stop();
    life.clock.advance(100_000);
    await life.boot();
    life.clock.advance(90_000);
    await life.record(1);
    expect(await life.causes()).toEqual(["node_stopped 100", "camera_failed 90"]);
  });

  test("nobody's before the first picture ever, unless it does not come", async () => {
    await using quick = await newLife();
    await quick.boot();
    quick.clock.advance(4_000);
    await quick.record(1);
    expect(await quick.gaps()).toEqual([]);
    await using slow = await newLife();
    await slow.boot();
    slow.clock.advance(40_000);
    await slow.record(1);
    expect(await slow.causes()).toEqual(["camera_failed 40"]);
  });

  test("the clock's, for time that never was; a step back makes no gap", async () => {
    await using life = await newLife();
    await life.boot();
    await life.record(5);
    const fromMs = life.nowMs;
    life.clock.step(3_600_000);
    const segmentEndMs = fromMs;
    // The run's own clock ends the segment where the old time was.
    life.clock.step(-3_600_000);
    await life.endRun("the clock was set by +3600.0 s");
    life.clock.step(3_600_000);
    await life.record(5);
    expect(await life.gaps()).toEqual([
      { fromMs: segmentEndMs, toMs: fromMs + 3_600_000, cause: "clock_stepped" },
    ]);
    await life.endRun("the clock was set by -1800.0 s");
    life.clock.step(-1_800_000);
    await life.record(5);
    expect(await life.gaps()).toHaveLength(1);
  });

  test("not the clock's, when it was not set yet: a machine whose clock stood while it was off", async () => {
    await using life = await newLife();
    await life.boot();
    await life.record(5);
    await life.stop();
    const fromMs = life.nowMs;
    life.clock.advance(3_600_000);
    life.clock.step(-3_600_000);
    life.isClockSet = false;
    await life.boot();
    life.clock.advance(20_000);
    life.clock.step(3_600_000);
    life.isClockSet = true;
    await life.record(1);
    const bootMs = fromMs + 3_600_000;
    expect(await life.gaps()).toEqual([
      { fromMs, toMs: bootMs, cause: "node_stopped" },
      { fromMs: bootMs, toMs: bootMs + 20_000, cause: "camera_failed" },
    ]);
  });

  test("dated by the clock that is set later, as segments are, also where the wrong one was plausible", async () => {
    await using life = await newLife();
    await life.boot();
    await life.record(5);
    await life.stop();
    const [fromMs, hourMs] = [life.nowMs, 3_600_000];
    life.clock.advance(hourMs);
    // Its clock stood while it was off.
    life.clock.step(-hourMs);
    life.isClockSet = false;
    await life.boot();
    life.clock.advance(20_000);
    await life.record(1);
    await life.endRun("ffmpeg exited with 1");
    life.clock.advance(60_000);
    await life.record(1);
    life.spool.gaps.tick();
    // Nothing that may have to be taken back, and nothing is forgotten by a crash.
    expect(await life.gaps()).toEqual([]);
    const state = JSON.parse(await readFile(join(life.root, "recorded.json"), "utf8"));
    expect(Date.parse(state.cameras.cam01.accounted_until)).toBe(fromMs);
    life.clock.step(hourMs);
    life.isClockSet = true;
    life.spool.gaps.tick();
    const bootMs = fromMs + hourMs;
    const failedMs = bootMs + 20_000 + fragmentMs;
    expect(await life.gaps()).toEqual([
      { fromMs, toMs: bootMs, cause: "node_stopped" },
      { fromMs: bootMs, toMs: bootMs + 20_000, cause: "camera_failed" },
      { fromMs: failedMs, toMs: failedMs + 60_000, cause: "camera_failed" },
    ]);
  });

  test("none, where a clock that was not set is set in the middle of a segment", async () => {
    await using life = await newLife();
    life.isClockSet = false;
    await life.boot();
    await life.record(2);
    const endMs = life.nowMs;
    life.clock.step(3_600_000);
    life.isClockSet = true;
    await life.endRun("the clock was set by +3600.0 s", endMs);
    await life.record(1);
    expect(await life.gaps()).toEqual([]);
  });

  test("the dates of a clock that is not set in time, or before the end", async () => {
    for (const isHeld of [true, false]) {
      await using life = await newLife();
      life.isClockSet = false;
      await life.boot();
      await life.record(1);
      const fromMs = life.nowMs;
      await life.endRun("ffmpeg exited with 1");
      life.clock.advance(60_000);
      await life.record(1);
      if (isHeld) life.clock.advance(600_000);
      const { spool } = life;
      if (isHeld) spool.gaps.tick();
      else {
        await life.endRun("stopped");
        await spool.gaps.stopped();
      }
      expect(await life.gaps()).toEqual([{ fromMs, toMs: fromMs + 60_000, cause: "camera_failed" }]);
    }
  });

  test("nobody's before a first boot with the date of its image", async () => {
    await using life = await newLife();
    const nowMs = life.nowMs;
    life.clock.step(-200 * 86_400_000);
    life.isClockSet = false;
    await life.boot();
    life.clock.advance(28_000);
    life.clock.step(200 * 86_400_000);
    life.isClockSet = true;
    await life.record(1);
    expect(await life.gaps()).toEqual([{ fromMs: nowMs, toMs: nowMs + 28_000, cause: "camera_failed" }]);
  });

  test("the clock's, also when it is set in the middle of a segment", async () => {
    await using life = await newLife();
    await life.boot();
    await life.record(2);
    life.clock.step(3_600_000);
    await life.record(1);
    const toMs = life.nowMs;
    const fromMs = toMs - 3_600_000;
    await life.endRun("the clock was set by +3600.0 s", fromMs);
    // However long the hour is that never was: nothing is due before the next segment.
    life.spool.gaps.tick();
    await life.record(1);
    expect(await life.gaps()).toEqual([{ fromMs, toMs, cause: "clock_stepped" }]);
  });

  test("the disk's, when it takes nothing", async () => {
    await using life = await newLife();
    await life.boot();
    await life.record(2);
    await life.endRun("write failed");
    life.spool.gaps.interrupted("cam01", "disk_full", "no space left");
    life.clock.advance(60_000);
    await life.record(1);
    expect(await life.causes()).toEqual(["disk_full 60"]);
  });
});

describe("a camera that comes or goes while the node runs", () => {
  test("is missed from when it comes, once its first picture is late", async () => {
    await using life = await newLife();
    await life.boot();
    const fromMs = life.nowMs;
    life.spool.gaps.expect(["cam02"]);
    life.clock.advance(60_000);
    life.spool.gaps.forget("cam02");
    const told = (await life.gaps()).filter((gap) => gap.fromMs === fromMs);
    expect(told).toEqual([{ fromMs, toMs: fromMs + 60_000, cause: "camera_failed" }]);
  });

  test("is told as missing while it goes on, and until its first picture", async () => {
    await using life = await newLife();
    await life.boot();
    life.spool.gaps.forget("cam01");
    life.spool.gaps.expect(["cam01"]);
    for (let minute = 0; minute < 11; minute++) {
      life.clock.advance(60_000);
      life.spool.gaps.tick();
    }
    expect(await life.causes()).toEqual(["camera_failed 600"]);
    await life.record(1);
    expect(await life.causes()).toEqual(["camera_failed 600", "camera_failed 60"]);
  });

  test("is not missed when its first picture comes soon, nor from when it goes", async () => {
    await using life = await newLife();
    await life.boot();
    life.spool.gaps.forget("cam01");
    life.clock.advance(3_600_000);
    life.spool.gaps.tick();
    expect(await life.gaps()).toEqual([]);
    life.spool.gaps.expect(["cam01"]);
    life.clock.advance(4_000);
    await life.record(2);
    await life.endRun("stopped");
    life.spool.gaps.forget("cam01");
    life.clock.advance(3_600_000);
    life.spool.gaps.tick();
    expect(await life.gaps()).toEqual([]);
    // Nor by the next process, which has it no more, nor by the one after, in which it is new.
    await life.stop();
    life.clock.advance(3_600_000);
    await life.boot();
    await life.record(2);
    expect(await life.gaps()).toEqual([]);
  });

  test("is missed up to when it goes, where it gave nothing", async () => {
    await using life = await newLife();
    await life.boot();
    await life.record(2);
    await life.endRun("ffmpeg exited with 1");
    life.clock.advance(90_000);
    life.spool.gaps.forget("cam01");
    life.clock.advance(90_000);
    expect(await life.causes()).toEqual(["camera_failed 90"]);
  });
});

describe("a gap that goes on", () => {
  test("is told in parts, and a crash leaves only the newest to the next process", async () => {
    await using life = await newLife();
    await life.boot();
    await life.record(2);
    const fromMs = life.nowMs;
    await life.pause();
    for (let minute = 0; minute < 25; minute++) {
      life.clock.advance(60_000);
      life.spool.gaps.tick();
    }
    expect(await life.causes()).toEqual(["paused 600", "paused 600"]);
    life.kill();
    life.clock.advance(3_600_000);
    await life.boot();
    await life.record(1);
    expect(await life.causes()).toEqual(["paused 600", "paused 600", "node_down 3900"]);
    const gaps = await life.gaps();
    expect(gaps.reduce((sum, gap) => sum + gap.toMs - gap.fromMs, 0)).toBe(life.nowMs - fragmentMs - fromMs);
  });
});

describe("a pause", () => {
  const paused = async () => {
    const life = await newLife();
    await life.boot();
    await life.record(2);
    const fromMs = life.nowMs;
    await life.pause();
    await life.spool.pauses.set("cam01");
    await life.spool.gaps.flush();
    life.clock.advance(300_000);
    return { life, fromMs };
  };
  const resume = async (life: Life) => {
    await life.spool.pauses.clear("cam01");
    life.spool.gaps.resumed("cam01");
    await life.record(1);
  };

  test("lasts through a crash and through an end, and all of it is told as one pause", async () => {
    for (const end of ["kill", "stop"] as const) {
      const { life, fromMs } = await paused();
      await using _ = life;
      await life[end]();
      life.clock.advance(3_600_000);
      await life.boot();
      expect(life.spool.pauses.of("cam01")).toEqual({ sinceMs: fromMs });
      life.clock.advance(60_000);
      await resume(life);
      const gaps = await life.gaps();
      expect(new Set((await life.causes()).map((text) => text.split(" ")[0]))).toEqual(new Set(["paused"]));
      expect(gaps.reduce((sum, gap) => sum + gap.toMs - gap.fromMs, 0)).toBe(
        life.nowMs - fragmentMs - fromMs,
      );
      await life.stop();
      await life.boot();
      expect(life.spool.pauses.of("cam01")).toBeUndefined();
    }
  });

  test("that ended before the node did is no reason for what is missing afterwards", async () => {
    const { life } = await paused();
    await using _ = life;
    await resume(life);
    await life.spool.gaps.flush();
    life.kill();
    life.clock.advance(60_000);
    await life.boot();
    await life.record(1);
    expect((await life.causes()).map((text) => text.split(" ")[0])).toEqual(["paused", "node_down"]);
  });
});

describe("a start", () => {
  test("finds what an earlier process left while recording already goes on", async () => {
    await using life = await newLife();
    await life.boot();
    await life.record(5);
    await life.stop();
    life.clock.advance(50_000);
    await life.boot({ load: false });
    await life.record(2);
    await life.endRun("the source is away");
    life.clock.advance(20_000);
    await life.record(2);
    await life.load();
    expect((await life.causes()).sort()).toEqual(["camera_failed 20", "node_stopped 50"]);
  });

  test("without the state of the last process goes by the newest segment", async () => {
    await using life = await newLife();
    await life.boot();
    await life.record(5);
    await life.stop();
    await writeFile(join(life.root, "recorded.json"), "{");
    life.clock.advance(50_000);
    await life.boot();
    await life.record(2);
    expect(await life.causes()).toEqual(["node_down 50"]);
  });
});

type Step = { do: "record" | "die" | "pause" | "stop" | "kill" | "flush" | "tick"; amount: number };

test("recorded and gaps together are the whole time, whatever happens", async () => {
  const steps = fc.array(
    fc.record({
      do: fc.constantFrom<Step["do"]>(
        "record",
        "record",
        "record",
        "die",
        "pause",
        "stop",
        "kill",
        "flush",
        "tick",
      ),
      amount: fc.integer({ min: 1, max: 40 }),
    }),
    { minLength: 1, maxLength: 14 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      await using life = await newLife();
      await life.boot();
      const beginMs = life.nowMs;
      await life.record(1);
      await life.spool.gaps.flush();
      for (const { do: what, amount } of script) {
        if (what === "record") await life.record(amount);
        else if (what === "flush") await life.spool.gaps.flush();
        else if (what === "tick") life.spool.gaps.tick();
        else {
          if (what === "die") await life.endRun("ffmpeg exited with 1");
          else if (what === "pause") await life.pause();
          else if (what === "stop") await life.stop();
          else life.kill();
          life.clock.advance(amount * 1000);
          if (what === "stop" || what === "kill") await life.boot();
        }
      }
      await life.record(1);
      await life.endRun("boundary");
      const spans = [...(await life.recorded()), ...(await life.gaps())].sort((a, b) => a.fromMs - b.fromMs);
      let reachedMs = beginMs;
      for (const span of spans) {
        // No hole between them, and none is there twice.
        expect(Math.abs(span.fromMs - reachedMs)).toBeLessThan(leastMs);
        reachedMs = span.toMs;
      }
      expect(reachedMs).toBe(life.nowMs);
      life.kill();
    }),
    { numRuns: 40 },
  );
}, 60_000);
