import { Hono } from "hono";
import * as v from "valibot";
import type { Clock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import { CameraId } from "../../common/ids.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { WireTime } from "../../common/protocol/wire.ts";
import type { Catalog } from "../db/catalog.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { describe } from "../http/describe.ts";
import { listOf } from "../http/list-parameters.ts";
import { validQuery } from "../http/validate.ts";
import type { MediaSource } from "../playback/media-source.ts";
import { createEvidenceBody, sizeOfEvidence } from "./evidence-body.ts";
import { planEvidence, refusalOf } from "./evidence-service.ts";
import type { ExportSlots } from "./export-slots.ts";
import type { CameraRange } from "./range-coverage.ts";

const maxSpanDays = 31;

const EvidenceParameters = v.strictObject({
  camera_id: v.pipe(
    listOf(CameraId, 64),
    v.minLength(1, "at least one camera"),
    v.description("One or more, repeated or separated by commas."),
  ),
  from: v.pipe(WireTime, v.description("RFC 3339. Videos that end after it.")),
  to: v.pipe(
    WireTime,
    v.description(`RFC 3339. Videos that start before it; at most ${maxSpanDays} days later.`),
  ),
});

export interface EvidenceRouteParts {
  catalog: Pick<Catalog, "findVideos" | "findGaps" | "updateVideoStatus">;
  media: MediaSource;
  slots: ExportSlots;
  clock: Pick<Clock, "wallMs">;
  logger: Logger;
  softwareVersion: string;
  archiveId: () => string | undefined;
}

/** Original files with everything that somebody else needs to rely on them. */
export function createEvidenceRoutes(parts: EvidenceRouteParts) {
  const { catalog, media, clock, logger } = parts;
  return new Hono<AppEnv>().get(
    "/api/evidence.zip",
    allow("read"),
    describe({
      tag: "Videos",
      summary: "Export original files as evidence",
      description:
        "A ZIP of the archived files of one or more cameras, untouched, with their hashes from the camera's node on, a " +
        "manifest of what the range covers and what is missing in it and why, and how to verify it: " +
        "`livecam-hub verify EXPORT.zip` finds one changed bit.",
      content: { mediaType: "application/zip", description: "The export, made while it is sent." },
      problems: [400, 404, 503],
    }),
    validQuery(EvidenceParameters),
    async (c) => {
      const { camera_id: cameraIds, from: fromMs, to: toMs } = c.req.valid("query");
      checkSpan(fromMs, toMs);
      const ranges = [...new Set(cameraIds)].map((cameraId): CameraRange => ({ cameraId, fromMs, toMs }));
      const onEnd = parts.slots.take(c.req.raw.signal);
      try {
        const nowMs = clock.wallMs();
        const { entries } = await planEvidence(
          {
            ...{ catalog, media, nowMs, softwareVersion: parts.softwareVersion },
            archiveId: parts.archiveId() ?? null,
          },
          ranges,
        );
        const headers = {
          "Content-Type": "application/zip",
          "Content-Disposition": `attachment; filename="${fileNameOf(ranges)}"`,
          // Bun sends it with HEAD alone: a stream goes out chunked (oven-sh/bun#10507).
          "Content-Length": String(sizeOfEvidence(entries)),
          "Cache-Control": "private, no-store",
        };
        if (c.req.method === "HEAD") {
          onEnd();
          return new Response(null, { headers });
        }
        const body = await createEvidenceBody({
          ...{ media, entries, onEnd, nowMs, client: c.req.raw.signal },
          refusal: (error, video) => refusalOf(catalog, video, error),
          onDamaged: (video) => catalog.updateVideoStatus(video.videoId, "damaged"),
          onError: (error) => logger.error("an evidence export broke off", errorFields(error)),
        });
        return new Response(body, { headers });
      } catch (error) {
        onEnd();
        throw error;
      }
    },
  );
}

function checkSpan(fromMs: number, toMs: number): void {
  const message =
    fromMs >= toMs
      ? "expected a time after `from`"
      : toMs - fromMs > maxSpanDays * 86_400_000
        ? `expected a time at most ${maxSpanDays} days after \`from\``
        : undefined;
  if (message === undefined) return;
  throw new AppError("invalid_input", "this range cannot be exported", { issues: [{ path: "to", message }] });
}

/** `evidence_cam01_20250923T063000Z.zip`: letters, digits, `_` and `-`, so it needs no quoting. */
function fileNameOf(ranges: readonly CameraRange[]): string {
  const [first] = ranges;
  const start = new Date(first?.fromMs ?? 0).toISOString().slice(0, 19).replace(/[-:]/g, "");
  return `evidence_${ranges.length === 1 ? first?.cameraId : `${ranges.length}-cameras`}_${start}Z.zip`;
}
