/** Until the first fragment, whose time nobody knows. */
const startMs = 50;
/** A fragment that has begun to come is there within a moment: it is written at once. */
const partMs = 2;
const longestPartMs = 100;
/** One that is late. */
const lateMs = 20;
const longestLateMs = 200;
/**
 * The next fragment is looked for a little earlier than the last was found, and after some times much earlier, until
 * it is not there: that is how near to its time the look is. A look for nothing costs as much as one that finds.
 */
const creepMs = 1;
const creepsBeforeGrowth = 5;
const longestCreepMs = 512;
/** Many short fragments are taken together. */
const leastMs = 50;
/** Fragments may become shorter than they were. */
const mostMs = 1000;

export interface Look {
  /** Of what was found now. */
  sizeBytes: number;
  /** Of a fragment that is not whole yet. */
  pendingBytes: number;
  /** Media time of the newest fragment; undefined before the first. */
  fragmentMs: number | undefined;
}

/**
 * When to look for what a capture has written. Fragments come at the pace of their media, so little more than one look
 * for each is enough; it comes up to some 20 ms after the fragment.
 */
export class ReadSchedule {
  /** Looks in a row that found nothing of what was due. */
  #misses = 0;
  /** Times in a row that what was due was there. */
  #hits = 0;
  /** Until the next fragment is due, after the wait that was told last. */
  #dueInMs = 0;

  /** How long after this look the next should come, in ms. */
  next({ sizeBytes, pendingBytes, fragmentMs }: Look): number {
    const isDue = this.#dueInMs <= 0;
    if (sizeBytes > 0) this.#misses = 0;
    else if (isDue || pendingBytes > 0) this.#misses++;
    if (pendingBytes > 0) return Math.min(longestPartMs, partMs * 2 ** this.#misses);
    if (fragmentMs === undefined) return startMs;
    if (this.#misses > 0) {
      this.#hits = 0;
      return Math.min(longestLateMs, Math.max(lateMs, 2 ** this.#misses));
    }
    if (sizeBytes > 0) {
      const growth = Math.max(0, ++this.#hits - creepsBeforeGrowth);
      this.#dueInMs = Math.max(leastMs, fragmentMs - Math.min(longestCreepMs, creepMs * 2 ** growth));
    }
    const delayMs = Math.min(mostMs, this.#dueInMs);
    this.#dueInMs -= delayMs;
    return delayMs;
  }
}
