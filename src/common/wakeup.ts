/**
 * Lets a loop wait until somebody has something for it. A `wake` while nobody waits is kept for the next `wait`, so
 * nothing is missed between looking and waiting.
 */
export class Wakeup {
  #pending = false;
  #resolve: (() => void) | undefined;

  wake(): void {
    this.#pending = true;
    this.#resolve?.();
  }

  /** Resolves after `wake`, after `ms` where given, or when `signal` aborts; it does not throw. */
  async wait(signal: AbortSignal, ms?: number): Promise<void> {
    if (!this.#pending && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const done = () => resolve();
      this.#resolve = done;
      signal.addEventListener("abort", done, { once: true });
      const timer = ms === undefined ? undefined : setTimeout(done, ms);
      await promise;
      this.#resolve = undefined;
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
    }
    this.#pending = false;
  }
}
