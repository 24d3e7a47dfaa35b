/** Names of the qualities in a multivariant playlist, the recorded one first. */
export function qualitiesIn(master: string): string[] {
  return [...master.matchAll(/STABLE-VARIANT-ID="([\w-]+)"/g)].map(([, name]) => name ?? "");
}
