/** What to do so that the picture is as late as it should be. */
export interface Correction {
  /** To skip now. */
  jumpSeconds: number;
  /** To play with until the next fragment. */
  rate: number;
}

/** What was left to play when a fragment came, at best: less is used up when the next comes a little late. */
const leastSpare = 0.2;
const mostSpare = 1.5;
/** So near to running dry that a little more would have been too late. */
const nearlyDry = 0.05;
/** Further behind is caught up by a jump, which is seen; nearer by playing faster, which is not. */
const jumpAt = { first: 0.1, later: 0.75 };
const ignored = 0.04;
const mostRateChange = 0.1;

/**
 * Keeps a live picture one fragment and a moment late: a fragment can only be sent when it is whole, and what was left
 * to play at that instant is by how much the picture is later than it has to be. After a wait for what did not come it
 * keeps a greater distance, which it gives up again bit by bit.
 */
export class LiveDelay {
  #wanted = leastSpare;
  #isSettled = false;

  /** Of a fragment that came: how long it is, and what was left to play before it, both in seconds. */
  next(spare: number, fragmentSeconds: number): Correction {
    const limit = this.#isSettled ? jumpAt.later : jumpAt.first;
    if (!this.#isSettled) this.#isSettled = true;
    else if (spare < nearlyDry) this.#wanted = Math.min(mostSpare, this.#wanted + 0.1);
    else this.#wanted = Math.max(leastSpare, this.#wanted - 0.005);
    const behind = spare - this.#wanted;
    if (behind > limit) return { jumpSeconds: behind, rate: 1 };
    if (Math.abs(behind) < ignored) return { jumpSeconds: 0, rate: 1 };
    const change = behind / Math.max(fragmentSeconds, 0.1);
    return { jumpSeconds: 0, rate: 1 + Math.min(mostRateChange, Math.max(-mostRateChange, change)) };
  }
}
