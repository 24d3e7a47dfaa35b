import { runChild } from "../../../src/common/child-process.ts";

export interface Frame {
  seconds: number;
  md5: string;
}

/** What a program prints. */
export async function outputOf(argv: string[]): Promise<string> {
  const { stdout, exitCode, stderrTail } = await runChild({ argv, timeoutMs: 60_000 });
  if (exitCode !== 0) throw new Error(stderrTail);
  return new TextDecoder().decode(stdout);
}

/** Every frame that a player shows, decoded, with its time; ffmpeg must have nothing to complain about. */
export async function framesOfFile(path: string, kind: "v" | "a" = "v"): Promise<Frame[]> {
  const copy = kind === "a" ? ["-c", "copy"] : [];
  const argv = ["ffmpeg", "-nostdin", "-v", "warning", "-xerror", "-i", path, "-map", `0:${kind}`, ...copy];
  const text = await outputOf([...argv, "-fps_mode", "passthrough", "-f", "framemd5", "-"]);
  const [, numerator, denominator] = /#tb 0: (\d+)\/(\d+)/.exec(text) ?? [];
  const tick = Number(numerator) / Number(denominator);
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(/, */))
    .map((fields) => ({ seconds: Number(fields[2]) * tick, md5: fields[5]!.trim() }));
}
