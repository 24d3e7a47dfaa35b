/** A timer this late means that this process stood still (suspended, starved): what came meanwhile is still unread. */
const lateMs = 500;

/** Calls back once when nobody has fed it for a while. */
export class Watchdog {
  readonly #onSilence: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onSilence: () => void) {
    this.#onSilence = onSilence;
  }

  /** Starts to wait, anew if it was waiting. */
  wait(ms: number): void {
    clearTimeout(this.#timer);
    const dueMs = performance.now() + ms;
    this.#timer = setTimeout(() => {
      if (performance.now() - dueMs > lateMs) this.wait(2 * lateMs);
      else this.#onSilence();
    }, ms);
  }

  rest(): void {
    clearTimeout(this.#timer);
  }
}
