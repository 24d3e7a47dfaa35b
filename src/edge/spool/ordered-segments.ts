interface Item {
  videoId: string;
  sizeBytes: number;
}

/**
 * Segments by id, oldest first: with ten thousand of them, finding, adding and removing one costs microseconds, and so
 * does asking for all of them.
 */
export class OrderedSegments<T extends Item> {
  readonly #byId = new Map<string, T>();
  /** UUIDv7: ids sort by the start of the segment. */
  readonly #ordered: T[] = [];
  #sizeBytes = 0;
  #list: readonly T[] | undefined;

  get size(): number {
    return this.#byId.size;
  }

  /** Of all of them together. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get(videoId: string): T | undefined {
    return this.#byId.get(videoId);
  }

  /** Takes the place of one with the same id. */
  set(segment: T): void {
    const { videoId, sizeBytes } = segment;
    const before = this.#byId.get(videoId);
    this.#byId.set(videoId, segment);
    this.#ordered.splice(this.#indexOf(videoId), before ? 1 : 0, segment);
    this.#sizeBytes += sizeBytes - (before?.sizeBytes ?? 0);
    this.#list = undefined;
  }

  delete(videoId: string): void {
    const before = this.#byId.get(videoId);
    if (!before) return;
    this.#byId.delete(videoId);
    this.#ordered.splice(this.#indexOf(videoId), 1);
    this.#sizeBytes -= before.sizeBytes;
    this.#list = undefined;
  }

  /** As it is now: it does not change later, and is the same list until something does. */
  list(): readonly T[] {
    this.#list ??= this.#ordered.slice();
    return this.#list;
  }

  /** Where the id is, or belongs. */
  #indexOf(videoId: string): number {
    let low = 0;
    for (let high = this.#ordered.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if (this.#ordered[middle]!.videoId < videoId) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
