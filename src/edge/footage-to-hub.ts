import { AppError } from "../common/errors.ts";
import { inForce, type Live } from "../common/live-setting.ts";
import type { Subsegment } from "../common/mp4/sidx.ts";
import {
  footageLimits,
  type IndexedFragment,
  type NodeSegment,
  type SegmentList,
} from "../common/protocol/footage.ts";
import { formatWireTime } from "../common/protocol/wire.ts";
import type { ControlledFootage } from "./control/controlled-node.ts";
import { RateLimit } from "./rate-limit.ts";
import { FootageIndexes } from "./spool/footage-index.ts";
import type { Spool } from "./spool/spool.ts";
import type { FootageSegment } from "./spool/spool-footage.ts";
import type { Uploader } from "./uploader/uploader.ts";

/** Of one read: the recording has the disk in between. */
const readBytes = 64 * 1024;
/** A low limit makes parts shorter, so that each comes in time. */
const partMs = 2_000;
const leastPartBytes = 32 * 1024;

/** What lies in the spool, as the hub may see it, with how far each upload is. */
export function createFootageToHub(parts: {
  spool: Pick<Spool, "footage">;
  uploader: Pick<Uploader, "isUploading" | "uploadProgress" | "prioritise">;
  maxBytesPerSecond: Live<number>;
}): ControlledFootage {
  const { spool, uploader, maxBytesPerSecond } = parts;
  const indexes = new FootageIndexes(spool.footage);
  let limit = new RateLimit({ bytesPerSecond: inForce(maxBytesPerSecond) });

  /** The one for all who watch, at the rate as it is now. */
  const limitInForce = () => {
    const bytesPerSecond = inForce(maxBytesPerSecond);
    if (bytesPerSecond !== limit.bytesPerSecond) limit = new RateLimit({ bytesPerSecond });
    return limit;
  };

  const formatSegment = (segment: FootageSegment): NodeSegment => {
    const { videoId, state } = segment;
    const isUploading = state === "closed" && uploader.isUploading(videoId);
    return {
      video_id: videoId,
      camera_id: segment.cameraId,
      run_id: segment.runId,
      sequence: segment.sequence,
      start_time: formatWireTime(segment.startTimeMs),
      end_time: formatWireTime(segment.endTimeMs),
      size_bytes: segment.sizeBytes,
      codec: segment.codec,
      width: segment.width,
      height: segment.height,
      clock_state: segment.clockState,
      ...(segment.isMock && { mock: true }),
      state: isUploading ? "uploading" : state === "closed" ? "waiting" : state,
      progress: state === "archived" ? 1 : Math.min(1, uploader.uploadProgress(videoId) ?? 0),
    };
  };

  return {
    async list(query): Promise<SegmentList> {
      const { segments, hasMore } = await spool.footage.list(query);
      return { segments: segments.map(formatSegment), has_more: hasMore };
    },

    async index(videoId, firstFragment, signal) {
      const { cameraId, isComplete, initSizeBytes, timescale, fragments } = await indexes.of(videoId, signal);
      return {
        video_id: videoId,
        camera_id: cameraId,
        is_complete: isComplete,
        init_size_bytes: initSizeBytes,
        timescale,
        start_ticks: fragments[0]?.startTicks ?? 0,
        fragment_count: fragments.length,
        fragments: fragments
          .slice(firstFragment, firstFragment + footageLimits.fragments)
          .map(formatFragment),
      };
    },

    prioritise: (videoId) => uploader.prioritise(videoId),

    async read(videoId, { start, end }, signal) {
      const opened = await spool.footage.open(videoId);
      await using file = opened.file;
      if (end > opened.sizeBytes) {
        throw new AppError("invalid_input", `segment ${videoId} has ${opened.sizeBytes} bytes`, {
          issues: [{ path: "end", message: "expected a place in what is written" }],
        });
      }
      const mostBytes = Math.max(leastPartBytes, (limitInForce().bytesPerSecond * partMs) / 1000);
      const bytes = new Uint8Array(Math.min(end - start, mostBytes));
      for (let done = 0; done < bytes.length; ) {
        const rate = limitInForce();
        const piece = bytes.subarray(done, done + Math.min(readBytes, rate.stepBytes));
        await rate.take(piece.length, signal);
        if ((await file.readInto(piece, start + done)) < piece.length) {
          throw new AppError("io", `the file of segment ${videoId} ends before byte ${end}`);
        }
        done += piece.length;
      }
      return bytes;
    },
  };
}

function formatFragment({
  sizeBytes,
  durationTicks,
  startsWithKeyframe,
  closed,
}: Subsegment): IndexedFragment {
  return [sizeBytes, durationTicks, startsWithKeyframe ? (closed ? "closed" : "open") : "none"];
}
