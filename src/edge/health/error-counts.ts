/** Errors since start, by the module that logged them; part of every heartbeat. */
export class ErrorCounts {
  readonly #counts = new Map<string, number>();

  add(module: string): void {
    this.#counts.set(module, (this.#counts.get(module) ?? 0) + 1);
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
