/** What a player that follows another has to do to be at the same moment. */
export type Step = { do: "nothing"; rate: number } | { do: "nudge"; rate: number } | { do: "seek" };

/** Nobody sees less. */
const sameMs = 40;
/** What takes too long to catch up by playing a little faster or slower. */
const farMs = 700;
const nudge = 0.06;

/** `behindMs`: how far it is behind the one it follows; negative when it is ahead. Pure. */
export function planStep(behindMs: number, rate: number, isPlaying: boolean): Step {
  const off = Math.abs(behindMs);
  // What counts is the time of the person who watches: faster, each moment is seen less long.
  if (off > farMs * rate || (!isPlaying && off > sameMs)) return { do: "seek" };
  if (off <= sameMs * Math.max(1, rate)) return { do: "nothing", rate };
  return { do: "nudge", rate: rate * (behindMs > 0 ? 1 + nudge : 1 - nudge) };
}
