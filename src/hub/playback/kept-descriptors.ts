import { closeSync, constants, fstatSync, openSync, type Stats } from "node:fs";

const maxKept = 32;
/** How many requests may have ended before that is noticed, of each file. */
const minPruned = 64;

/** Nothing is sent as the answer to a request any more. */
type IsOver = (request: Request) => boolean;

interface Kept {
  fd: number;
  /** When it was opened. */
  stats: Stats;
  /** That are answered from it, and some that were. */
  requests: Set<Request>;
  isOver: IsOver;
  pruneAt: number;
  isUsed: boolean;
}

/**
 * Descriptors of files of which many ranges are asked for, so that not every one of them is opened and closed. One is
 * closed when no answer is sent from it any more: its number may be another file's by then.
 */
export class KeptDescriptors implements Disposable {
  readonly #idleMs: number;
  readonly #kept = new Map<string, Kept>();
  /** Of files that are others now, or gone. */
  readonly #retired = new Set<Kept>();
  #sweeper: ReturnType<typeof setInterval> | undefined;

  /** `idleMs` after the last use it is let go of: until then a deleted file keeps its space, and a disk is in use. */
  constructor({ idleMs = 1_000 }: { idleMs?: number } = {}) {
    this.#idleMs = idleMs;
  }

  get size(): number {
    return this.#kept.size + this.#retired.size;
  }

  /** Tells what lies at `path` now, before each {@link take}. */
  check(path: string, stats: Stats): void {
    const kept = this.#kept.get(path);
    if (kept === undefined || isSame(kept.stats, stats)) return;
    this.#kept.delete(path);
    this.#retired.add(kept);
  }

  /**
   * Of the ordinary file at `path`, for the answer to `request`; undefined where there is none, or are too many. Its
   * position is shared: read at offsets only.
   */
  take(path: string, request: Request, isOver: IsOver): number | undefined {
    const kept = this.#kept.get(path) ?? this.#open(path, isOver);
    if (kept === undefined) return undefined;
    kept.isUsed = true;
    kept.requests.add(request);
    if (kept.requests.size >= kept.pruneAt) this.#prune(kept);
    return kept.fd;
  }

  #open(path: string, isOver: IsOver): Kept | undefined {
    if (this.size >= maxKept) return undefined;
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch {
      // What is wrong with it shows when it is opened by its path.
      return undefined;
    }
    const stats = fstatSync(fd);
    if (!stats.isFile()) {
      closeSync(fd);
      return undefined;
    }
    const kept: Kept = { fd, stats, requests: new Set(), isOver, pruneAt: minPruned, isUsed: true };
    this.#kept.set(path, kept);
    this.#sweeper ??= setInterval(() => this.#sweep(), this.#idleMs);
    this.#sweeper.unref();
    return kept;
  }

  #prune(kept: Kept): void {
    for (const request of kept.requests) if (kept.isOver(request)) kept.requests.delete(request);
    kept.pruneAt = Math.max(minPruned, 2 * kept.requests.size);
  }

  #sweep(): void {
    for (const [path, kept] of this.#kept) {
      if (!kept.isUsed && this.#closeIfOver(kept)) this.#kept.delete(path);
      kept.isUsed = false;
    }
    for (const kept of this.#retired) if (this.#closeIfOver(kept)) this.#retired.delete(kept);
    if (this.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #closeIfOver(kept: Kept): boolean {
    this.#prune(kept);
    if (kept.requests.size > 0) return false;
    closeSync(kept.fd);
    return true;
  }

  /** What is still being sent from stays open. */
  [Symbol.dispose](): void {
    for (const kept of this.#kept.values()) kept.isUsed = false;
    this.#sweep();
    clearInterval(this.#sweeper);
  }
}

function isSame(a: Stats, b: Stats): boolean {
  return (
    a.ino === b.ino &&
    a.dev === b.dev &&
    a.size === b.size &&
    a.mtimeMs === b.mtimeMs &&
    a.ctimeMs === b.ctimeMs
  );
}
