import type { Picture } from "./quality.ts";

export interface TranscodeArgs {
  /** The program, `ffmpeg` on PATH. */
  ffmpeg: string;
  picture: Picture;
  /** Ticks per second of the recorded track; the times that come out count in it, too. */
  timescale: number;
  /** Pictures shown before this time are only decoded, since those after it need them. */
  fromTicks?: number | undefined;
  /** The first picture is enough. */
  isFirstOnly?: boolean;
}

/** Threads of one transcoding: two of them at a time still leave most machines something. */
const threads = 2;

/**
 * Init segment and fragments on stdin, fragmented MP4 of the video alone on stdout: a picture for each picture, each
 * with the composition time that it had (`-copyts`, `ignore_editlist`, `frag_discont`), in the order they are shown.
 *
 * The first is a keyframe. `stitchable` keeps what is in this part out of the parameter sets, so that one init segment
 * fits to all parts. The input is foreign: its format is given, no file or address can be opened, and it is bounded.
 */
export function transcodeArgv(args: TranscodeArgs): string[] {
  const { ffmpeg, picture, timescale, fromTicks, isFirstOnly = false } = args;
  const rate = String(picture.bitsPerSecond);
  const filters = [
    ...(fromTicks === undefined ? [] : [`trim=start_pts=${fromTicks}`]),
    `scale=${picture.width}:${picture.height}:flags=bilinear`,
    "format=yuv420p",
  ];
  return [
    ...["nice", "-n", "10", ffmpeg, "-nostdin", "-nostats", "-hide_banner", "-loglevel", "error"],
    ...["-protocol_whitelist", "pipe", "-max_pixels", "67108864", "-threads", String(threads)],
    ...["-copyts", "-noautorotate", "-ignore_editlist", "1", "-f", "mp4", "-i", "pipe:0"],
    ...["-map", "0:v:0", "-an", "-sn", "-dn", "-map_metadata", "-1"],
    ...["-fps_mode", "passthrough", "-enc_time_base", "-1", "-filter_threads", "1"],
    ...["-vf", filters.join(","), ...(isFirstOnly ? ["-frames:v", "1"] : [])],
    ...["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-level:v", levelText(picture)],
    ...["-crf", "25", "-maxrate", rate, "-bufsize", rate, "-bf", "0"],
    ...["-g", String(picture.keyframeInterval), "-x264-params", "stitchable=1"],
    ...["-threads", String(threads), "-video_track_timescale", String(timescale)],
    ...["-movflags", "delay_moov+default_base_moof+frag_keyframe+frag_discont", "-f", "mp4", "pipe:1"],
  ];
}

function levelText({ level }: Picture): string {
  return `${Math.floor(level / 10)}.${level % 10}`;
}
