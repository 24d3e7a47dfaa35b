import { AppError } from "../../common/errors.ts";

/** One thread looks: more of them at a time only make each one later, and read the disk in more places. */
const maxLooking = 2;
const maxWaiting = 30;
/** Less than a connection may be silent. */
const maxWaitMs = 60_000;

/** The place of one search. It is given up when this is disposed of. */
interface Place extends Disposable {
  /**
   * Resolves when the search has one; at once for one that has. Throws `unavailable` when too many wait already or its
   * turn does not come, `cancelled` when nobody waits for the search any more.
   */
  take(): Promise<void>;
}

/** How many searches look further than the first few videos at a time; the others wait in the order in which they came. */
export class SearchPlaces {
  #looking = 0;
  readonly #waiting = new Set<() => void>();

  ofSearch(signal: AbortSignal | undefined): Place {
    let isTaken = false;
    return {
      take: async () => {
        if (isTaken) return;
        if (this.#looking >= maxLooking) await this.#turn(signal);
        else this.#looking++;
        isTaken = true;
      },
      [Symbol.dispose]: () => {
        if (!isTaken) return;
        isTaken = false;
        // Handed over, not given back and taken: nobody can step in between.
        const [next] = this.#waiting;
        if (next) next();
        else this.#looking--;
      },
    };
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) throw cancelled();
    if (this.#waiting.size >= maxWaiting) throw tooMany();
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(begin);
        clearTimeout(timer);
        signal?.removeEventListener("abort", leave);
      };
      const begin = () => {
        end();
        resolve();
      };
      const leave = () => {
        end();
        reject(cancelled());
      };
      const timer = setTimeout(() => {
        end();
        reject(tooMany());
      }, maxWaitMs);
      this.#waiting.add(begin);
      signal?.addEventListener("abort", leave);
    });
  }
}

const tooMany = () =>
  new AppError("unavailable", "too many searches of the whole catalog at once; try again in a moment");

const cancelled = () => new AppError("cancelled", "nobody waits for the search any more");
