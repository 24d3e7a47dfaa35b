import { AppError } from "../../common/errors.ts";
import type { SourceConfig } from "../config.ts";
import { refusedRpicamOptions } from "../rpicam-options.ts";
import type { CapturePlan } from "./camera-source.ts";
import { ffmpegStart, fragmentedMp4Output } from "./ffmpeg-arguments.ts";
import type { PiModel } from "./pi-model.ts";

type RpicamSource = Extract<SourceConfig, { type: "rpicam" }>;

/**
 * A Raspberry Pi camera by rpicam-vid, which encodes by libav and hands an MPEG transport stream on: a bare H.264
 * pipe would carry no times (rpicam-apps #623), and rpicam-vid's own `--segment` does not work with libav (#795).
 *
 * A Pi 4 and older encode in hardware, up to 1080p30. A Pi 5 has no encoder and uses x264, for 0.6 to 0.9 of a core at
 * 1080p30. There its default is taken, preset superfast with one B-frame, and not `--low-latency` (ultrafast without
 * CABAC and deblocking): that would show a picture 0.2 s sooner and record a visibly worse one in the same bytes.
 *
 * Throws `invalid_config` for extra options that would override what is ours.
 */
export function planRpicamCapture(source: RpicamSource, detected: PiModel): CapturePlan {
  const refused = refusedRpicamOptions(source.extra_options);
  if (refused.length > 0) {
    throw new AppError("invalid_config", `rpicam-vid options that livecam sets itself: ${refused.join(" ")}`);
  }
  const model = source.model === "auto" ? detected : source.model;
  const audioDevice = source.audio_device;
  const audio = ["--libav-audio", "--audio-codec", "aac", "--audio-bitrate", "64000"];
  return {
    commands: [
      {
        argv: [
          ...["rpicam-vid", "--nopreview", "--timeout", "0", "--verbose", "0"],
          ...["--camera", String(source.camera)],
          ...["--width", String(source.width), "--height", String(source.height)],
          ...["--framerate", String(source.fps)],
          ...["--rotation", String(source.rotation), "--autofocus-mode", source.autofocus],
          ...(source.tuning_file ? ["--tuning-file", source.tuning_file] : []),
          ...["--codec", "libav", "--libav-format", "mpegts"],
          ...["--libav-video-codec", model === "pi4" ? "h264_v4l2m2m" : "libx264"],
          ...["--bitrate", String(source.bitrate)],
          ...["--intra", String(Math.max(1, Math.round(source.fps * source.keyframe_seconds)))],
          // Sound by rpicam-vid itself, which times it against the picture by one clock.
          ...(audioDevice ? [...audio, "--audio-source", "alsa", "--audio-device", audioDevice] : []),
          ...source.extra_options,
          ...["--output", "-"],
        ],
      },
      {
        argv: [
          ...ffmpegStart,
          // Without this ffmpeg looks at five seconds of a transport stream before it passes on the first frame.
          ...["-analyzeduration", "500000", "-f", "mpegts", "-i", "pipe:0"],
          ...["-map", "0:v:0", "-c:v", "copy"],
          // A transport stream has AAC with ADTS headers; fragmenting, ffmpeg does not convert them by itself.
          ...(audioDevice ? ["-map", "0:a:0", "-c:a", "copy", "-bsf:a", "aac_adtstoasc"] : []),
          ...fragmentedMp4Output,
        ],
      },
    ],
  };
}
