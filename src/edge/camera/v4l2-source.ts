import type { SourceConfig } from "../config.ts";
import type { CapturePlan } from "./camera-source.ts";
import { encodeAudio, encodeVideo, ffmpegStart, fragmentedMp4Output } from "./ffmpeg-arguments.ts";

type V4l2Source = Extract<SourceConfig, { type: "v4l2" }>;

/** A USB camera. What it gives as H.264 is copied, with the keyframes it sets itself; pictures are encoded. */
export function planV4l2Capture(source: V4l2Source): CapturePlan {
  const { input_format: format, device, audio_device: audioDevice } = source;
  const video =
    format === "h264"
      ? ["-c:v", "copy"]
      : [
          ...encodeVideo({
            codec: source.codec,
            preset: source.codec === "h265" ? "ultrafast" : "veryfast",
            fps: source.fps,
            keyframeSeconds: source.keyframe_seconds,
            bitrateBps: source.bitrate,
          }),
          // Webcams give fewer frames in poor light; keyframes keep coming by time.
          ...["-force_key_frames", `expr:gte(t,n_forced*${source.keyframe_seconds})`],
        ];
  return {
    commands: [
      {
        argv: [
          ...ffmpegStart,
          ...["-f", "v4l2", "-thread_queue_size", "64"],
          ...["-input_format", format, "-framerate", String(source.fps)],
          ...["-video_size", `${source.width}x${source.height}`, "-i", device],
          ...(audioDevice ? ["-f", "alsa", "-thread_queue_size", "1024", "-i", audioDevice] : []),
          ...["-map", "0:v:0", ...(audioDevice ? ["-map", "1:a:0"] : [])],
          ...video,
          ...(audioDevice ? encodeAudio : []),
          ...fragmentedMp4Output,
        ],
      },
    ],
  };
}
