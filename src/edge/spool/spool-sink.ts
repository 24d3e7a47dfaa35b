import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncDirectory } from "../../common/atomic-file.ts";
import type { Clock } from "../../common/clock.ts";
import { AppError, errnoOf } from "../../common/errors.ts";
import { inForce, type Live } from "../../common/live-setting.ts";
import type { OpenSegment, SegmentEnd, SegmentSink, SegmentStart } from "../recorder/segment-sink.ts";
import { writeSegmentTables } from "../segment-tables.ts";
import type { ClockAnchor } from "./clock-anchor.ts";
import { DiskSpace } from "./disk-space.ts";
import type { Inventory, SpoolSegment } from "./inventory.ts";
import type { Redating } from "./redating.ts";
import { SegmentFile } from "./segment-file.ts";
import { formatSegmentName } from "./segment-name.ts";
import { type ClosedSegment, writeClosedRecord, writeStartedRecord } from "./segment-record.ts";
import { type SpoolLayout, tablesFile, videoFile } from "./spool-layout.ts";

export interface SpoolSinkOptions {
  layout: SpoolLayout;
  inventory: Inventory;
  clock: Clock;
  /** Asked for each segment anew. */
  fsyncIntervalMs: Live<number>;
  redating: Redating;
  /** Nothing is to be recorded until there is room. */
  isStopped: () => boolean;
  /** Takes a segment whose close the disk refused; what was recorded of it is known, and it is to be closed later. */
  onUnfinished: (segment: SpoolSegment, closed: ClosedSegment) => void;
}

/** A segment that is being recorded, as far as it is written. */
export interface GrowingSegment {
  readonly start: SegmentStart;
  readonly sizeBytes: number;
  /** Undefined before the first fragment. */
  readonly endTimeMs: number | undefined;
}

/** Records into the spool: `recording/<name>/` while it grows, then one rename to `closed/`. */
export class SpoolSink implements SegmentSink {
  readonly #options: SpoolSinkOptions;
  readonly #space: DiskSpace;
  readonly #growing = new Map<string, GrowingSegment>();

  constructor(options: SpoolSinkOptions) {
    this.#options = options;
    this.#space = new DiskSpace(options.layout.root, options.clock, options.isStopped);
  }

  /** By id: what is being recorded, until it is closed or given up. */
  get growing(): ReadonlyMap<string, GrowingSegment> {
    return this.#growing;
  }

  async open(start: SegmentStart, initSegment: Uint8Array): Promise<OpenSegment> {
    const { layout, inventory, clock, fsyncIntervalMs, redating } = this.#options;
    const anchor = redating.anchorOf(start);
    const name = formatSegmentName(start);
    const directory = layout.directoryOf("recording", name);
    let file: SegmentFile | undefined;
    try {
      await this.#space.take(initSegment.byteLength);
      await mkdir(directory);
      await writeStartedRecord(directory, start, anchor);
      file = await SegmentFile.create(join(directory, videoFile), {
        clock,
        syncIntervalMs: inForce(fsyncIntervalMs),
        syncNames: async () => {
          await syncDirectory(directory);
          await syncDirectory(dirname(directory));
        },
      });
      await file.append(initSegment);
    } catch (error) {
      await file?.finish().catch(() => undefined);
      // The error that is told is the first one; what cannot be removed is removed by the next start.
      await rm(directory, { recursive: true, force: true }).catch(() => undefined);
      throw ioError("cannot open a segment in the spool", error);
    }
    const { cameraId, videoId, startTimeMs } = start;
    const segment = { name, cameraId, videoId, startTimeMs, sizeBytes: 0 };
    inventory.add("recording", segment);
    const writer = new SpoolSegmentWriter(this.#options, this.#space, segment, { start, anchor }, file, () =>
      this.#growing.delete(videoId),
    );
    this.#growing.set(videoId, writer);
    return writer;
  }
}

interface SegmentOrigin {
  start: SegmentStart;
  anchor: ClockAnchor | undefined;
}

class SpoolSegmentWriter implements OpenSegment, GrowingSegment {
  readonly #options: SpoolSinkOptions;
  readonly #space: DiskSpace;
  readonly #segment: SpoolSegment;
  readonly #origin: SegmentOrigin;
  readonly #file: SegmentFile;
  readonly #onEnd: () => void;
  #fragments = 0;
  #endTimeMs: number | undefined;

  constructor(
    options: SpoolSinkOptions,
    space: DiskSpace,
    segment: SpoolSegment,
    origin: SegmentOrigin,
    file: SegmentFile,
    onEnd: () => void,
  ) {
    this.#options = options;
    this.#space = space;
    this.#segment = segment;
    this.#origin = origin;
    this.#file = file;
    this.#onEnd = onEnd;
  }

  get start(): SegmentStart {
    return this.#origin.start;
  }

  get videoId(): string {
    return this.#segment.videoId;
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes;
  }

  get endTimeMs(): number | undefined {
    return this.#endTimeMs;
  }

  async append(fragment: Uint8Array, endTimeMs?: number): Promise<void> {
    await this.#space.take(fragment.byteLength);
    await this.#file.append(fragment);
    this.#fragments++;
    this.#endTimeMs = endTimeMs ?? this.#endTimeMs;
  }

  async close(end: SegmentEnd): Promise<string> {
    try {
      return await this.#close(end);
    } finally {
      this.#onEnd();
    }
  }

  async #close(end: SegmentEnd): Promise<string> {
    const { layout, inventory, redating } = this.#options;
    const { name, videoId } = this.#segment;
    const { start, anchor } = this.#origin;
    const directory = layout.directoryOf("recording", name);
    const { endReason, index, ...ended } = end;
    const { sizeBytes, recordedSha256, spoolChecksum } = this.#file.seal();
    if (this.#fragments === 0) {
      await this.#file.finish().catch(() => undefined);
      await rm(directory, { recursive: true, force: true });
      inventory.remove("recording", videoId);
      throw new AppError("io", "the segment got no whole fragment and was dropped");
    }
    const closed: ClosedSegment = {
      identity: { ...start, ...ended, recordedSha256 },
      endReason,
      sizeBytes,
      spoolChecksum,
      anchor,
    };
    const segment = { ...this.#segment, sizeBytes, held: redating.holds(anchor) };
    try {
      await this.#file.finish();
      if (index) await writeSegmentTables(join(directory, tablesFile), index, closed.identity);
      await writeClosedRecord(directory, closed);
      await layout.move(name, "recording", "closed");
    } catch (error) {
      this.#options.onUnfinished(segment, closed);
      throw ioError("cannot close a segment in the spool", error);
    }
    inventory.remove("recording", videoId);
    inventory.add("closed", segment);
    return layout.videoPathOf("closed", name);
  }
}

function ioError(message: string, cause: unknown): AppError {
  if (cause instanceof AppError && cause.code === "io") return cause;
  return new AppError("io", message, { cause, details: { errno: errnoOf(cause) } });
}
