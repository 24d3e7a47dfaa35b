import type { Clock } from "../../src/common/clock.ts";

/** A clock that stands still until it is told otherwise. */
export class FakeClock implements Clock {
  #monotonicMs = 5_000;
  #wallOffsetMs: number;

  constructor(wallMs: number) {
    this.#wallOffsetMs = wallMs - this.#monotonicMs;
  }

  wallMs(): number {
    return this.#monotonicMs + this.#wallOffsetMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  advance(ms: number): void {
    this.#monotonicMs += ms;
  }

  /** As somebody, or NTP, sets the clock. */
  step(ms: number): void {
    this.#wallOffsetMs += ms;
  }
}
