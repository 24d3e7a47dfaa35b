/** A read should never be smaller for want of room. */
const leastRoomBytes = 64 * 1024;
/** What a buffer that was once needed for something large is not kept for. */
const largeBytes = 8 * 1024 * 1024;

/**
 * The end of a stream that is not taken yet, in one piece. There are two buffers, and while the next piece gathers in
 * one, what was taken from the other stays there: in the long run nothing is allocated, and next to nothing copied.
 */
export class StreamBuffer {
  #bytes: Uint8Array = new Uint8Array(4 * leastRoomBytes);
  #other: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;
  /** Something was taken from the buffer that is filled now. */
  #wasTaken = false;
  /** So much is about to be asked for at once. */
  #wantedBytes = 0;
  #largestTakenBytes = 0;

  /** Bytes not taken yet. */
  get sizeBytes(): number {
    return this.#end - this.#start;
  }

  /** Where the next bytes go. What was taken before the last time that something was taken is gone then. */
  room(): Uint8Array {
    const { sizeBytes } = this;
    const neededBytes = Math.max(this.#wantedBytes, sizeBytes + this.#largestTakenBytes) + leastRoomBytes;
    if (this.#wasTaken) {
      const rest = this.#bytes.subarray(this.#start, this.#end);
      const next = fitting(this.#other, neededBytes);
      next.set(rest);
      this.#other = this.#bytes;
      this.#moveTo(next, sizeBytes);
      this.#wasTaken = false;
      this.#largestTakenBytes = 0;
    } else if (this.#start > 0) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
      this.#moveTo(this.#bytes, sizeBytes);
    }
    if (this.#bytes.length < neededBytes) {
      const next = fitting(this.#bytes, neededBytes);
      next.set(this.#bytes.subarray(0, sizeBytes));
      this.#moveTo(next, sizeBytes);
    }
    return this.#bytes.subarray(this.#end);
  }

  filled(sizeBytes: number): void {
    if (sizeBytes > this.#bytes.length - this.#end) throw new RangeError("more than there was room for");
    this.#end += sizeBytes;
  }

  /** Up to `length` bytes from `offset` on, without taking them; fewer when they are not here yet. */
  peek(offset: number, length: number): Uint8Array {
    const from = Math.min(this.#end, this.#start + offset);
    return this.#bytes.subarray(from, Math.min(this.#end, from + length));
  }

  /** The next `length` bytes once they are all here; they stay as they are until there is `room` after the next take. */
  take(length: number): Uint8Array | undefined {
    if (this.sizeBytes < length) {
      this.#wantedBytes = length;
      return undefined;
    }
    const bytes = this.#bytes.subarray(this.#start, this.#start + length);
    this.#start += length;
    this.#wasTaken = true;
    this.#wantedBytes = 0;
    this.#largestTakenBytes = Math.max(this.#largestTakenBytes, length);
    return bytes;
  }

  /** Throws away up to `length` bytes; returns how many there were. */
  drop(length: number): number {
    const dropped = Math.min(length, this.sizeBytes);
    this.#start += dropped;
    return dropped;
  }

  clear(): void {
    this.#bytes = new Uint8Array(leastRoomBytes);
    this.#other = new Uint8Array(0);
    this.#start = 0;
    this.#end = 0;
    this.#wasTaken = false;
    this.#wantedBytes = 0;
    this.#largestTakenBytes = 0;
  }

  #moveTo(bytes: Uint8Array, sizeBytes: number): void {
    this.#bytes = bytes;
    this.#start = 0;
    this.#end = sizeBytes;
  }
}

/** `buffer`, or a new one where it is too small, or far too large. New ones cost memory only where they are filled. */
function fitting(buffer: Uint8Array, neededBytes: number): Uint8Array {
  const isFarTooLarge = buffer.length > largeBytes && buffer.length > 8 * neededBytes;
  if (buffer.length >= neededBytes && !isFarTooLarge) return buffer;
  return new Uint8Array(Math.ceil(neededBytes + Math.min(neededBytes, largeBytes) / 4));
}
