import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";

/** Mounting needs root. */
export const canMount = process.getuid?.() === 0;

/** A file system of its own, of so many bytes, that is really full when it is full. Needs root. */
export async function mountSmallDisk(sizeBytes: number): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "livecam-disk-"));
  await run("mount", "-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", path);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await run("umount", "-l", path);
      await rm(path, { recursive: true, force: true });
    },
  };
}

async function run(...argv: string[]): Promise<void> {
  const { exitCode, stderrTail } = await runChild({ argv, timeoutMs: 30_000 });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderrTail}`);
}
