import * as v from "valibot";
import { GapCause } from "../../common/protocol/gap.ts";
import { formatWireTime } from "../../common/protocol/wire.ts";
import type { Gap } from "../db/catalog.ts";

const time = v.pipe(v.string(), v.metadata({ format: "date-time" }));

/** A gap as the API answers it. */
export const GapJson = v.object({
  gap_id: v.string(),
  camera_id: v.string(),
  node_id: v.string(),
  from_time: time,
  to_time: time,
  missing: v.pipe(
    v.array(v.object({ from_time: time, to_time: time })),
    v.description("What of it is in no video, in order: footage may have come after all."),
  ),
  duration: v.pipe(v.number(), v.description("Seconds that are missing.")),
  cause: GapCause,
  detail: v.string(),
  created_at: v.pipe(time, v.description("When the hub learned of it.")),
});
export type GapJson = v.InferOutput<typeof GapJson>;

export const GapPageJson = v.object({ gaps: v.array(GapJson), next_cursor: v.nullable(v.string()) });

export function formatGap(gap: Gap): GapJson {
  return {
    gap_id: gap.gapId,
    camera_id: gap.cameraId,
    node_id: gap.nodeId,
    from_time: formatWireTime(gap.fromMs),
    to_time: formatWireTime(gap.toMs),
    missing: gap.missing.map(({ fromMs, toMs }) => ({
      from_time: formatWireTime(fromMs),
      to_time: formatWireTime(toMs),
    })),
    duration: gap.missing.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0) / 1000,
    cause: gap.cause,
    detail: gap.detail,
    created_at: formatWireTime(gap.createdAtMs),
  };
}
