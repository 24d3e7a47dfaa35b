import { sleep } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";

/** A quarter of what live pictures are held back for: footage of the past never costs a live viewer a fragment. */
const maxBehindBytes = 128 * 1024;
const lookMs = 10;

/**
 * Lets parts of segments onto one connection, one after the other, and only when what was sent before has left: a slow
 * wire makes whoever watches wait, and nothing else.
 */
export class PartTurns {
  readonly #wire: { bufferedBytes(): number };
  #turn: Promise<unknown> = Promise.resolve();

  constructor(wire: { bufferedBytes(): number }) {
    this.#wire = wire;
  }

  /** Reads a part when its turn has come. Throws `cancelled` when `signal` aborts before, and what `read` throws. */
  take<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const mine = this.#turn.then(async () => {
      // The part before is sent right after its turn.
      await sleep(0, signal);
      while (this.#wire.bufferedBytes() > maxBehindBytes && !signal.aborted) await sleep(lookMs, signal);
      if (signal.aborted) throw new AppError("cancelled", "nobody waits for this part any more");
      return read();
    });
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}
