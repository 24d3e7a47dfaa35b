import { runChild } from "../../src/common/child-process.ts";

/** The frames that ffmpeg decodes of a file's or address's first picture track, or of another. Throws with what it says, be it a warning. */
export async function countFrames(
  input: string,
  { options = [], stdin, stream = "v:0" }: { options?: string[]; stdin?: Uint8Array; stream?: string } = {},
): Promise<number> {
  const exit = await runChild({
    argv: [
      ...["ffprobe", "-v", "error", ...options, "-count_frames", "-select_streams", stream],
      ...["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", input],
    ],
    ...(stdin && { stdin }),
    timeoutMs: 60_000,
  });
  if (exit.exitCode !== 0 || exit.stderrTail !== "") throw new Error(exit.stderrTail);
  // A stream of a playlist is told once more as part of its program.
  return Number.parseInt(new TextDecoder().decode(exit.stdout), 10);
}
