import type { Inventory } from "./inventory.ts";
import { readSegmentRecord } from "./segment-record.ts";
import { type SpoolLayout, segmentStates } from "./spool-layout.ts";

/** No segment is longer: one that reaches into a range did not start further before it. */
const longestSegmentMs = 3_700_000;

/**
 * What of a camera lies in the spool between two moments, or, where nothing tells from when on, its newest segment.
 * Throws `io`.
 */
export async function findRecorded(
  layout: SpoolLayout,
  inventory: Inventory,
  cameraId: string,
  range: { fromMs: number | undefined; toMs: number },
): Promise<{ fromMs: number; toMs: number }[]> {
  const { fromMs, toMs } = range;
  const before = segmentStates
    .filter((state) => state !== "recording")
    .flatMap((state) => inventory.list(state).map((segment) => ({ ...segment, state })))
    .filter((segment) => segment.cameraId === cameraId && segment.startTimeMs < toMs)
    .sort((a, b) => a.startTimeMs - b.startTimeMs);
  const near =
    fromMs === undefined
      ? before.slice(-1)
      : before.filter(({ startTimeMs }) => startTimeMs > fromMs - longestSegmentMs);
  const spans: { fromMs: number; toMs: number }[] = [];
  for (const { state, name } of near) {
    const record = await readSegmentRecord(layout.directoryOf(state, name));
    if (record.kind !== "closed") continue;
    const { startTimeMs, endTimeMs, isMock } = record.identity;
    if (!isMock && endTimeMs > (fromMs ?? 0)) spans.push({ fromMs: startTimeMs, toMs: endTimeMs });
  }
  return spans;
}
