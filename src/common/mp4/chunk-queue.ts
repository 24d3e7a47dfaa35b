/** Bytes that arrive in pieces and are taken in other pieces. Each byte is copied once, when it is taken. */
export class ChunkQueue {
  readonly #chunks: Uint8Array[] = [];
  /** Bytes of the first chunk that are gone already. */
  #headOffset = 0;
  #sizeBytes = 0;
  /** Where the piece that was asked for is put together, so that its chunks need not be kept until it is whole. */
  #target: Uint8Array | undefined;
  #targetFilled = 0;

  /** Bytes not taken yet. */
  get sizeBytes(): number {
    return this.#sizeBytes + this.#targetFilled;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#sizeBytes += chunk.length;
  }

  /** Up to `length` bytes from `offset` on, without taking them; fewer when they are not here yet. */
  peek(offset: number, length: number): Uint8Array {
    const available = Math.max(0, Math.min(length, this.sizeBytes - offset));
    const bytes = new Uint8Array(available);
    let filled = 0;
    let position = offset;
    if (this.#target !== undefined && position < this.#targetFilled) {
      const part = this.#target.subarray(position, Math.min(this.#targetFilled, position + available));
      bytes.set(part);
      filled = part.length;
      position += filled;
    }
    position += this.#headOffset - this.#targetFilled;
    for (const chunk of this.#chunks) {
      if (filled === available) break;
      if (position < chunk.length) {
        const part = chunk.subarray(position, position + available - filled);
        bytes.set(part, filled);
        filled += part.length;
        position = chunk.length;
      }
      position -= chunk.length;
    }
    return bytes;
  }

  /**
   * The next `length` bytes, once they are all here; until then `undefined`, and the next call must ask for the
   * same length.
   */
  take(length: number): Uint8Array | undefined {
    this.#target ??= new Uint8Array(length);
    if (this.#target.length !== length) throw new RangeError("another length was asked for before");
    while (this.#targetFilled < length) {
      const part = this.#shift(length - this.#targetFilled);
      if (part === undefined) return undefined;
      this.#target.set(part, this.#targetFilled);
      this.#targetFilled += part.length;
    }
    const bytes = this.#target;
    this.#target = undefined;
    this.#targetFilled = 0;
    return bytes;
  }

  /** Throws away up to `length` bytes; returns how many there were. */
  drop(length: number): number {
    let dropped = 0;
    while (dropped < length) {
      const part = this.#shift(length - dropped);
      if (part === undefined) break;
      dropped += part.length;
    }
    return dropped;
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#headOffset = 0;
    this.#sizeBytes = 0;
    this.#target = undefined;
    this.#targetFilled = 0;
  }

  /** Up to `length` bytes of the first chunk. */
  #shift(length: number): Uint8Array | undefined {
    const head = this.#chunks[0];
    if (head === undefined) return undefined;
    const part = head.subarray(this.#headOffset, this.#headOffset + length);
    this.#headOffset += part.length;
    this.#sizeBytes -= part.length;
    if (this.#headOffset === head.length) {
      this.#chunks.shift();
      this.#headOffset = 0;
    }
    return part;
  }
}
