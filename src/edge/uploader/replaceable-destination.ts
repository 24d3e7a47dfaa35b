import { sleep } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import type {
  ArchiveDestination,
  ConnectionCheck,
  PutOptions,
  PutRequest,
  PutResult,
} from "./archive-destination.ts";

export interface Replaceable extends ArchiveDestination, AsyncDisposable {
  /** Workers given up since it was opened. */
  readonly abandonedWorkers: number;
}

/** What is cancelled gets so long to remove what it had begun; an archive that hangs is left as it is. */
const defaultCancelMs = 5000;

/**
 * A destination in whose place another can be put while segments go out. What runs then is cancelled, and the next
 * call waits until the old one has let go of what it held: its mount, its connection.
 */
export class ReplaceableDestination implements ArchiveDestination, AsyncDisposable {
  #current: Replaceable;
  readonly #cancelMs: number;
  #replaced = new AbortController();
  #ready: Promise<unknown> = Promise.resolve();
  #abandonedBefore = 0;
  readonly #running = new Set<Promise<unknown>>();

  constructor(first: Replaceable, { cancelMs = defaultCancelMs } = {}) {
    this.#current = first;
    this.#cancelMs = cancelMs;
  }

  /** Of all destinations so far. */
  get abandonedWorkers(): number {
    return this.#abandonedBefore + this.#current.abandonedWorkers;
  }

  /** Resolves when the old one is closed. Never rejects. */
  async replace(next: Replaceable): Promise<void> {
    const before = this.#current;
    this.#abandonedBefore += before.abandonedWorkers;
    this.#current = next;
    this.#replaced.abort();
    this.#replaced = new AbortController();
    const running = [...this.#running];
    this.#ready = this.#ready.then(async () => {
      const deadline = new AbortController();
      await Promise.race([Promise.allSettled(running), sleep(this.#cancelMs, deadline.signal)]);
      deadline.abort();
      await before[Symbol.asyncDispose]();
    });
    await this.#ready;
  }

  async put(request: PutRequest, options: PutOptions = {}): Promise<PutResult> {
    const { signal: replaced } = this.#replaced;
    const destination = this.#current;
    await this.#ready;
    if (replaced.aborted) throw new AppError("cancelled", "the destination was replaced");
    const signal = options.signal ? AbortSignal.any([options.signal, replaced]) : replaced;
    const running = destination.put(request, { ...options, signal });
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async check(): Promise<ConnectionCheck> {
    const destination = this.#current;
    await this.#ready;
    return destination.check();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ready;
    await this.#current[Symbol.asyncDispose]();
  }
}
