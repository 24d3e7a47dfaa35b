import { newUuidV7 } from "../../src/common/ids.ts";
import type { ReportedAlert } from "../../src/common/protocol/alert.ts";

/** An alert as a node tells it. */
export function reportedAlert(more: Partial<ReportedAlert> = {}): ReportedAlert {
  const raisedAt = more.raised_at ?? "2025-09-23T05:59:00.000Z";
  return {
    alert_id: newUuidV7(Date.parse(raisedAt)),
    code: "camera_down",
    severity: "critical",
    camera_id: "cam01",
    message: "the camera gives nothing: 5 starts in a row failed",
    params: { failures: 5 },
    raised_at: raisedAt,
    cleared_at: null,
    count: 1,
    ...more,
  };
}
