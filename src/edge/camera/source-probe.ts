import * as v from "valibot";
import { runChild } from "../../common/child-process.ts";
import { AppError } from "../../common/errors.ts";
import type { Secret } from "../../common/secret.ts";
import type { VideoCodec } from "./ffmpeg-arguments.ts";
import { lastWords } from "./plain-line.ts";

/** What ffprobe found in a source. */
export interface SourceProbe {
  video: VideoCodec;
  /** `none`: there is no sound. `copyable`: AAC as MP4 wants it. `other`: anything else, AAC with ADTS headers included. */
  audio: "none" | "copyable" | "other";
}

const FfprobeOutput = v.object({
  streams: v.array(
    v.object({
      codec_type: v.optional(v.string()),
      codec_name: v.optional(v.string()),
      extradata_size: v.optional(v.number()),
      disposition: v.optional(v.object({ attached_pic: v.optional(v.number()) })),
    }),
  ),
});

export interface ProbeOptions {
  /** ffmpeg's input options and `-i`. */
  input: readonly string[];
  stdin?: Secret;
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * Opens a source as ffmpeg will and looks at its streams. Throws `unavailable` when it cannot be opened, has no
 * video, or a video that MP4 players do not take; `timeout`; `cancelled`.
 */
export async function probeSource({ input, stdin, timeoutMs, signal }: ProbeOptions): Promise<SourceProbe> {
  const entries = "stream=codec_type,codec_name,extradata_size:stream_disposition=attached_pic";
  const result = await runChild({
    argv: ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "json", ...input],
    ...(stdin ? { stdin: new TextEncoder().encode(stdin.reveal()) } : {}),
    ...(signal ? { signal } : {}),
    timeoutMs,
    maxOutputBytes: 1024 * 1024,
  });
  if (signal?.aborted) throw new AppError("cancelled", "stopped while looking at the source");
  if (result.exitCode !== 0) {
    const why = lastWords(result.stderrTail) || "ffprobe does not say why";
    throw new AppError("unavailable", `the source cannot be opened: ${why}`);
  }
  return sourceProbeOf(new TextDecoder().decode(result.stdout));
}

/** Exported for tests. */
export function sourceProbeOf(json: string): SourceProbe {
  const { streams } = v.parse(FfprobeOutput, JSON.parse(json));
  const video = streams.find(
    (stream) => stream.codec_type === "video" && stream.disposition?.attached_pic !== 1,
  );
  if (!video) throw new AppError("unavailable", "the source has no video");
  const codec = ({ h264: "h264", hevc: "h265" } as const)[video.codec_name ?? ""];
  if (codec === undefined) {
    const name = video.codec_name ?? "an unknown codec";
    throw new AppError("unavailable", `the source's video is ${name}; H.264 or H.265 is needed`);
  }
  const audio = streams.find((stream) => stream.codec_type === "audio");
  if (!audio) return { video: codec, audio: "none" };
  const copyable = audio.codec_name === "aac" && (audio.extradata_size ?? 0) > 0;
  return { video: codec, audio: copyable ? "copyable" : "other" };
}
