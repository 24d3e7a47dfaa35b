import type { SourceConfig } from "../config.ts";
import { type Finding, fail, ok } from "./finding.ts";
import type { ProgramOutput } from "./program-output.ts";

/** The first that reads a camera's address from stdin; see rtsp-source.ts. */
const oldestMajor = 5;
const install = "install it: sudo apt install ffmpeg";

/** What ffmpeg must have been built with for a source. */
interface Needs {
  encoders: string[];
  inputs: string[];
  filters: string[];
}

/** Whether ffmpeg and ffprobe are there, young enough, and built with what these sources need. */
export async function checkFfmpeg(
  sources: readonly SourceConfig[],
  outputOf: ProgramOutput,
): Promise<Finding> {
  const check = "ffmpeg";
  const version = versionIn(await outputOf(["ffmpeg", "-version"]));
  if (version === undefined) return fail(check, "ffmpeg cannot be started", install);
  if ((await outputOf(["ffprobe", "-version"])) === undefined) {
    return fail(check, "ffprobe cannot be started", install);
  }
  // Builds from git have no number: `N-109468-gd39b34123d`.
  const major = /^n?(\d+)\./.exec(version)?.[1];
  if (major !== undefined && Number(major) < oldestMajor) {
    return fail(check, `ffmpeg ${version} is too old`, `${oldestMajor}.0 or newer is needed (Debian 12)`);
  }
  const missing = await missingOf(neededBy(sources), outputOf);
  if (missing.length === 0) return ok(check, `ffmpeg ${version}, with all that the cameras need`);
  return fail(
    check,
    `ffmpeg ${version} was built without ${missing.join(", ")}`,
    "use the ffmpeg of the distribution, which has it: sudo apt install ffmpeg",
  );
}

/** Exported for tests. */
export function neededBy(sources: readonly SourceConfig[]): Needs {
  const encoders = new Set<string>();
  const inputs = new Set<string>();
  const filters = new Set<string>();
  const video = (codec: "h264" | "h265") => encoders.add(codec === "h265" ? "libx265" : "libx264");
  for (const source of sources) {
    if (source.type === "test") {
      video(source.codec);
      inputs.add("lavfi");
      filters.add("drawtext");
      if (source.tone) encoders.add("aac");
    } else if (source.type === "v4l2") {
      inputs.add("v4l2");
      if (source.input_format !== "h264") video(source.codec);
      if (source.audio_device) {
        inputs.add("alsa");
        encoders.add("aac");
      }
    } else if (source.type === "rpicam") {
      inputs.add("mpegts");
    } else {
      if (source.type === "rtsp") inputs.add("rtsp").add("concat");
      if (source.audio === "auto") encoders.add("aac");
    }
  }
  return { encoders: [...encoders], inputs: [...inputs], filters: [...filters] };
}

async function missingOf(needs: Needs, outputOf: ProgramOutput): Promise<string[]> {
  const missing: string[] = [];
  for (const [option, kind, names] of [
    ["-encoders", "the encoder", needs.encoders],
    ["-demuxers", "the input", needs.inputs],
    ["-filters", "the filter", needs.filters],
  ] as const) {
    if (names.length === 0) continue;
    const listed = namesIn((await outputOf(["ffmpeg", "-hide_banner", option])) ?? "");
    missing.push(...names.filter((name) => !listed.has(name)).map((name) => `${kind} ${name}`));
  }
  return missing;
}

/** ` V....D libx264   …`, ` D d video4linux2,v4l2 …`: flags, then names. */
function namesIn(listing: string): Set<string> {
  const names = listing.split("\n").flatMap((line) => {
    const found = /^ [A-Z.| ]{1,6} (?:d )?\s*([\w,]+)\s/.exec(line)?.[1];
    return found === undefined ? [] : found.split(",");
  });
  return new Set(names);
}

function versionIn(text: string | undefined): string | undefined {
  return text === undefined
    ? undefined
    : (/^ffmpeg version (\S+)/.exec(text)?.[1] ?? "of an unknown version");
}
