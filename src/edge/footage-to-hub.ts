import type { NodeSegment, SegmentList } from "../common/protocol/footage.ts";
import { formatWireTime } from "../common/protocol/wire.ts";
import type { ControlledFootage } from "./control/controlled-node.ts";
import type { Spool } from "./spool/spool.ts";
import type { FootageSegment } from "./spool/spool-footage.ts";
import type { Uploader } from "./uploader/uploader.ts";

/** What lies in the spool, as the hub may see it, with how far each upload is. */
export function createFootageToHub(parts: {
  spool: Pick<Spool, "footage">;
  uploader: Pick<Uploader, "isUploading" | "uploadProgress">;
}): ControlledFootage {
  const { spool, uploader } = parts;

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
  };
}
