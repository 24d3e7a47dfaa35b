import type * as v from "valibot";
import type { Clock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import { FolderLock } from "../../common/folder-lock.ts";
import type { Live } from "../../common/live-setting.ts";
import type { Logger } from "../../common/log.ts";
import type { SpoolStatus } from "../../common/protocol/node.ts";
import { formatWireTime } from "../../common/protocol/wire.ts";
import type { SegmentSink } from "../recorder/segment-sink.ts";
import { AccountingSink } from "./accounting-sink.ts";
import { findRecorded } from "./find-recorded.ts";
import { GapLedger } from "./gap-ledger.ts";
import { GapStore } from "./gap-store.ts";
import { HubJournal } from "./hub-journal.ts";
import { Inventory } from "./inventory.ts";
import { PauseMarks } from "./pause-marks.ts";
import { Pressure, type PressurePolicy } from "./pressure.ts";
import { Quarantine } from "./quarantine.ts";
import { type Accounted, readRecordedState, writeRecordedState } from "./recorded-state.ts";
import type { RecoveryDefaults } from "./recovery.ts";
import { type Dating, Redating } from "./redating.ts";
import { SpoolAnnounceQueue } from "./spool-announce-queue.ts";
import { SpoolFootage } from "./spool-footage.ts";
import { SpoolLayout } from "./spool-layout.ts";
import { SpoolLoader } from "./spool-loader.ts";
import { SpoolSink } from "./spool-sink.ts";
import { SpoolState } from "./spool-state.ts";
import { SpoolUpkeep } from "./spool-upkeep.ts";
import { SpoolUploadQueue } from "./spool-upload-queue.ts";

export interface SpoolOptions {
  root: string;
  fsyncIntervalMs: Live<number>;
  maxAcknowledgedBytes: Live<number>;
  /** Without it, a disk that fills is only relieved of what is acknowledged. */
  pressure?: PressurePolicy;
  defaults: RecoveryDefaults;
  clock: Clock;
  logger: Logger;
  /** Without it, segments of an unset clock are uploaded as they are. */
  dating?: Dating | undefined;
}

/**
 * The node's durable queue of segments; docs/segment-lifecycle.md has its invariants and steps. Opening it takes the
 * lock and is quick; `load` then finds and repairs what an earlier process left, while recording already goes on.
 */
export class Spool implements Disposable {
  readonly sink: SegmentSink;
  readonly uploads: SpoolUploadQueue;
  /** What the hub has not acknowledged, to look at. */
  readonly footage: SpoolFootage;
  readonly announcements: SpoolAnnounceQueue;
  readonly upkeep: SpoolUpkeep;
  readonly pressure: Pressure;
  /** What is in no segment, and why. */
  readonly gaps: GapLedger;
  readonly gapReports: GapStore;
  /** What the hub has acknowledged, for as long as it may have to be told again. */
  readonly journal: HubJournal;
  readonly redating: Redating;
  /** Which cameras are paused, through restarts. */
  readonly pauses: PauseMarks;
  readonly #inventory: Inventory;
  readonly #loader: SpoolLoader;
  readonly #lock: FolderLock;

  private constructor(
    options: SpoolOptions,
    readonly layout: SpoolLayout,
    readonly state: SpoolState,
    inventory: Inventory,
    redating: Redating,
    loader: SpoolLoader,
    lock: FolderLock,
    gaps: { ledger: GapLedger; store: GapStore; quarantine: Quarantine },
    journal: HubJournal,
    pauses: PauseMarks,
  ) {
    const { clock, logger, fsyncIntervalMs, maxAcknowledgedBytes } = options;
    this.#inventory = inventory;
    this.redating = redating;
    this.#loader = loader;
    this.#lock = lock;
    this.gaps = gaps.ledger;
    this.gapReports = gaps.store;
    this.journal = journal;
    this.pauses = pauses;
    const pressure = new Pressure({
      ...{ layout, inventory, state, maxAcknowledgedBytes, logger },
      ledger: gaps.ledger,
      policy: options.pressure,
    });
    this.pressure = pressure;
    const { quarantine } = gaps;
    this.upkeep = new SpoolUpkeep({ layout, inventory, pressure, quarantine, pauses, logger });
    const sink = new SpoolSink({
      layout,
      inventory,
      clock,
      fsyncIntervalMs,
      redating,
      isStopped: () => pressure.isStopped,
      onUnfinished: (segment, closed) => this.upkeep.addUnfinished(segment, closed),
    });
    this.sink = new AccountingSink(sink, gaps.ledger);
    this.footage = new SpoolFootage({ layout, inventory, growing: sink.growing });
    this.uploads = new SpoolUploadQueue({ layout, inventory, quarantine, state });
    this.announcements = new SpoolAnnounceQueue({ layout, inventory, journal, logger });
  }

  /** Throws `already_running`, or `io` where the folder cannot be made or written. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const { root, defaults, clock, logger, dating } = options;
    const layout = new SpoolLayout(root);
    const inventory = new Inventory();
    try {
      await layout.create();
    } catch (cause) {
      throw new AppError("io", `cannot make the spool folder ${root}`, { cause });
    }
    const lock = await FolderLock.take(root, "livecam-edge");
    try {
      const state = await SpoolState.open(root);
      const redating = new Redating({ layout, inventory, clock, logger, dating });
      const journal = await HubJournal.open({ root, clock, logger });
      const store = new GapStore({ root, journal, logger });
      const before = await readRecordedState(root);
      const save = (recorded: ReadonlyMap<string, Accounted>) => writeRecordedState(root, recorded);
      const isClockSet = () => dating?.clockSync() !== "unsynced";
      const holdMs = dating?.holdMs ?? 0;
      const ledger = new GapLedger({ store, before, save, clock, isClockSet, holdMs, logger });
      const quarantine = new Quarantine({ layout, inventory, ledger, logger });
      const loader = await SpoolLoader.open({ layout, inventory, defaults, redating, quarantine, logger });
      const gaps = { ledger, store, quarantine };
      const pauses = await PauseMarks.open({ root, clock, logger });
      return new Spool(options, layout, state, inventory, redating, loader, lock, gaps, journal, pauses);
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** Call once. What is found is in the queues when it resolves; segments closed meanwhile are there already. */
  async load(signal: AbortSignal): Promise<void> {
    await this.#loader.load(signal);
    if (signal.aborted) return;
    await this.gapReports.load();
    await this.gaps.settle((cameraId, range) => findRecorded(this.layout, this.#inventory, cameraId, range));
  }

  status(): v.InferInput<typeof SpoolStatus> & {
    quarantined_segments: number;
    conflicting_segments: number;
  } {
    const inventory = this.#inventory;
    const { step, counts, horizonMs } = this.pressure.status();
    const [oldest] = inventory.list("closed");
    return {
      waiting_segments: inventory.count("closed"),
      waiting_bytes: inventory.sizeBytes("closed"),
      unacknowledged_segments: inventory.count("archived"),
      oldest_waiting_at: oldest ? formatWireTime(oldest.startTimeMs) : null,
      lost_segments: this.state.lostSegments,
      horizon_seconds: horizonMs === undefined ? null : Math.floor(horizonMs / 1000),
      pressure: step,
      pressure_counts: counts,
      quarantined_segments: inventory.quarantined,
      conflicting_segments: inventory.list("archived").filter(({ conflict }) => conflict).length,
    };
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}
