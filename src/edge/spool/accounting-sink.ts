import { AppError, describeError, errnoOf } from "../../common/errors.ts";
import type { GapCause } from "../../common/protocol/gap.ts";
import type { OpenSegment, SegmentEnd, SegmentSink, SegmentStart } from "../recorder/segment-sink.ts";
import type { GapLedger } from "./gap-ledger.ts";

/** Passes segments on to `sink`, and tells the ledger what of them was kept. */
export class AccountingSink implements SegmentSink {
  readonly #sink: SegmentSink;
  readonly #ledger: Pick<GapLedger, "started" | "appended" | "ended" | "interrupted">;

  constructor(sink: SegmentSink, ledger: Pick<GapLedger, "started" | "appended" | "ended" | "interrupted">) {
    this.#sink = sink;
    this.#ledger = ledger;
  }

  async open(start: SegmentStart, initSegment: Uint8Array): Promise<OpenSegment> {
    // No footage: the time stays missing for what the ledger knows already.
    if (start.isMock) return this.#sink.open(start, initSegment);
    const ledger = this.#ledger;
    const { cameraId, startTimeMs, wallOffsetMs } = start;
    let segment: OpenSegment;
    try {
      segment = await this.#sink.open(start, initSegment);
    } catch (error) {
      ledger.interrupted(cameraId, causeOf(error), describeError(error));
      throw error;
    }
    let hasFragment = false;
    let refusal: { cause: GapCause; detail: string } | undefined;
    return {
      videoId: segment.videoId,
      get sizeBytes() {
        return segment.sizeBytes;
      },
      async append(fragment: Uint8Array, endTimeMs?: number): Promise<void> {
        try {
          await segment.append(fragment, endTimeMs);
        } catch (error) {
          refusal = { cause: causeOf(error), detail: describeError(error) };
          if (!hasFragment) ledger.interrupted(cameraId, refusal.cause, refusal.detail);
          throw error;
        }
        if (hasFragment) ledger.appended(cameraId);
        else ledger.started(cameraId, startTimeMs);
        hasFragment = true;
      },
      async close(end: SegmentEnd): Promise<string> {
        const detail = end.endReason === "boundary" ? "nothing came after a segment" : end.endReason;
        const because = refusal ?? { cause: "camera_failed", detail };
        // One that cannot be closed now is closed later: what is in it is not missing.
        const { endTimeMs, fps } = end;
        const isUndated = end.clockState === "unsynced";
        if (hasFragment) ledger.ended(cameraId, { endTimeMs, fps, wallOffsetMs, isUndated, ...because });
        return segment.close(end);
      },
    };
  }
}

/** The disk is full, or it fails in another way. */
function causeOf(error: unknown): "disk_full" | "disk_error" {
  const errno = error instanceof AppError ? error.details.errno : errnoOf(error);
  return errno === "ENOSPC" || errno === "EDQUOT" ? "disk_full" : "disk_error";
}
