/** Now, in ms since 1970 UTC, as this browser believes. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}
