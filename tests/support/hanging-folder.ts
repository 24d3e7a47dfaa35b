import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChild, startChild } from "../../src/common/child-process.ts";
import { sleep } from "../../src/common/clock.ts";
import { parseMountInfo } from "../../src/common/mount-info.ts";

export const canHang = Bun.which("bindfs") !== null && existsSync("/dev/fuse");
export const cannotHang = "needs bindfs and /dev/fuse";

export interface HangingFolder extends AsyncDisposable {
  /** The same files, on a disk that always answers. */
  real: string;
  /** What hangs. */
  path: string;
  hang(): void;
  resume(): void;
}

/** A folder on a FUSE file system that can stop to answer, as a NAS does, or gives so many bytes a second. */
export async function openHangingFolder({ readBytesPerSecond = 0 } = {}): Promise<HangingFolder> {
  const folder = await mkdtemp(join(tmpdir(), "livecam-hanging-"));
  const [real, path] = [join(folder, "real"), join(folder, "mounted")];
  await mkdir(real);
  await mkdir(path);
  // In the foreground, so that it is ours to stop; what is known of a file is not kept, so that each look is answered.
  const rate = readBytesPerSecond === 0 ? [] : [`--read-rate=${readBytesPerSecond}`];
  const options = ["--no-allow-other", "-o", "attr_timeout=0,entry_timeout=0", ...rate];
  const server = startChild({ argv: ["bindfs", "-f", ...options, real, path] });
  const isMounted = async () =>
    parseMountInfo(await Bun.file("/proc/self/mountinfo").text()).some((mount) => mount.folder === path);
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  while (!(await isMounted())) {
    if (ended) throw new Error(`bindfs: ${(await server.exited).stderrTail}`);
    await sleep(10);
  }
  return {
    real,
    path,
    hang: () => server.kill("SIGSTOP"),
    resume: () => server.kill("SIGCONT"),
    async [Symbol.asyncDispose]() {
      server.kill("SIGCONT");
      // Lazily: a worker that was given up may still be on its way out.
      await runChild({ argv: ["umount", "-l", path], timeoutMs: 10_000 });
      server.stop();
      await server.exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
