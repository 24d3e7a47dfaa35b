import { type Clock, earliestWallMs } from "../../common/clock.ts";
import type { Live } from "../../common/live-setting.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import type { GapCause } from "../../common/protocol/gap.ts";
import { Wakeup } from "../../common/wakeup.ts";
import { CameraLine, pausedDetail, type SegmentEnded } from "./camera-line.ts";
import type { GapStore } from "./gap-store.ts";
import type { GapSpan } from "./plan-gaps.ts";
import type { Accounted } from "./recorded-state.ts";

const intervalMs = 30_000;

export interface GapLedgerOptions {
  store: GapStore;
  /** As an earlier process left it; undefined when there was none, or it cannot be read. */
  before: ReadonlyMap<string, Accounted> | undefined;
  /** Makes the state durable. Throws `io`. */
  save: (state: ReadonlyMap<string, Accounted>) => Promise<void>;
  clock: Clock;
  /** Whether the wall clock can be believed; without it, always. */
  isClockSet?: () => boolean;
  /** So long, in ms, gaps that ended while it could not wait for their date; default 0. */
  holdMs?: Live<number>;
  logger: Logger;
}

/** Finds what is recorded of a camera between two moments, as far as the spool still knows; without order. */
export type FindRecorded = (
  cameraId: string,
  range: { fromMs: number | undefined; toMs: number },
) => Promise<readonly { fromMs: number; toMs: number }[]>;

/**
 * Accounts for every second of every camera: what is in no segment becomes a gap with a cause. It hears of segments
 * from the sink and of pauses from whoever asks for them; none of those calls waits for the disk or throws. What is to
 * be durable is written by `run` and `flush`, gaps before the state that says they are accounted for.
 */
export class GapLedger {
  readonly #options: GapLedgerOptions;
  readonly #lines = new Map<string, CameraLine>();
  readonly #wakeup = new Wakeup();
  #unwritten: { cameraId: string; span: GapSpan }[] = [];
  #isSettled = false;
  #isDirty = false;
  #flushing: Promise<void> | undefined;

  constructor(options: GapLedgerOptions) {
    this.#options = options;
  }

