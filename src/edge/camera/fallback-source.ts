import { localTimeOf, pad } from "../../common/time-zone.ts";
import type { CapturePlan } from "./camera-source.ts";
import { encodeVideo, ffmpegStart, fragmentedMp4Output } from "./ffmpeg-arguments.ts";

const width = 640;
const height = 360;
const fps = 1;
/** Long, since a picture that hardly changes is nearly all keyframes. */
const keyframeSeconds = 5;

export interface FallbackFacts {
  cameraId: string;
  /** When the camera's last picture came, ms since 1970 UTC. */
  sinceMs: number;
  timeZone: string;
}

/**
 * "NO SIGNAL", the camera, since when, and a clock in the node's own zone, with its offset. One small frame a second:
 * about 0.5 % of a core and 2.5 kB/s.
 */
export function planFallbackCapture({ cameraId, sinceMs, timeZone }: FallbackFacts): CapturePlan {
  const since = localTimeOf(sinceMs, timeZone);
  const date = `${pad(since.year, 4)}-${pad(since.month)}-${pad(since.day)}`;
  const time = [since.hour, since.minute, since.second].map((part) => pad(part)).join("\\:");
  const picture = [
    `color=c=0x14202b:s=${width}x${height}:r=${fps}`,
    "format=yuv420p",
    text("NO SIGNAL", 64, 60, "0xffb74d"),
    text(cameraId, 32, 140, "white"),
    text(`since ${date} ${time}`, 24, 196, "0x8fa3b3"),
    // Escaped once for the filter graph and once for drawtext's own expansion.
    text("%{localtime\\:%Y-%m-%d %H\\\\\\:%M\\\\\\:%S %z}", 32, 272, "0xc9d6df"),
  ].join(",");
  return {
    commands: [
      {
        argv: [
          ...["env", `TZ=${timeZone}`],
          ...ffmpegStart,
          ...["-filter_threads", "1", "-re", "-f", "lavfi", "-i", picture],
          ...encodeVideo({ codec: "h264", preset: "ultrafast", fps, keyframeSeconds, bitrateBps: 32_000 }),
          ...["-threads:v", "1"],
          ...fragmentedMp4Output,
        ],
      },
    ],
  };
}

function text(content: string, size: number, y: number, colour: string): string {
  return `drawtext=font=monospace:text='${content}':fontsize=${size}:x=40:y=${y}:fontcolor=${colour}`;
}
