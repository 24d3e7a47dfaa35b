/** Time as the rest of the code sees it; a fake one stands in for it in tests. */
export interface Clock {
  /** Wall time, milliseconds since 1970 UTC. May step. */
  wallMs(): number;
  /** Milliseconds since an arbitrary point; never steps, never goes back. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** livecam did not exist then: a wall clock that says something earlier was never set. */
export const earliestWallMs = Date.UTC(2024, 0, 1);

/** Resolves after `ms`, or at once when `signal` aborts; it does not throw, so loops check the signal. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}
