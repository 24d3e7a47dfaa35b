import type { SourceConfig } from "../config.ts";
import type { CapturePlan } from "./camera-source.ts";
import { clockCodeFilters, clockCodeLayout } from "./clock-code.ts";
import { encodeAudio, encodeVideo, ffmpegStart, fragmentedMp4Output } from "./ffmpeg-arguments.ts";

type TestSource = Extract<SourceConfig, { type: "test" }>;

/**
 * A picture with the camera's name, the wall clock to the millisecond, for people and for programs, and the number of the
 * frame, in real time. Its plain surfaces are what keeps it cheap: x264 has little to do, about 15 % of a core at 720p30.
 */
export function planTestCapture(source: TestSource, cameraId: string): CapturePlan {
  const width = even(source.width);
  const height = even(source.height);
  // One graph for both: ffmpeg reads ahead of what comes from several, and the picture would be ten frames old.
  const tone = `[out0];sine=frequency=${toneOf(cameraId)}:sample_rate=48000[out1]`;
  const graph = picture({ width, height, fps: source.fps, cameraId }) + (source.tone ? tone : "");
  return {
    commands: [
      {
        argv: [
          ...ffmpegStart,
          ...["-re", "-f", "lavfi", "-i", graph],
          ...["-map", "0:v:0", ...(source.tone ? ["-map", "0:a:0"] : [])],
          ...encodeVideo({
            codec: source.codec,
            preset: "ultrafast",
            fps: source.fps,
            keyframeSeconds: source.keyframe_seconds,
            bitrateBps: source.bitrate,
          }),
          // One thread: several cameras share the machine, and x264's frame threads would delay the picture.
          ...["-threads:v", "1"],
          ...(source.tone ? encodeAudio : []),
          ...fragmentedMp4Output,
        ],
      },
    ],
  };
}

/** What everything in the picture is measured by, in pixels. */
export function testPictureUnit({ width, height }: { width: number; height: number }): number {
  return Math.min(height / 12, width / 16);
}

/** The description of a source for ffmpeg's `lavfi` device. */
function picture(of: { width: number; height: number; fps: number; cameraId: string }): string {
  const { width, height, fps, cameraId } = of;
  // Character cells of the monospaced font are 0.6 as wide as high; 16 of them must fit beside the margin.
  const unit = testPictureUnit(of);
  const code = clockCodeLayout({ width, height, unit });
  const left = Math.round(unit);
  const accent = accentOf(cameraId);
  const text = (content: string, size: number, y: number, colour: string, x: string = String(left)) =>
    `drawtext=font=monospace:text='${content}':fontsize=${Math.max(8, Math.round(size))}:x=${x}:y=${Math.round(y)}:fontcolor=${colour}`;
  const sweep = `mod(n\\,${Math.max(1, Math.round(fps * 2))})*${width}/${Math.max(1, Math.round(fps * 2))}`;
  const words = [
    `color=c=0x14202b:s=${width}x${height}:r=${fps}`,
    "format=yuv420p",
    `drawbox=x=0:y=0:w=${Math.max(2, Math.round(unit / 3))}:h=${height}:color=${accent}:t=fill`,
    `drawbox=x=0:y=${Math.round(height - unit * 1.5)}:w=${width}:h=${Math.round(unit * 1.5)}:color=0x0c141b:t=fill`,
    text(cameraId, unit * 1.5, unit * 0.8, accent),
    text(`test picture  ${width}x${height}  ${fps} fps`, unit * 0.6, unit * 2.6, "0x8fa3b3"),
    // What stands still is drawn once.
    `trim=end_frame=1,loop=loop=-1:size=1:start=0,setpts=N/(${fps}*TB)`,
    // Escaped once for the filter graph and once for drawtext's own expansion.
    text("%{localtime\\:%Y-%m-%d}", unit * 0.9, unit * 4.6, "0xc9d6df"),
    text("%{localtime\\:%H\\\\\\:%M\\\\\\:%S.%3N}", unit * 1.9, unit * 5.7, "white"),
    text("frame %{n}", unit * 0.9, unit * 8.2, "0xc9d6df"),
    text("■", unit, height - unit * 1.2, accent, `'${sweep}'`),
  ].join(",");
  return `${words}[words];${clockCodeFilters(code, fps)}[code];[words][code]overlay=x=${code.x}:y=${code.y}`;
}

/** A colour of its own for each camera, so that two pictures side by side are told apart. */
function accentOf(cameraId: string): string {
  const colours = ["0x4fc3f7", "0xffb74d", "0x81c784", "0xf06292", "0xba68c8", "0xfff176"] as const;
  return colours[checksum(cameraId) % colours.length] ?? colours[0];
}

/** A pitch of its own, in Hz. */
function toneOf(cameraId: string): number {
  return 330 + 55 * (checksum(cameraId) % 8);
}

function checksum(text: string): number {
  return [...text].reduce((sum, character) => sum + (character.codePointAt(0) ?? 0), 0);
}

/** 4:2:0 has one colour sample for two pixels either way. */
function even(pixels: number): number {
  return pixels - (pixels % 2);
}
