import { closeSync, constants, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChild } from "../../common/child-process.ts";
import { AppError } from "../../common/errors.ts";

/** Both ends of a pipe, for two children to be given; to be closed here once they have them. */
export interface PipeBetween {
  readEnd: number;
  writeEnd: number;
  close(): void;
}

/** A pipe of the kernel's, so that what one child writes reaches the next without passing through this process. */
export async function openPipeBetween(): Promise<PipeBetween> {
  const directory = await mkdtemp(join(tmpdir(), "livecam-pipe-"));
  try {
    const path = join(directory, "pipe");
    const made = await runChild({ argv: ["mkfifo", "-m", "600", path], timeoutMs: 10_000 });
    if (made.exitCode !== 0) throw new AppError("io", `cannot make a pipe: ${made.stderrTail}`);
    // Opening one end waits for the other, unless somebody has both already.
    const both = openSync(path, constants.O_RDWR);
    const readEnd = openSync(path, constants.O_RDONLY);
    const writeEnd = openSync(path, constants.O_WRONLY);
    closeSync(both);
    return {
      readEnd,
      writeEnd,
      close() {
        closeSync(readEnd);
        closeSync(writeEnd);
      },
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
