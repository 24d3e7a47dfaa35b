import { mkdir, readdir, rm } from "node:fs/promises";
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
  /** What the disk says, which may not be what is wanted while it refuses. */
  readonly #onDisk = new Set<string>();
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
    const differ = [...new Set([...this.#paused.keys(), ...this.#onDisk])].filter(
      (cameraId) => this.#paused.has(cameraId) !== this.#onDisk.has(cameraId),
    );
    try {
      for (const cameraId of differ) await this.#write(cameraId);
      this.#isRefused = false;
    } catch (error) {
      if (!this.#isRefused) {
        const about = { cameras: differ.join(", "), ...errorFields(error) };
        this.#options.logger.error("what is paused cannot be written down", about);
      }
      this.#isRefused = true;
    }
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
      if ((pause !== undefined) === this.#onDisk.has(cameraId)) return;
      const path = join(this.#folder, `${cameraId}${extension}`);
      if (pause) {
        const since = pause.sinceMs === undefined ? null : formatWireTime(pause.sinceMs);
        await mkdir(this.#folder, { recursive: true });
        await writeFileAtomic(
          path,
          `${JSON.stringify({ since } satisfies v.InferInput<typeof PauseMarkJson>)}\n`,
        );
        await syncDirectory(this.#options.root);
        this.#onDisk.add(cameraId);
      } else {
        await rm(path, { force: true });
        await syncDirectory(this.#folder);
        this.#onDisk.delete(cameraId);
      }
    });
    this.#turn = written.catch(() => undefined);
    return written;
  }

  get #folder(): string {
    return join(this.#options.root, "paused");
  }

  async #load(): Promise<void> {
    for (const name of await filesIn(this.#folder)) {
      const cameraId = name.slice(0, -extension.length);
      if (!name.endsWith(extension) || !v.is(CameraId, cameraId)) continue;
      // Damaged or not, it is there.
      const parsed = v.safeParse(
        PauseMarkJson,
        await readJson(join(this.#folder, name)).catch(() => undefined),
      );
      this.#paused.set(cameraId, { sinceMs: (parsed.success && parsed.output.since) || undefined });
      this.#onDisk.add(cameraId);
    }
  }
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
