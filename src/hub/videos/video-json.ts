import * as v from "valibot";
import { formatWireTime } from "../../common/protocol/wire.ts";
import { ClockState } from "../../common/segment-identity.ts";
import { type Video, videoStatuses } from "../db/catalog.ts";

const time = v.pipe(v.string(), v.isoTimestamp());

/** A video as the API tells it: the original design's VideoMetadata, then ours. */
export const VideoJson = v.pipe(
  v.object({
    video_id: v.pipe(v.string(), v.uuid()),
    camera_id: v.string(),
    file_path: v.pipe(v.string(), v.description("Relative to the archive's root.")),
    file_size: v.pipe(v.number(), v.integer(), v.description("Bytes.")),
    duration: v.pipe(v.number(), v.description("Seconds of media.")),
    created_at: v.pipe(time, v.description("When the hub learned of it.")),
    start_time: time,
    end_time: time,
    resolution: v.object({ width: v.number(), height: v.number() }),
    fps: v.number(),
    status: v.picklist(videoStatuses),
    duration_ms: v.pipe(v.number(), v.integer()),
    codec: v.pipe(v.string(), v.description("RFC 6381.")),
    node_id: v.string(),
    run_id: v.pipe(
      v.string(),
      v.description("Videos of one run follow each other without a cut in the media."),
    ),
    sequence: v.pipe(v.number(), v.integer(), v.description("Position in the run, from 0.")),
    time_zone: v.pipe(v.string(), v.description("IANA zone of the file's name.")),
    recorded_sha256: v.pipe(v.string(), v.description("Of the bytes as the camera's node recorded them.")),
    file_sha256: v.pipe(v.string(), v.description("Of the archived file, as sha256sum prints it.")),
    clock_state: ClockState,
    software_version: v.string(),
    mock: v.pipe(
      v.boolean(),
      v.description("No footage, but the picture that was recorded while the camera gave none."),
    ),
    notes: v.string(),
    stream_url: v.pipe(v.string(), v.description("Path on this hub; MP4, with byte ranges.")),
    thumbnail_url: v.pipe(v.string(), v.description("Path on this hub; JPEG.")),
  }),
  v.metadata({ ref: "Video" }),
);
export type VideoJson = v.InferOutput<typeof VideoJson>;

export const VideoPageJson = v.object({
  videos: v.array(VideoJson),
  next_cursor: v.pipe(
    v.nullable(v.string()),
    v.description(
      "Pass it as `cursor`, with everything else as before, for the next page; null on the last.",
    ),
  ),
});

export function formatVideo(video: Video): VideoJson {
  return {
    video_id: video.videoId,
    camera_id: video.cameraId,
    file_path: video.filePath,
    file_size: video.fileSizeBytes,
    duration: video.durationMs / 1000,
    created_at: formatWireTime(video.createdAtMs),
    start_time: formatWireTime(video.startTimeMs),
    end_time: formatWireTime(video.endTimeMs),
    resolution: { width: video.width, height: video.height },
    fps: video.fps,
    status: video.status,
    duration_ms: video.durationMs,
    codec: video.codec,
    node_id: video.nodeId,
    run_id: video.runId,
    sequence: video.sequence,
    time_zone: video.timeZone,
    recorded_sha256: video.recordedSha256,
    file_sha256: video.fileSha256,
    clock_state: video.clockState,
    software_version: video.softwareVersion,
    mock: video.isMock === true,
    notes: video.notes,
    stream_url: streamUrlOf(video.videoId),
    thumbnail_url: thumbnailUrlOf(video.videoId),
  };
}

export function streamUrlOf(videoId: string): string {
  return `/api/videos/${videoId}/stream`;
}

export function thumbnailUrlOf(videoId: string): string {
  return `/api/videos/${videoId}/thumbnail`;
}
