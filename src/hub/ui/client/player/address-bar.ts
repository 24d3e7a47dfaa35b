import { isoOf } from "./timeline-data.ts";

/** The address is written no more often: browsers refuse more than some a second. */
const leastMs = 1_500;

/** `?at=2025-09-23T06:30:00.000Z&with=cam02,cam03`: a moment, and the cameras beside the page's own. */
export function queryOf(atMs: number, besides: readonly string[]): string {
  const query = new URLSearchParams({ at: isoOf(Math.round(atMs)) });
  if (besides.length > 0) query.set("with", besides.join(","));
  // Commas and colons may stand in a query as they are, and are read more easily.
  return `?${query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":")}`;
}

/** Keeps the browser's address that of the moment that is seen. */
export class AddressBar {
  readonly #besides: readonly string[];
  #writtenAt = 0;
  #written: string | undefined;

  constructor(besides: readonly string[]) {
    this.#besides = besides;
  }

  /** Undefined before anything is seen. `afterMs`: not when it was written less than so long ago. */
  write(atMs: number | undefined, afterMs = leastMs): void {
    if (atMs === undefined || performance.now() - this.#writtenAt < afterMs) return;
    const query = queryOf(atMs, this.#besides);
    if (query === this.#written) return;
    this.#writtenAt = performance.now();
    this.#written = query;
    history.replaceState(null, "", query);
  }
}
