import type { ArchivedFile, FragmentRange } from "../../../common/mp4/archive-file.ts";
import type { PreviewCue } from "./plan-previews.ts";

/**
 * The fragment whose first picture stands for each cue: the first that begins in it, else the last that begins before.
 * A fragment stands where it is chosen first; until the next one the picture stays. Pure.
 */
export function chooseKeyframes(
  file: Pick<ArchivedFile, "fragments" | "timescale">,
  cues: readonly Pick<PreviewCue, "startMs" | "endMs">[],
): { cue: number; fragment: FragmentRange }[] {
  const fragments = file.fragments.filter(({ startsWithKeyframe }) => startsWithKeyframe);
  const origin = file.fragments[0]?.startTicks ?? 0;
  // Rounded as the catalog's times are: what begins 0.4 ms before a cue begins with it.
  const startMs = ({ startTicks }: FragmentRange) =>
    Math.round(((startTicks - origin) * 1000) / file.timescale);
  const chosen: { cue: number; fragment: FragmentRange }[] = [];
  let next = 0;
  for (const [cue, { startMs: fromMs, endMs: toMs }] of cues.entries()) {
    while (next < fragments.length && startMs(fragments[next]!) < fromMs) next++;
    const inside = fragments[next];
    const fragment =
      inside !== undefined && startMs(inside) < toMs ? inside : fragments[Math.max(0, next - 1)];
    if (fragment !== undefined && fragment !== chosen.at(-1)?.fragment) chosen.push({ cue, fragment });
  }
  return chosen;
}
