import { AppError } from "../../common/errors.ts";
import { newUuidV7 } from "../../common/ids.ts";
import { inForce, type Live } from "../../common/live-setting.ts";
import type { Fragment } from "../../common/mp4/fragment.ts";
import { SegmentIndex } from "../../common/mp4/segment-index.ts";
import type { ClockState } from "../../common/segment-identity.ts";
import type { RecordingRun } from "./recording-run.ts";
import type { OpenSegment, SegmentSink } from "./segment-sink.ts";
import { SegmentTally } from "./segment-tally.ts";
import { nextBoundary } from "./segmenter.ts";

/** What every segment of a recorder has in common. */
export interface SegmentOrigin {
  cameraId: string;
  nodeId: string;
  timeZone: string;
  /** Asked for each segment anew. */
  segmentSeconds: Live<number>;
  softwareVersion: string;
}

/** A segment that is being written. */
export class SegmentWriter {
  readonly sequence: number;
  readonly startTimeMs: number;
  /** Where it is to end. */
  readonly boundaryMs: number;
  readonly #run: RecordingRun;
  readonly #open: OpenSegment;
  readonly #clockState: ClockState;
  readonly #tally: SegmentTally;
  /** Undefined since a fragment could not be put into it. */
  #index: SegmentIndex | undefined;
  #endTimeMs: number;

  private constructor(
    run: RecordingRun,
    open: OpenSegment,
    values: { sequence: number; startTimeMs: number; boundaryMs: number; clockState: ClockState },
  ) {
    this.#run = run;
    this.#open = open;
    this.#tally = new SegmentTally(run.init);
    this.#index = new SegmentIndex(run.init);
    this.sequence = values.sequence;
    this.startTimeMs = values.startTimeMs;
    this.boundaryMs = values.boundaryMs;
    this.#clockState = values.clockState;
    this.#endTimeMs = values.startTimeMs;
  }

  /** Opens a segment that begins at `startTimeMs`; its fragments are still to be appended. Rejects with what the sink says. */
  static async open(
    sink: SegmentSink,
    origin: SegmentOrigin,
    begin: { run: RecordingRun; startTimeMs: number; clockState: ClockState; isMock: boolean },
  ): Promise<SegmentWriter> {
    const { run, startTimeMs, clockState, isMock } = begin;
    const { cameraId, nodeId, timeZone, segmentSeconds, softwareVersion } = origin;
    const sequence = run.takeSequence();
    const { video, tracks, bytes } = run.init;
    const open = await sink.open(
      {
        videoId: newUuidV7(startTimeMs),
        cameraId,
        nodeId,
        runId: run.id,
        sequence,
        startTimeMs,
        timeZone,
        codec: tracks.map(({ codec }) => codec).join(","),
        width: video.width,
        height: video.height,
        clockState,
        softwareVersion,
        ...(isMock && { isMock }),
        wallOffsetMs: run.clock.wallOffsetMs,
      },
      bytes,
    );
    const boundaryMs = nextBoundary(startTimeMs, timeZone, inForce(segmentSeconds));
    return new SegmentWriter(run, open, { sequence, startTimeMs, boundaryMs, clockState });
  }

  get sizeBytes(): number {
    return this.#open.sizeBytes;
  }

  /** Rejects with `io` when the disk refuses it; then the segment can only be closed, with what it has. */
  async append(fragment: Fragment): Promise<void> {
    const endTimeMs = fragment.hasVideo ? this.#run.endOf(fragment) : this.#endTimeMs;
    await this.#open.append(fragment.bytes, endTimeMs);
    this.#tally.add(fragment);
    this.#addToIndex(fragment);
    this.#endTimeMs = endTimeMs;
  }

  /** What the tables of an MP4 cannot hold is recorded nevertheless; the upload then tells what is wrong with it. */
  #addToIndex(fragment: Fragment): void {
    try {
      this.#index?.addFragment(fragment);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "corrupt_file") throw error;
      this.#index = undefined;
    }
  }

  /** `nextStartMs`: where the next segment of the run starts, if one does. Returns the path of the closed file. */
  close(endReason: string, nextStartMs?: number): Promise<string> {
    return this.#open.close({
      // A clock that settles may set back a little; a segment never ends before it started.
      endTimeMs: Math.max(nextStartMs ?? this.#endTimeMs, this.startTimeMs + 1),
      durationMs: this.#tally.durationMs,
      fps: this.#tally.fps,
      clockState: this.#clockState,
      endReason,
      index: this.#index,
    });
  }
}
