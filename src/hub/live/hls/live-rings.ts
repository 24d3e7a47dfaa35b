import type { Clock } from "../../../common/clock.ts";
import { AppError } from "../../../common/errors.ts";
import type { WatchableCameras } from "../live-viewer.ts";
import { fewestParts, type LiveNumbers, LiveRing } from "./live-ring.ts";

export interface LiveRingsOptions {
  cameras: WatchableCameras;
  clock: Clock;
  /** Of one camera's fragments; default 24 MiB. */
  maxBytesPerCamera?: number;
  /** Of all; default 256 MiB. */
  maxBytes?: number;
  /** How long a camera is watched after the last request; default 15 s. */
  idleMs?: number;
  /** How long a request waits for the first fragments; default 12 s. */
  waitMs?: number;
}

interface Watched {
  ring: LiveRing;
  leave: () => void;
  idle: ReturnType<typeof setTimeout> | undefined;
  /** Ends the waits of requests; made anew with each. */
  news: PromiseWithResolvers<void>;
}

/** Of cameras that nobody watches any more; the oldest are forgotten. */
const maxRemembered = 1_000;
const maxRings = 200;
/** Sequence numbers begin with the seconds since then: after a restart of the hub they are higher than before. */
const epochMs = Date.UTC(2026, 0, 1);

/** Keeps the newest fragments of cameras for as long as somebody asks for them, within a budget for all. */
export class LiveRings {
  readonly #options: LiveRingsOptions;
  readonly #watched = new Map<string, Promise<Watched>>();
  readonly #numbers = new Map<string, LiveNumbers>();
  #bytes = 0;

  constructor(options: LiveRingsOptions) {
    this.#options = options;
  }

  /** Of fragments in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The newest playlist of a camera; the first request waits for its first fragments. Throws `not_found` for a camera
   * that is not known, `unavailable` for one that gives nothing, or when there is no room.
   */
  async playlistOf(cameraId: string): Promise<string> {
    const watched = await this.#watch(cameraId);
    this.#wasAskedFor(cameraId, watched);
    const { ring } = watched;
    const { clock, waitMs = 12_000 } = this.#options;
    const untilMs = clock.monotonicMs() + waitMs;
    while (ring.partCount < fewestParts && ring.away === undefined) {
      const leftMs = untilMs - clock.monotonicMs();
      if (leftMs <= 0 || !(await isSoon(watched.news.promise, leftMs))) break;
    }
    return ring.playlist();
  }

  /** A fragment or an init segment that a playlist named. Throws `not_found` when it is not kept, or not any more. */
  async bytesOf(cameraId: string, name: string): Promise<Uint8Array<ArrayBuffer>> {
    const watched = await this.#watched.get(cameraId);
    const bytes = watched?.ring.bytesOf(name);
    if (watched === undefined || bytes === undefined) {
      throw new AppError("not_found", "this part of the live stream is not kept any more");
    }
    this.#wasAskedFor(cameraId, watched);
    return bytes;
  }

  #watch(cameraId: string): Promise<Watched> {
    const known = this.#watched.get(cameraId);
    if (known) return known;
    if (this.#watched.size >= maxRings) {
      return Promise.reject(new AppError("unavailable", `${maxRings} cameras are watched already`));
    }
    const begun = this.#begin(cameraId);
    this.#watched.set(cameraId, begun);
    begun.catch(() => this.#watched.delete(cameraId));
    return begun;
  }

  async #begin(cameraId: string): Promise<Watched> {
    const { cameras, clock, maxBytesPerCamera = 24 * 1024 * 1024 } = this.#options;
    const first = Math.max(0, Math.floor((clock.wallMs() - epochMs) / 1000));
    const before = this.#numbers.get(cameraId);
    const ring = new LiveRing({
      ...{ cameraId, clock, maxBytes: maxBytesPerCamera },
      numbers: {
        nextSequence: Math.max(before?.nextSequence ?? 0, first),
        discontinuities: before?.discontinuities ?? 0,
      },
      reserve: (bytes) => this.#reserve(bytes),
      onNews: () => {
        const { news } = watched;
        watched.news = Promise.withResolvers();
        news.resolve();
      },
    });
    const watched: Watched = {
      ring,
      leave: () => undefined,
      idle: undefined,
      news: Promise.withResolvers(),
    };
    watched.leave = await cameras.join(cameraId, ring);
    this.#wasAskedFor(cameraId, watched);
    return watched;
  }

  #wasAskedFor(cameraId: string, watched: Watched): void {
    clearTimeout(watched.idle);
    watched.idle = setTimeout(() => this.#end(cameraId, watched), this.#options.idleMs ?? 15_000);
  }

  #end(cameraId: string, { ring, leave }: Watched): void {
    this.#watched.delete(cameraId);
    leave();
    ring.clear();
    this.#numbers.delete(cameraId);
    this.#numbers.set(cameraId, ring.numbers);
    const [oldest] = this.#numbers.keys();
    if (this.#numbers.size > maxRemembered && oldest !== undefined) this.#numbers.delete(oldest);
  }

  #reserve(bytes: number): boolean {
    if (this.#bytes + bytes > (this.#options.maxBytes ?? 256 * 1024 * 1024)) return false;
    this.#bytes += bytes;
    return true;
  }
}

/** False when it takes longer. */
async function isSoon(news: Promise<void>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), ms);
  const isHere = await Promise.race([news.then(() => true), late.promise]);
  clearTimeout(timer);
  return isHere;
}
