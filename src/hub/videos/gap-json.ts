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
  duration: v.pipe(v.number(), v.description("Seconds.")),
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
    duration: (gap.toMs - gap.fromMs) / 1000,
    cause: gap.cause,
    detail: gap.detail,
    created_at: formatWireTime(gap.createdAtMs),
  };
}
