import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncDirectory } from "../../common/atomic-file.ts";
import type { Clock } from "../../common/clock.ts";
import { AppError, errnoOf } from "../../common/errors.ts";
import { inForce, type Live } from "../../common/live-setting.ts";
import type { OpenSegment, SegmentEnd, SegmentSink, SegmentStart } from "../recorder/segment-sink.ts";
import type { ClockAnchor } from "./clock-anchor.ts";
import { DiskSpace } from "./disk-space.ts";
import type { Inventory, SpoolSegment } from "./inventory.ts";
import type { Redating } from "./redating.ts";
import { SegmentFile } from "./segment-file.ts";
import { formatSegmentName } from "./segment-name.ts";
import { type ClosedSegment, writeClosedRecord, writeStartedRecord } from "./segment-record.ts";
import { type SpoolLayout, videoFile } from "./spool-layout.ts";

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

/** Records into the spool: `recording/<name>/` while it grows, then one rename to `closed/`. */
export class SpoolSink implements SegmentSink {
  readonly #options: SpoolSinkOptions;
  readonly #space: DiskSpace;

  constructor(options: SpoolSinkOptions) {
    this.#options = options;
    this.#space = new DiskSpace(options.layout.root, options.clock, options.isStopped);
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
    return new SpoolSegmentWriter(this.#options, this.#space, segment, { start, anchor }, file);
  }
}

interface SegmentOrigin {
  start: SegmentStart;
  anchor: ClockAnchor | undefined;
}

class SpoolSegmentWriter implements OpenSegment {
  readonly #options: SpoolSinkOptions;
  readonly #space: DiskSpace;
  readonly #segment: SpoolSegment;
  readonly #origin: SegmentOrigin;
  readonly #file: SegmentFile;
  #fragments = 0;

  constructor(
    options: SpoolSinkOptions,
    space: DiskSpace,
    segment: SpoolSegment,
    origin: SegmentOrigin,
    file: SegmentFile,
  ) {
    this.#options = options;
    this.#space = space;
    this.#segment = segment;
    this.#origin = origin;
    this.#file = file;
  }

  get videoId(): string {
    return this.#segment.videoId;
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes;
  }

  async append(fragment: Uint8Array): Promise<void> {
    await this.#space.take(fragment.byteLength);
    await this.#file.append(fragment);
    this.#fragments++;
  }

  async close(end: SegmentEnd): Promise<string> {
    const { layout, inventory, redating } = this.#options;
    const { name, videoId } = this.#segment;
    const { start, anchor } = this.#origin;
    const directory = layout.directoryOf("recording", name);
    const { endReason, ...ended } = end;
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
