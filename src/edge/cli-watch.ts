import { sleep } from "../common/clock.ts";
import { describeError } from "../common/errors.ts";
import type { TextSink } from "../common/verify-progress.ts";

export interface WatchOptions {
  /** What to show now; what it rejects with is shown in its place. */
  read: () => Promise<string>;
  out: TextSink;
  everyMs: number;
  signal: AbortSignal;
}

/** Clears from here to the end of the line, and of the screen (ECMA-48 EL and ED); home before both. */
const clearLine = "\u001b[K";
const home = "\u001b[H";
const clearRest = "\u001b[J";
const clearAll = "\u001b[2J";

/**
 * Shows the same thing again and again until aborted: on a terminal in place, without flicker, elsewhere one after
 * the other. An edge that is restarted is waited for.
 */
export async function watch({ read, out, everyMs, signal }: WatchOptions): Promise<void> {
  if (out.isTTY) out.write(clearAll);
  while (!signal.aborted) {
    const text = await read().catch((error: unknown) => `${describeError(error)}\n`);
    if (signal.aborted) return;
    out.write(out.isTTY ? `${home}${text.replaceAll("\n", `${clearLine}\n`)}${clearRest}` : text);
    await sleep(everyMs, signal);
  }
}
