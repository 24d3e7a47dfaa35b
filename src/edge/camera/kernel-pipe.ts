import { closeSync, constants, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChild } from "../../common/child-process.ts";
import { AppError } from "../../common/errors.ts";

/** Both ends of a pipe, to be given to children, or read here; each to be closed. */
export interface KernelPipe {
  readEnd: number;
  writeEnd: number;
}

/** `isPolled`: reading from it never waits, but fails with `EAGAIN` when nothing is there. Throws `io`. */
export async function openKernelPipe({ isPolled = false } = {}): Promise<KernelPipe> {
  const directory = await temporaryDirectory();
  try {
    const path = join(directory, "pipe");
    const made = await runChild({ argv: ["mkfifo", "-m", "600", path], timeoutMs: 10_000 });
    if (made.exitCode !== 0) throw new AppError("io", `cannot make a pipe: ${made.stderrTail}`);
    // Opening one end waits for the other, unless somebody has both already.
    const both = openSync(path, constants.O_RDWR);
    const readEnd = openSync(path, constants.O_RDONLY | (isPolled ? constants.O_NONBLOCK : 0));
    const writeEnd = openSync(path, constants.O_WRONLY);
    closeSync(both);
    return { readEnd, writeEnd };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** In memory, where there is such a place: a camera must be able to start on a full disk. */
function temporaryDirectory(): Promise<string> {
  const name = "livecam-pipe-";
  return mkdtemp(join("/dev/shm", name)).catch(() => mkdtemp(join(tmpdir(), name)));
}
