import { lstat, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { syncDirectory, writeFileAtomic } from "../../common/atomic-file.ts";
import { type Clock, earliestWallMs } from "../../common/clock.ts";
import { AppError, errnoOf } from "../../common/errors.ts";
import { CameraId } from "../../common/ids.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { formatWireTime, WireTime } from "../../common/protocol/wire.ts";
import { readJson } from "./segment-record.ts";

const PauseMarkJson = v.object({ since: v.nullable(WireTime) });
const extension = ".json";
const maxMarkBytes = 1000;

interface Pause {
  /** Undefined where no clock told it. */
  sinceMs: number | undefined;
}

export interface PauseMarksOptions {
  root: string;
  clock: Clock;
  logger: Logger;
}

/**
 * Which cameras are paused: `paused/<camera id>.json`, whose name alone says so. A pause lasts until somebody resumes
 * the camera, through restarts, power cuts and a config without it.
 */
export class PauseMarks {
  readonly #options: PauseMarksOptions;
  readonly #paused = new Map<string, Pause>();
  /** What the disk would say after a restart; undefined where a refusal left that open. */
  readonly #onDisk = new Map<string, boolean | undefined>();
  /** A camera of which nothing is known above has no mark. */
  #isRead = false;
  #isRefused = false;
  /** Changes of the disk take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(options: PauseMarksOptions) {
    this.#options = options;
  }

  /** Marks that cannot be read are logged: recording does not wait for a disk that fails. Never rejects. */
  static async open(options: PauseMarksOptions): Promise<PauseMarks> {
    const marks = new PauseMarks(options);
    try {
      await marks.#load();
    } catch (error) {
      options.logger.error("cameras that were paused cannot be told; all of them record", errorFields(error));
    }
    return marks;
  }

  /** Undefined: it is not paused. */
  of(cameraId: string): Readonly<Pause> | undefined {
    return this.#paused.get(cameraId);
  }

  /** In force at once, and durable when it resolves. Throws `io`; then {@link settle} tries again. */
  async set(cameraId: string): Promise<void> {
    const nowMs = this.#options.clock.wallMs();
    if (!this.#paused.has(cameraId))
      this.#paused.set(cameraId, { sinceMs: nowMs < earliestWallMs ? undefined : nowMs });
    await this.#told(cameraId, "the camera is paused, but would record again after a restart of the node");
  }

  /** As {@link set}. */
  async clear(cameraId: string): Promise<void> {
    this.#paused.delete(cameraId);
    await this.#told(cameraId, "the camera records, but would be paused again after a restart of the node");
  }

  /** Writes down what the disk has refused so far. What it still refuses is logged once, and left for the next time. */
  async settle(): Promise<void> {
    const refused: string[] = [];
    let why: unknown;
    for (const cameraId of new Set([...this.#paused.keys(), ...this.#onDisk.keys()])) {
      try {
        await this.#write(cameraId);
      } catch (error) {
        refused.push(cameraId);
        why = error;
      }
    }
    if (refused.length > 0 && !this.#isRefused) {
      const about = { cameras: refused.join(", "), ...errorFields(why) };
      this.#options.logger.error("what is paused cannot be written down", about);
    }
    this.#isRefused = refused.length > 0;
  }

  async #told(cameraId: string, consequence: string): Promise<void> {
    try {
      await this.#write(cameraId);
    } catch (cause) {
      throw new AppError("io", `${consequence}: the disk of the spool refuses it`, { cause });
    }
  }

  #write(cameraId: string): Promise<void> {
    const written = this.#turn.then(async () => {
      const pause = this.#paused.get(cameraId);
      const isPaused = pause !== undefined;
      if (isPaused === this.#isOnDisk(cameraId)) return;
      this.#onDisk.set(cameraId, undefined);
      const path = join(this.#folder, `${cameraId}${extension}`);
      if (pause) {
        const since = pause.sinceMs === undefined ? null : formatWireTime(pause.sinceMs);
        await mkdir(this.#folder, { recursive: true });
        await writeFileAtomic(
          path,
          `${JSON.stringify({ since } satisfies v.InferInput<typeof PauseMarkJson>)}\n`,
        );
        await syncDirectory(this.#options.root);
      } else {
        await mkdir(this.#folder, { recursive: true });
        await rm(path, { force: true, recursive: true });
        await syncDirectory(this.#folder);
      }
      this.#onDisk.set(cameraId, isPaused);
    });
    this.#turn = written.catch(() => undefined);
    return written;
  }

  #isOnDisk(cameraId: string): boolean | undefined {
    return this.#onDisk.has(cameraId) ? this.#onDisk.get(cameraId) : this.#isRead ? false : undefined;
  }

  get #folder(): string {
    return join(this.#options.root, "paused");
  }

  async #load(): Promise<void> {
    const names = await filesIn(this.#folder);
    for (const name of names) {
      const path = join(this.#folder, name);
      // What a write that was killed left.
      if (name.includes(`${extension}.tmp-`)) await rm(path, { force: true }).catch(() => undefined);
      const cameraId = name.slice(0, -extension.length);
      if (!name.endsWith(extension) || !v.is(CameraId, cameraId)) continue;
      // Damaged or not, it is there.
      const parsed = v.safeParse(PauseMarkJson, await readMark(path).catch(() => undefined));
      this.#paused.set(cameraId, { sinceMs: (parsed.success && parsed.output.since) || undefined });
      this.#onDisk.set(cameraId, true);
    }
    this.#isRead = true;
  }
}

/** Undefined for what cannot be a mark: reading a pipe or a device would have no end, and the start waits for it. */
async function readMark(path: string): Promise<unknown> {
  const file = await lstat(path);
  return file.isFile() && file.size <= maxMarkBytes ? readJson(path) : undefined;
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
