/** SHA-256 of a file that is given block by block. */
export interface BlockHash extends Disposable {
  /** Where the blocks have to lie. */
  readonly memory: Uint8Array;
  /** `block` is a part of `memory` and must stay as it is until it is hashed. */
  update(block: Uint8Array): void;
  /** Resolves when at most `count` of the blocks that were given are not hashed yet. */
  untilLeft(count: number): Promise<void>;
  /** After the last block: lower-case hex. */
  digest(): Promise<string>;
}

/** Hashes at once, on this thread. */
export class InlineHash implements BlockHash {
  readonly #hasher = new Bun.CryptoHasher("sha256");

  /** `head`: the first bytes of the file. */
  constructor(
    head: readonly Uint8Array[],
    readonly memory: Uint8Array,
  ) {
    for (const part of head) this.#hasher.update(part);
  }

  update(block: Uint8Array): void {
    this.#hasher.update(block);
  }

  async untilLeft(): Promise<void> {}

  async digest(): Promise<string> {
    return this.#hasher.digest("hex");
  }

  [Symbol.dispose](): void {}
}
