import { runChild } from "../../common/child-process.ts";

/** What a program prints to stdout; undefined when it is not there, fails or hangs. */
export type ProgramOutput = (argv: readonly string[]) => Promise<string | undefined>;

const limitMs = 10_000;

export const programOutput: ProgramOutput = async (argv) => {
  try {
    const { exitCode, stdout } = await runChild({ argv, timeoutMs: limitMs, maxOutputBytes: 1024 * 1024 });
    return exitCode === 0 ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined;
  }
};
