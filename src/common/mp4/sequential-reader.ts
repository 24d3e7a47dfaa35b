import { AppError } from "../errors.ts";

const blockBytes = 1024 * 1024;

/** What can be read from its first byte to its last; a `RegularFile` is one. */
export interface SequentialFile {
  readonly path: string;
  readonly sizeBytes: number;
  /**
   * Fills `target` from `offset` on, which is where the call before ended; returns the bytes read, fewer only at the
   * end of the file. Throws `io`.
   */
  readInto(target: Uint8Array, offset: number): Promise<number>;
}

export interface SequentialReaderOptions {
  onProgress?: ((bytesDone: number, bytesTotal: number) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** Of the bytes that are hashed apart, so many from the first on get a hash of their own. */
  prefixBytes?: number | undefined;
}

/**
 * A file from its first byte to its last, each read once, in blocks of 1 MiB of which the next is on its way while
 * one is used. Hashes everything, and the parts between {@link startSecondHash} and {@link stopSecondHash} apart.
 * Throws `io` and `cancelled`.
 */
export class SequentialReader implements AsyncDisposable {
  readonly #fileHash = new Bun.CryptoHasher("sha256");
  readonly #secondHash = new Bun.CryptoHasher("sha256");
  #secondHashing = false;
  #secondBytes = 0;
  #prefixSha256: string | undefined;
  #block: Uint8Array = new Uint8Array(0);
  #position = 0;
  #next: Promise<Uint8Array> | undefined;
  #nextOffset = 0;
  #spare = [new Uint8Array(blockBytes), new Uint8Array(blockBytes)];
  /** Bytes taken so far. */
  offset = 0;

  constructor(
    readonly file: SequentialFile,
    readonly options: SequentialReaderOptions,
  ) {}

  /** Bytes that are left, by the size that the file had when it was opened. */
  get remaining(): number {
    return this.file.sizeBytes - this.offset;
  }

  startSecondHash(): void {
    this.#secondHashing = true;
  }

  stopSecondHash(): void {
    this.#secondHashing = false;
  }

  /** Up to `length` bytes (small) without taking them; fewer at the end of the file. */
  async peek(length: number): Promise<Uint8Array> {
    while (this.#block.length - this.#position < length) {
      // Copied first: reading on reuses the buffer it lies in.
      const rest = this.#block.slice(this.#position);
      const next = await this.#readBlock();
      this.#block = Buffer.concat([rest, next]);
      this.#position = 0;
      if (next.length === 0) break;
    }
    return this.#block.slice(this.#position, this.#position + length);
  }

  /** A copy of the next `length` bytes; fewer at the end of the file. The caller bounds `length`. */
  async take(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.remaining)));
    let filled = 0;
    await this.#consume(bytes.length, (part) => {
      bytes.set(part, filled);
      filled += part.length;
    });
    return bytes.subarray(0, filled);
  }

  /** Hashes the next `length` bytes and lets them go; returns how many there were. */
  async pass(length: number): Promise<number> {
    const before = this.offset;
    await this.#consume(length, () => {});
    return this.offset - before;
  }

  /** Waits for the read that is under way, so that the file can be closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#next?.catch(() => {});
  }

  /** Lower-case hex, of everything taken; ends the hash. */
  fileSha256(): string {
    return this.#fileHash.digest("hex");
  }

  secondSha256(): string {
    return this.#secondHash.digest("hex");
  }

  /** Of the first {@link SequentialReaderOptions.prefixBytes}; undefined when there were fewer. */
  prefixSha256(): string | undefined {
    return this.#prefixSha256;
  }

  async #consume(length: number, use: (part: Uint8Array) => void): Promise<void> {
    for (let left = length; left > 0; ) {
      if (this.#position === this.#block.length) {
        this.#block = await this.#readBlock();
        this.#position = 0;
        if (this.#block.length === 0) return;
      }
      const part = this.#block.subarray(this.#position, Math.min(this.#block.length, this.#position + left));
      this.#fileHash.update(part);
      if (this.#secondHashing) this.#updateSecondHash(part);
      use(part);
      this.#position += part.length;
      this.offset += part.length;
      left -= part.length;
    }
  }

  #updateSecondHash(part: Uint8Array): void {
    const { prefixBytes } = this.options;
    const left = (prefixBytes ?? -1) - this.#secondBytes;
    this.#secondBytes += part.length;
    if (left < 0 || left > part.length || this.#prefixSha256 !== undefined) {
      this.#secondHash.update(part);
      return;
    }
    this.#secondHash.update(part.subarray(0, left));
    this.#prefixSha256 = this.#secondHash.copy().digest("hex");
    this.#secondHash.update(part.subarray(left));
  }

  async #readBlock(): Promise<Uint8Array> {
    if (this.options.signal?.aborted)
      throw new AppError("cancelled", `reading ${this.file.path} was cancelled`);
    const block = await (this.#next ?? this.#startRead());
    this.options.onProgress?.(Math.min(this.#nextOffset, this.file.sizeBytes), this.file.sizeBytes);
    this.#next = block.length === 0 ? Promise.resolve(block) : this.#startRead();
    // Whoever reads on gets the error; if nobody does, it is not one.
    this.#next.catch(() => {});
    return block;
  }

  /** Into the one of two buffers that is not in use. */
  #startRead(): Promise<Uint8Array> {
    const target = this.#spare.reverse()[0]!;
    const offset = this.#nextOffset;
    return this.file.readInto(target, offset).then((filled) => {
      this.#nextOffset = offset + filled;
      return target.subarray(0, filled);
    });
  }
}
