import { AppError } from "../../common/errors.ts";
import { startThread, type Thread } from "../../common/thread.ts";
import type { BlockHash } from "./block-hash.ts";

/**
 * What both threads see: how many blocks were given, how many of them are hashed, and then where the newest lie, each
 * in the place of its turn; an empty one ends the file.
 */
const shape = { given: 0, hashed: 1, firstPlace: 2, places: 16 };

interface HashOrder {
  head: readonly Uint8Array[];
  memory: Uint8Array;
  counters: Int32Array;
  shape: Readonly<Record<"given" | "hashed" | "firstPlace" | "places", number>>;
}

/** What the thread runs; see `startThread` for what it may use. */
function hashFiles(): void {
  globalThis.addEventListener("message", (event) => {
    const { head, memory, counters, shape } = (event as MessageEvent<HashOrder>).data;
    const hasher = new Bun.CryptoHasher("sha256");
    for (const part of head) hasher.update(part);
    for (let turn = 0; ; turn++) {
      while (Atomics.load(counters, shape.given) === turn) Atomics.wait(counters, shape.given, turn);
      const place = shape.firstPlace + 2 * (turn % shape.places);
      const [offset = 0, length = 0] = counters.subarray(place, place + 2);
      if (length === 0) break;
      hasher.update(memory.subarray(offset, offset + length));
      Atomics.store(counters, shape.hashed, turn + 1);
      Atomics.notify(counters, shape.hashed);
    }
    globalThis.postMessage(hasher.digest("hex"));
  });
}

/**
 * Hashes files on a thread of its own, one after the other, so that reading and writing go on beside it: SHA-256 of a
 * byte takes longer than all else that is done with it. The blocks lie in memory that both threads see, and the turns
 * are told by counters, which costs a hundredth of what a message does.
 */
export class HashThread implements Disposable {
  readonly #memory: Uint8Array;
  #thread: Thread | undefined;
  #failure: AppError | undefined;
  #current: ThreadHash | undefined;
  /** When the file before is hashed, or given up. */
  #free: Promise<unknown> = Promise.resolve();

  /** `memoryBytes`: for the blocks that are under way. */
  constructor(memoryBytes: number) {
    this.#memory = new Uint8Array(new SharedArrayBuffer(memoryBytes));
  }

  /** A thread takes some milliseconds until it works; whoever knows that a file will come starts it before. */
  start(): void {
    this.#thread ??= startThread({
      main: hashFiles,
      onMessage: (sha256) => this.#current?.finish(String(sha256)),
      onError: (cause) => {
        this.#failure = new AppError("internal", "the hashing thread failed", { cause });
        this.#current?.fail(this.#failure);
      },
    });
  }

  /**
   * Resolves when it is this file's turn, which it has until it is hashed and disposed of: until then its blocks lie in
   * the memory. `head`: its first bytes, which are copied.
   */
  async open(head: readonly Uint8Array[]): Promise<BlockHash> {
    const before = this.#free;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#free = promise;
    await before;
    if (this.#failure) {
      resolve();
      throw this.#failure;
    }
    this.start();
    const counters = new Int32Array(new SharedArrayBuffer(4 * (shape.firstPlace + 2 * shape.places)));
    const order: HashOrder = { head, memory: this.#memory, counters, shape };
    this.#thread?.keepProcess(true);
    this.#thread?.post(order);
    this.#current = new ThreadHash(this.#memory, counters, () => {
      this.#current = undefined;
      this.#thread?.keepProcess(false);
      resolve();
    });
    return this.#current;
  }

  [Symbol.dispose](): void {
    this.#thread?.[Symbol.dispose]();
  }
}

class ThreadHash implements BlockHash {
  readonly #counters: Int32Array;
  readonly #sha256 = Promise.withResolvers<string>();
  readonly #onOver: () => void;
  #given = 0;
  #isEnded = false;
  #isHashed = false;
  #isDisposed = false;
  #failure: AppError | undefined;

  constructor(
    readonly memory: Uint8Array,
    counters: Int32Array,
    onOver: () => void,
  ) {
    this.#counters = counters;
    this.#onOver = onOver;
    this.#sha256.promise.catch(() => undefined);
  }

  update(block: Uint8Array): void {
    this.#give(block.byteOffset, block.length);
  }

  async untilLeft(count: number): Promise<void> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      const done = Atomics.load(this.#counters, shape.hashed);
      if (this.#given - done <= count) return;
      await Atomics.waitAsync(this.#counters, shape.hashed, done).value;
    }
  }

  digest(): Promise<string> {
    this.#end();
    return this.#sha256.promise;
  }

  /** What was not asked for is given up, in its order. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#end();
    if (this.#isHashed) this.#onOver();
  }

  finish(sha256: string): void {
    this.#isHashed = true;
    this.#sha256.resolve(sha256);
    if (this.#isDisposed) this.#onOver();
  }

  fail(failure: AppError): void {
    this.#failure = failure;
    this.#sha256.reject(failure);
    this.#onOver();
    // Whoever waits looks again.
    Atomics.add(this.#counters, shape.hashed, 1);
    Atomics.notify(this.#counters, shape.hashed);
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#give(0, 0);
  }

  #give(offset: number, length: number): void {
    if (this.#given - Atomics.load(this.#counters, shape.hashed) >= shape.places)
      throw new AppError("internal", "more blocks are given to be hashed than there are places for");
    const place = shape.firstPlace + 2 * (this.#given % shape.places);
    this.#counters[place] = offset;
    this.#counters[place + 1] = length;
    Atomics.store(this.#counters, shape.given, ++this.#given);
    Atomics.notify(this.#counters, shape.given);
  }
}
