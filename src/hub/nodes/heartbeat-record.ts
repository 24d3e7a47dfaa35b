import * as v from "valibot";
import { HeartbeatRequest } from "../../common/protocol/node.ts";
import { formatWireTime } from "../../common/protocol/wire.ts";
import type { ParsedHeartbeat } from "./node-service.ts";

/** A heartbeat as the catalog keeps it: the wire's own JSON. */
export function formatHeartbeat(beat: ParsedHeartbeat): string {
  const wire: v.InferInput<typeof HeartbeatRequest> = {
    ...beat,
    sent_at: formatWireTime(beat.sent_at),
    cameras: beat.cameras.map(formatCameraStatus),
    spool: formatSpoolStatus(beat.spool),
    uploads: beat.uploads && formatUploadStatus(beat.uploads),
    alerts: beat.alerts?.map((alert) => ({
      ...alert,
      raised_at: formatWireTime(alert.raised_at),
      cleared_at: formatOptional(alert.cleared_at),
    })),
    link: beat.link && { ...beat.link, since: formatOptional(beat.link.since) },
  };
  return JSON.stringify(wire);
}

/** Inverse of {@link formatHeartbeat}; undefined for one that an older or newer hub kept in another form. */
export function parseHeartbeat(json: string): ParsedHeartbeat | undefined {
  const parsed = v.safeParse(HeartbeatRequest, JSON.parse(json));
  return parsed.success ? parsed.output : undefined;
}

export function formatCameraStatus(camera: ParsedHeartbeat["cameras"][number]) {
  const { fallback_since, paused_since, ...status } = camera;
  return {
    ...status,
    last_fragment_at: formatOptional(status.last_fragment_at),
    run_started_at: formatOptional(status.run_started_at),
    ...(fallback_since !== undefined && { fallback_since: formatOptional(fallback_since) }),
    ...(paused_since !== undefined && { paused_since: formatOptional(paused_since) }),
  };
}

export function formatSpoolStatus(spool: ParsedHeartbeat["spool"]) {
  return { ...spool, oldest_waiting_at: formatOptional(spool.oldest_waiting_at) };
}

export function formatUploadStatus(uploads: NonNullable<ParsedHeartbeat["uploads"]>) {
  const { failing_since, ...status } = uploads;
  return { ...status, ...(failing_since !== undefined && { failing_since: formatOptional(failing_since) }) };
}

function formatOptional(ms: number | null): string | null {
  return ms === null ? null : formatWireTime(ms);
}
