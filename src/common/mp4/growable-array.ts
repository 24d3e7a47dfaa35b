type NumberArray = Uint8Array | Int32Array | Uint32Array | Float64Array;

/** A typed array that grows by doubling: four or eight bytes per number however many there are. */
export class GrowableArray<T extends NumberArray> {
  #items: T;
  #length = 0;

  constructor(readonly create: (length: number) => T) {
    this.#items = create(64);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    this.#reserve(1);
    this.#items[this.#length++] = value;
  }

  append(values: ArrayLike<number>): void {
    this.#reserve(values.length);
    this.#items.set(values, this.#length);
    this.#length += values.length;
  }

  at(index: number): number {
    if (index < 0 || index >= this.#length) throw new RangeError(`no item ${index} of ${this.#length}`);
    return this.#items[index]!;
  }

  set(index: number, value: number): void {
    if (index < 0 || index >= this.#length) throw new RangeError(`no item ${index} of ${this.#length}`);
    this.#items[index] = value;
  }

  /** The items as they are now; a view that later pushes may leave behind. */
  view(): T {
    return this.#items.subarray(0, this.#length) as T;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#items.length) return;
    const grown = this.create(Math.max(needed, this.#items.length * 2));
    grown.set(this.view());
    this.#items = grown;
  }
}
