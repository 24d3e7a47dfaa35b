import { mkdir, readFile, statfs } from "node:fs/promises";
import { runChild } from "../../common/child-process.ts";
import { AppError, errnoOf } from "../../common/errors.ts";
import { parseMountInfo } from "../../common/mount-info.ts";
import { type MountPlan, mountArguments, unmountArguments } from "./mount-plan.ts";
import { differenceOf, isSmb, mountAt } from "./mount-table.ts";

/** A server that does not answer is given up by the kernel after 30 s or so, and by the worker's limit in any case. */
const mountMs = 45_000;
const unmountMs = 2000;
/** How long a server may take to answer before its mount is taken off. */
const answerMs = 2000;
/** The kernel keeps a file of an SMB share open for a second after it was closed, and tries a failed close four times. */
const smbCloseMs = 1500;

export interface ManagedMountOptions {
  /** Where it is mounted; nobody else's. */
  folder: string;
  /** Runs `use` with what to mount, and whatever that needs for as long as it takes. */
  withPlan: <T>(use: (plan: MountPlan) => Promise<T>) => Promise<T>;
  /** Instead of `/proc/self/mountinfo`. */
  mountInfoPath?: string;
  /** Instead of the programs of the same names on PATH. */
  programs?: Readonly<Record<string, string>>;
}

/**
 * A network file system that livecam mounts where nothing else is. Only ever used in the upload worker: every call can
 * hang as long as the server likes.
 */
export class ManagedMount {
  readonly #options: ManagedMountOptions;
  #mounting: Promise<void> | undefined;

  constructor(options: ManagedMountOptions) {
    this.#options = options;
  }

  get folder(): string {
    return this.#options.folder;
  }

  /**
   * Afterwards exactly what was asked for is mounted: what is there from before is used when it is that, and taken
   * off when it is not. Throws `unavailable`.
   */
  ensure(): Promise<void> {
    this.#mounting ??= this.#options
      .withPlan((plan) => this.#ensure(plan))
      .finally(() => {
        this.#mounting = undefined;
      });
    return this.#mounting;
  }

  /**
   * Takes it off, at once and for everybody where it cannot be done properly. A hung SMB share stays: kernels of 2026
   * crash when one is taken off while the close of a file is still under way ("Dentry still in use"). Throws `io`.
   */
  async unmount(): Promise<void> {
    const entry = await this.#find();
    if (entry && isSmb(entry)) {
      if (!(await this.#answers())) {
        throw new AppError(
          "io",
          `${entry.source} stays mounted at ${this.folder}: the server does not answer`,
        );
      }
      await Bun.sleep(smbCloseMs);
    }
    await this.#takeOff();
  }

  /** Makes it anew: for a mount whose server no longer knows what the kernel holds of it. Throws `unavailable`, `io`. */
  async renew(): Promise<void> {
    await this.#takeOff();
    await this.ensure();
  }

  async #takeOff(): Promise<void> {
    while (await this.#find()) {
      const proper = await this.#run(unmountArguments(this.folder, false), unmountMs).catch(() => undefined);
      if (proper?.exitCode === 0) continue;
      const { exitCode, stderrTail } = await this.#run(unmountArguments(this.folder, true), unmountMs);
      if (exitCode !== 0) throw new AppError("io", `cannot unmount ${this.folder}: ${stderrTail.trim()}`);
    }
  }

  /** Asks the server, which no cache answers. */
  #answers(): Promise<boolean> {
    const asked = statfs(this.folder).then(
      () => true,
      () => false,
    );
    return Promise.race([asked, Bun.sleep(answerMs).then(() => false)]);
  }

  async #ensure(plan: MountPlan): Promise<void> {
    const before = await this.#find();
    if (before && differenceOf(before, plan) === undefined) return;
    if (before) await this.#takeOff();
    await mkdir(this.folder, { recursive: true, mode: 0o755 });
    const { exitCode, stderrTail } = await this.#run(mountArguments(plan, this.folder), mountMs);
    if (exitCode !== 0) throw mountError(plan, stderrTail);
    const after = await this.#find();
    const difference = after ? differenceOf(after, plan) : "the mount table does not have it";
    if (difference === undefined) return;
    await this.#takeOff();
    throw new AppError("unavailable", `${plan.source} was not mounted as asked: ${difference}`);
  }

  async #find() {
    const text = await readFile(this.#options.mountInfoPath ?? "/proc/self/mountinfo", "utf8");
    return mountAt(parseMountInfo(text), this.folder);
  }

  #run([program = "", ...rest]: string[], timeoutMs: number) {
    return runChild({ argv: [this.#options.programs?.[program] ?? program, ...rest], timeoutMs });
  }
}

/** Whether a server, swapped or set up anew, no longer knows the root of a mount (ESTALE): it stays so for ever. */
export function isStale(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (errnoOf(cause) === "ESTALE") return true;
  }
  return false;
}

const hints: readonly [pattern: RegExp, hint: string][] = [
  [/helper program|bad option; for several/, "install nfs-common (NFS) or cifs-utils (SMB)"],
  [/Failed to find '\w+' protocol/, "install netbase, which has /etc/protocols"],
  [/unknown filesystem type|No such device/, "this kernel cannot mount it"],
  [
    /only root|must be superuser|Operation not permitted|\bfstab\b/,
    "mounting needs root; see docs/destinations.md",
  ],
  [
    /mount error\(13\)|access denied|Permission denied/,
    "the server refuses: account, or the export's clients",
  ],
  [/mount error\(2\)|No such file or directory/, "the server has no such export or share"],
  [
    /refused|timed out|No route|could not (?:resolve|connect)|Name or service|mount error\((?:11[0-5]|101)\)/i,
    "the server cannot be reached",
  ],
];

function mountError(plan: MountPlan, stderrTail: string): AppError {
  const said = stderrTail.trim().split("\n").slice(0, 3).join("; ");
  const hint = hints.find(([pattern]) => pattern.test(said))?.[1];
  return new AppError("unavailable", `cannot mount ${plan.source}${hint ? `: ${hint}` : ""} (${said})`);
}
