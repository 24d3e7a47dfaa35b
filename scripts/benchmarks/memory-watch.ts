import { sleep } from "../../src/common/clock.ts";
import { readMemory } from "./process-usage.ts";

const sampleMs = 20;

/** The most memory of no file that a process has until `stop`, in MB beside what it has now. */
export function watchMemory(pid: number): { stop(): Promise<number> } {
  const bytesNow = async () => (await readMemory(pid))?.anonymousBytes ?? 0;
  const stopped = new AbortController();
  const watching = (async () => {
    const before = await bytesNow();
    let peak = before;
    while (!stopped.signal.aborted) {
      await sleep(sampleMs);
      peak = Math.max(peak, await bytesNow());
    }
    return (peak - before) / 1e6;
  })();
  return {
    stop() {
      stopped.abort();
      return watching;
    },
  };
}
