import { readdir, readFile } from "node:fs/promises";

/** Ids of the processes that have all of `words` among their arguments. */
export async function processesWith(...words: readonly string[]): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      // It may end while we look.
      const argv = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
      return words.every((word) => argv.includes(word)) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}
