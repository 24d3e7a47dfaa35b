/** Bytes of memory this process has, what waits to be collected left out: when that happens is nobody's promise. */
export function residentBytes(): number {
  Bun.gc(true);
  return process.memoryUsage.rss();
}
