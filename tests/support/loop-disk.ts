import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";

/** Mounting needs root; not every container has loop devices. */
export const canLoop =
  process.getuid?.() === 0 && existsSync("/dev/loop-control") && existsSync("/usr/sbin/mkfs.ext4");

/** A disk whose power can be cut: an ext4 file system in a file, of which a copy is what a power cut leaves. */
export class LoopDisk implements AsyncDisposable {
  readonly #folder: string;
  readonly #image: string;
  readonly #device: string;

  private constructor(folder: string, device: string) {
    this.#folder = folder;
    this.#image = join(folder, "disk.img");
    this.#device = device;
  }

  /** Needs root, and loop devices. */
  static async create(sizeBytes: number): Promise<LoopDisk> {
    const folder = await mkdtemp(join(tmpdir(), "livecam-power-"));
    const image = join(folder, "disk.img");
    await run("truncate", "-s", String(sizeBytes), image);
    await run("mkfs.ext4", "-q", "-F", image);
    return LoopDisk.#attach(folder);
  }

  static async #attach(folder: string): Promise<LoopDisk> {
    const device = (await run("losetup", "--find", "--show", join(folder, "disk.img"))).trim();
    const disk = new LoopDisk(folder, device);
    await mkdir(disk.path);
    // The journal is replayed as at a boot; the disk is used by nobody else, so that nothing else is checked.
    await run("mount", device, disk.path);
    return disk;
  }

  /** Where it is mounted. */
  get path(): string {
    return join(this.#folder, "mounted");
  }

  /**
   * What is on the medium now, as another disk that was mounted after the power came back: nothing is synced for it,
   * and what only the kernel's memory has is not in it. A copy during which the medium changed shows a state that
   * never was, and is made again. `onCut` is called right before the copy that counts, maybe more than once;
   * `onRestless` when the medium changed in each of the first copies, so that whoever writes may pause.
   */
  async cutPower(options: { onCut?: () => void; onRestless?: () => void } = {}): Promise<LoopDisk> {
    const folder = await mkdtemp(join(tmpdir(), "livecam-power-"));
    for (let tries = 0; ; ) {
      const before = await this.#writes();
      if (before === undefined) {
        await Bun.sleep(2);
        continue;
      }
      options.onCut?.();
      await run("cp", "--sparse=always", this.#image, join(folder, "disk.img"));
      if ((await this.#writes()) === before) return LoopDisk.#attach(folder);
      if (++tries === 5) options.onRestless?.();
    }
  }

  /** Writes that the medium has had; undefined while one is under way. */
  async #writes(): Promise<number | undefined> {
    const of = (name: string) => readFile(`/sys/block/${basename(this.#device)}/${name}`, "utf8");
    const [stat, inflight] = await Promise.all([of("stat"), of("inflight")]);
    const underWay = Number(inflight.trim().split(/\s+/)[1]);
    return underWay === 0 ? Number(stat.trim().split(/\s+/)[4]) : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", "-l", this.path);
    await run("losetup", "--detach", this.#device);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function run(...argv: string[]): Promise<string> {
  const { exitCode, stderrTail, stdout } = await runChild({ argv, timeoutMs: 60_000 });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderrTail}`);
  return new TextDecoder().decode(stdout);
}
