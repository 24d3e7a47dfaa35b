import type { SourceConfig } from "../config.ts";
import type { CapturePlan } from "./camera-source.ts";
import { copyVideo, encodeAudio, ffmpegStart, fragmentedMp4Output } from "./ffmpeg-arguments.ts";
import type { SourceProbe } from "./source-probe.ts";

type FileSource = Extract<SourceConfig, { type: "file" }>;

/**
 * Only files, and only formats that hold media themselves: a playlist that is called `.mp4` would make ffmpeg open
 * the addresses in it, and `%d` in a name would be taken for a series of pictures.
 */
const onlyMediaFiles = [
  ...["-protocol_whitelist", "file"],
  ...["-format_whitelist", "mov,matroska,mpegts,mpeg,avi,flv"],
];

export function fileInput(source: FileSource): string[] {
  return [...onlyMediaFiles, "-i", `file:${source.path}`];
}

/**
 * A file over and over in real time; the times go on over the seam. Every frame of an MP4 comes again in each round;
 * of an MPEG transport stream the last frame of a round may be missing, as its demuxer sees the end too late.
 *
 * ffmpeg's own real time (`-re`) wakes it a hundred times a second. It waits for room in the pipe instead, some fragments
 * ahead, and is woken once for each.
 */
export function planFileCapture(source: FileSource, probe: SourceProbe): CapturePlan {
  const audio = source.audio === "auto" ? probe.audio : "none";
  return {
    isReadInRealTime: true,
    commands: [
      {
        argv: [
          ...ffmpegStart,
          ...["-stream_loop", "-1"],
          ...fileInput(source),
          ...["-map", "0:V:0", ...copyVideo(probe.video)],
          ...(audio === "none" ? [] : ["-map", "0:a:0"]),
          ...{ none: [], copyable: ["-c:a", "copy"], other: encodeAudio }[audio],
          ...fragmentedMp4Output,
        ],
      },
    ],
  };
}
