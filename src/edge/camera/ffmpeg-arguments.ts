/** How every capture by ffmpeg begins. An undrained stderr would stop ffmpeg, so it is kept quiet as well as read. */
export const ffmpegStart: readonly string[] = [
  "ffmpeg",
  "-nostdin",
  "-hide_banner",
  "-nostats",
  "-loglevel",
  "warning",
];

/**
 * How every capture ends: fragmented MP4 (ISO/IEC 14496-12 section 8.8) on stdout, one fragment per GOP.
 * - `delay_moov`: the init segment comes with the first fragment, so that its edit lists can hold the delay of
 *   B-frames, the priming of AAC, and the difference between the starts of video and audio. Without it picture and
 *   sound of a stream that does not start at zero drift apart.
 * - `default_base_moof`: offsets count from the fragment, which may then be moved to another file.
 * - `skip_trailer`: no `mfra`; collecting it would make ffmpeg grow for as long as it runs.
 */
export const fragmentedMp4Output: readonly string[] = [
  "-map_metadata",
  "-1",
  "-f",
  "mp4",
  "-movflags",
  "frag_keyframe+empty_moov+delay_moov+default_base_moof+skip_trailer",
  "pipe:1",
];

export type VideoCodec = "h264" | "h265";

/** Apple's players take H.265 only as `hvc1`. */
export function copyVideo(codec: VideoCodec): string[] {
  return ["-c:v", "copy", ...(codec === "h265" ? ["-tag:v", "hvc1"] : [])];
}

export interface VideoEncoding {
  codec: VideoCodec;
  preset: "ultrafast" | "veryfast";
  fps: number;
  keyframeSeconds: number;
  bitrateBps: number;
}

/**
 * Encoding by x264 or x265 without reordering and without a queue of frames: a GOP of a fixed number of frames, no
 * further keyframes at scene cuts, so that every fragment has the length that was asked for.
 */
export function encodeVideo({ codec, preset, fps, keyframeSeconds, bitrateBps }: VideoEncoding): string[] {
  const gop = String(Math.max(1, Math.round(fps * keyframeSeconds)));
  const common = ["-preset", preset, "-tune", "zerolatency", "-pix_fmt", "yuv420p"];
  const rate = ["-b:v", bitrateBps, "-maxrate", bitrateBps, "-bufsize", bitrateBps].map(String);
  if (codec === "h265") {
    const parameters = `keyint=${gop}:min-keyint=${gop}:scenecut=0:open-gop=0:log-level=warning`;
    return ["-c:v", "libx265", ...common, "-x265-params", parameters, ...rate, "-tag:v", "hvc1"];
  }
  return ["-c:v", "libx264", ...common, "-g", gop, "-keyint_min", gop, "-sc_threshold", "0", ...rate];
}

/** AAC for sound that is not AAC yet. `async`: sound that was lost is replaced by silence, so that it stays with the picture. */
export const encodeAudio: readonly string[] = ["-c:a", "aac", "-b:a", "64k", "-af", "aresample=async=1000"];