  /**
   * From now on these cameras should record, but for those that are paused. What they did not since the last process
   * ended is found by `settle`; one that comes after it is new and has no past.
   */
  expect(cameraIds: readonly string[], isPaused: (cameraId: string) => boolean = () => false): void {
    for (const cameraId of cameraIds) {
      const line = this.#lineOf(cameraId);
      line.expect({ isPaused: isPaused(cameraId) });
      if (this.#isSettled) this.#tell(cameraId, line.settle(undefined, []));
    }
  }

  /** This camera is not to record any more: nothing is missing of it from now on. Call when its segment is closed. */
  forget(cameraId: string): void {
    const line = this.#lines.get(cameraId);
    if (!line) return;
    this.#lines.delete(cameraId);
    this.#tell(cameraId, [...line.stopped(), ...line.dated({ isOver: true })]);
    this.#changed();
  }

  /** A segment has its first fragment. */
  started(cameraId: string, startTimeMs: number): void {
    const line = this.#lineOf(cameraId);
    this.#tell(cameraId, line.started(startTimeMs));
  }

  appended(cameraId: string): void {
    this.#lineOf(cameraId).appended();
  }

  /** A segment ended; nothing is recorded until the next is `started`. */
  ended(cameraId: string, end: SegmentEnded): void {
    this.#lineOf(cameraId).ended(end);
    this.#changed();
  }

  /** What is missing from now on is missing for this. Says nothing about a camera that is being recorded. */
  interrupted(cameraId: string, cause: GapCause, detail: string): void {
    this.#lineOf(cameraId).interrupted(cause, detail);
    this.#changed();
  }

  paused(cameraId: string): void {
    this.interrupted(cameraId, "paused", pausedDetail);
  }

  resumed(cameraId: string): void {
    this.interrupted(cameraId, "camera_failed", "nothing came after the pause");
  }

  /** Its run was ended for other settings; when nothing comes soon, they are not the cause any more. */
  reconfigured(cameraId: string): void {
    this.interrupted(cameraId, "reconfigured", "settings changed");
    this.interrupted(cameraId, "camera_failed", "nothing came after the settings were changed");
  }

  /** The last words of a process that ends cleanly: durable when it resolves. Throws `io`. */
  async stopped(): Promise<void> {
    for (const [cameraId, line] of this.#lines) {
      this.#tell(cameraId, [...line.stopped(), ...line.dated({ isOver: true })]);
    }
    this.#changed();
    await this.flush();
  }

  /** A segment that was recorded is lost; its id is the gap's. Durable when it resolves. Throws `io`. */
  async lost(segment: { cameraId: string; videoId: string }, span: GapSpan): Promise<void> {
    if (span.toMs > span.fromMs && span.fromMs >= earliestWallMs)
      await this.#options.store.add(segment.cameraId, span, segment.videoId);
  }

  /** Tells what was not recorded between the last process and this one. Call once the spool was looked through. */
  async settle(findRecorded: FindRecorded): Promise<void> {
    const { before, store } = this.#options;
    for (const [cameraId, line] of this.#lines) {
      const known = before?.get(cameraId);
      // A camera that is new in a config that had others has no past.
      const isNew = before !== undefined && known === undefined;
      const range = { fromMs: known?.untilMs, toMs: line.firstMs };
      const recorded = isNew ? [] : await findRecorded(cameraId, range);
      const told = store.spansOf(cameraId);
      this.#tell(cameraId, line.settle(known, isNew ? [] : [...recorded, ...told]));
    }
    this.#isSettled = true;
    this.#changed();
  }

  /** Until aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    let isFailing = false;
    while (!signal.aborted) {
      this.tick();
      try {
        await this.flush();
        isFailing = false;
      } catch (error) {
        if (!isFailing) this.#options.logger.error("gaps cannot be written down", errorFields(error));
        isFailing = true;
      }
      await this.#wakeup.wait(signal, intervalMs);
      if (isFailing && !signal.aborted) await Bun.sleep(1000);
    }
  }

  /** A gap that goes on is told in parts, so that the hub knows of it and a crash costs little of it. */
  tick(): void {
    for (const [cameraId, line] of this.#lines) this.#tell(cameraId, [...line.dated(), ...line.tick()]);
  }

  /** Throws `io`; what was not written then is written the next time. */
  async flush(): Promise<void> {
    while (this.#flushing) await this.#flushing.catch(() => undefined);
    this.#flushing = this.#write();
    try {
      await this.#flushing;
    } finally {
      this.#flushing = undefined;
    }
  }

  async #write(): Promise<void> {
    const { store, save } = this.#options;
    const isDirty = this.#isDirty && this.#isSettled;
    const state = new Map([...this.#lines].flatMap(([id, line]) => line.accounted(id)));
    while (this.#unwritten[0]) {
      await store.add(this.#unwritten[0].cameraId, this.#unwritten[0].span);
      this.#unwritten.shift();
    }
    if (!isDirty) return;
    this.#isDirty = false;
    try {
      await save(state);
    } catch (error) {
      this.#isDirty = true;
      throw error;
    }
  }

  #lineOf(cameraId: string): CameraLine {
    let line = this.#lines.get(cameraId);
    if (!line) {
      const { clock, isClockSet = () => true, holdMs = 0 } = this.#options;
      line = new CameraLine({ clock, isClockSet, holdMs });
      this.#lines.set(cameraId, line);
    }
    return line;
  }

  #tell(cameraId: string, spans: readonly GapSpan[]): void {
    if (spans.length === 0) return;
    this.#unwritten.push(...spans.map((span) => ({ cameraId, span })));
    this.#changed();
  }

  #changed(): void {
    this.#isDirty = true;
    this.#wakeup.wake();
  }
}
