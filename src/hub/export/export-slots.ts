import { AppError } from "../../common/errors.ts";

/** How many exports are sent at a time: each reads a disk as fast as its client takes it, and has blocks in memory. */
export class ExportSlots {
  readonly #max: number;
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Exports that are being sent. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Answers how to give the slot back, once or more often; that the client leaves does it, too, since an answer that was
   * not begun by then never ends. Throws `unavailable` when all are taken.
   */
  take(client: AbortSignal): () => void {
    if (this.#taken >= this.#max) {
      throw new AppError("unavailable", `${this.#max} exports are running already; try again in a moment`);
    }
    this.#taken++;
    let isTaken = true;
    const release = () => {
      if (isTaken) this.#taken--;
      isTaken = false;
      client.removeEventListener("abort", release);
    };
    if (client.aborted) release();
    else client.addEventListener("abort", release);
    return release;
  }
}
