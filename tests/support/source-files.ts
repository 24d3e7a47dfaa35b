import { mkdir, rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import { runChild } from "../../src/common/child-process.ts";

/** What a camera may give. 24 seconds at 25 frames per second, a keyframe every second; small, so that tests are quick. */
export type SourceKind = "h264" | "h264-b-frames-aac" | "h265" | "h264-pcm" | "mpeg2" | "sound-only";

const encoders: Record<SourceKind, { video: string; audio?: string; ending: string }> = {
  h264: { video: "-c:v libx264 -preset ultrafast -bf 0", ending: "mp4" },
  "h264-b-frames-aac": {
    video: "-c:v libx264 -preset veryfast -bf 2",
    audio: "-c:a aac -b:a 64k",
    ending: "mp4",
  },
  h265: { video: "-c:v libx265 -preset ultrafast -x265-params log-level=error:open-gop=0", ending: "mp4" },
  "h264-pcm": { video: "-c:v libx264 -preset ultrafast", audio: "-c:a pcm_s16le", ending: "mkv" },
  mpeg2: { video: "-c:v mpeg2video", ending: "mpg" },
  "sound-only": { video: "-vn", audio: "-c:a aac", ending: "mp4" },
};

/** Kept between runs, since it never changes: the name has a hash of all that makes the file. */
const folder = resolve(import.meta.dir, "../../.cache/test-sources");
const made = new Map<string, Promise<string>>();

/** A file of the kind, made once. */
export function sourceFile(kind: SourceKind, size = "160x120"): Promise<string> {
  const key = `${kind}-${size}`;
  let path = made.get(key);
  if (!path) {
    path = make(kind, size);
    made.set(key, path);
  }
  return path;
}

async function make(kind: SourceKind, size: string): Promise<string> {
  const { video, audio, ending } = encoders[kind];
  const keyframes =
    kind === "sound-only" ? [] : "-g 25 -keyint_min 25 -sc_threshold 0 -pix_fmt yuv420p".split(" ");
  const argv = [
    ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=25`],
    ...(audio ? ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"] : []),
    ...["-t", "24", ...video.split(" "), ...keyframes, ...(audio?.split(" ") ?? [])],
  ];
  const hash = Bun.hash(argv.join(" ")).toString(36);
  const path = join(folder, `${kind}-${size}-${hash}.${ending}`);
  if (await Bun.file(path).exists()) return path;
  await mkdir(folder, { recursive: true });
  const unfinished = join(folder, `${process.pid}-${kind}-${size}.${ending}`);
  await ffmpeg([...argv, unfinished]);
  await rename(unfinished, path);
  return path;
}

/** Runs ffmpeg to its end; throws with what it says. */
export async function ffmpeg(argv: readonly string[], stdin?: Uint8Array): Promise<Uint8Array> {
  const { exitCode, stderrTail, stdout } = await runChild({
    argv: ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", ...argv],
    ...(stdin ? { stdin } : {}),
    timeoutMs: 60_000,
  });
  if (exitCode !== 0) throw new Error(`ffmpeg ${argv.join(" ")}: ${stderrTail}`);
  return stdout;
}

/** MD5 of every frame as it is shown, in order. */
export async function picturesOf(input: string | Uint8Array): Promise<string[]> {
  return hashes(input, ["-map", "0:v:0"]);
}

/** MD5 of every packet of sound as it is stored, in order. */
export async function soundPacketsOf(input: string | Uint8Array): Promise<string[]> {
  return hashes(input, ["-map", "0:a:0", "-c", "copy"]);
}

async function hashes(input: string | Uint8Array, selection: string[]): Promise<string[]> {
  const isFile = typeof input === "string";
  const output = ["-vsync", "passthrough", "-f", "framemd5", "pipe:1"];
  const text = new TextDecoder().decode(
    await ffmpeg(["-i", isFile ? input : "pipe:0", ...selection, ...output], isFile ? undefined : input),
  );
  return (
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      // Side data may follow the hash.
      .map((line) => line.split(",")[5]?.trim() ?? "")
  );
}
