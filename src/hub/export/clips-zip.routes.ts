import { type Context, Hono } from "hono";
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
import { validJson, validQuery } from "../http/validate.ts";
import type { MediaSource } from "../playback/media-source.ts";
import type { FilePart } from "./clip.ts";
import { type ClipService, maxClipMs } from "./clip-service.ts";
import { createClipsZipBody, maxClipsInZip, maxZipMs, planClipsZip, type ZippedRange } from "./clips-zip.ts";
import type { ExportSlots } from "./export-slots.ts";

const Cut = v.optional(v.picklist(["exact", "keyframe"], "exact or keyframe"), "exact");
const clipHours = maxClipMs / 3_600_000;
const zipHours = maxZipMs / 3_600_000;

const ClipsBody = v.strictObject({
  clips: v.pipe(
    v.array(
      v.strictObject({
        camera_id: CameraId,
        from: WireTime,
        to: v.pipe(WireTime, v.description(`At most ${clipHours} hours after \`from\`.`)),
        cut: Cut,
      }),
    ),
    v.minLength(1, "at least one clip"),
    v.maxLength(maxClipsInZip, `at most ${maxClipsInZip} clips`),
  ),
});

const ClipsParameters = v.strictObject({
  camera_id: v.pipe(
    listOf(CameraId, maxClipsInZip),
    v.minLength(1, "at least one camera"),
    v.description("One or more, repeated or separated by commas."),
  ),
  from: v.pipe(WireTime, v.description("RFC 3339. Where each clip starts.")),
  to: v.pipe(WireTime, v.description(`RFC 3339. Where each ends; at most ${clipHours} hours later.`)),
  cut: Cut,
});

export interface ClipsZipRouteParts {
  catalog: Pick<Catalog, "findVideos" | "findGaps">;
  clips: ClipService;
  media: Pick<MediaSource, "open" | "sizeOf">;
  slots: ExportSlots;
  clock: Pick<Clock, "wallMs">;
  logger: Logger;
  softwareVersion: string;
}

/** Clips of several ranges or cameras in one file. */
export function createClipsZipRoutes(parts: ClipsZipRouteParts) {
  const description =
    "A ZIP (stored) with each clip as one MP4, and last a `manifest.json`: for each range its file with size and " +
    "SHA-256, what of it was recorded, what is missing and why. A range without any video has no file. " +
    `At most ${maxClipsInZip} clips of together ${zipHours} hours.`;
  const content = { mediaType: "application/zip", description: "The clips, made while they are sent." };
  return new Hono<AppEnv>()
    .post(
      "/api/clips.zip",
      allow("read"),
      describe({
        ...{ tag: "Cameras", summary: "Export several ranges or cameras as one ZIP", description, content },
        problems: [400, 404, 408, 409, 413, 415, 503],
      }),
      validJson(ClipsBody, { maxBytes: 64 * 1024 }),
      (c) => {
        const ranges = c.req.valid("json").clips.map(({ camera_id: cameraId, from, to, cut }, i) => {
          checkSpan(from, to, `clips.${i}.to`);
          return { cameraId, fromMs: from, toMs: to, cut };
        });
        return answer(c, parts, ranges, "clips");
      },
    )
    .get(
      "/api/clips.zip",
      allow("read"),
      describe({
        ...{ tag: "Cameras", summary: "Export a range of several cameras as one ZIP", description, content },
        problems: [400, 404, 409, 503],
      }),
      validQuery(ClipsParameters),
      (c) => {
        const { camera_id: cameraIds, from: fromMs, to: toMs, cut } = c.req.valid("query");
        checkSpan(fromMs, toMs, "to");
        const ranges = [...new Set(cameraIds)].map((cameraId) => ({ cameraId, fromMs, toMs, cut }));
        return answer(c, parts, ranges, "to");
      },
    );
}

function checkSpan(fromMs: number, toMs: number, path: string): void {
  const message =
    fromMs >= toMs
      ? "expected a time after `from`"
      : toMs - fromMs > maxClipMs
        ? `expected a time at most ${clipHours} hours after \`from\``
        : undefined;
  if (message !== undefined) throw refused(path, message);
}

function refused(path: string, message: string): AppError {
  return new AppError("invalid_input", "these ranges cannot be exported", { issues: [{ path, message }] });
}

async function answer(
  c: Context<AppEnv>,
  parts: ClipsZipRouteParts,
  ranges: readonly ZippedRange[],
  field: string,
): Promise<Response> {
  const totalMs = ranges.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  if (totalMs > maxZipMs) throw refused(field, `expected at most ${zipHours} hours of video together`);
  const { media, logger } = parts;
  const onEnd = parts.slots.take(c.req.raw.signal);
  try {
    const nowMs = parts.clock.wallMs();
    const zip = await planClipsZip({ ...parts, nowMs }, ranges);
    const headers = {
      "Content-Type": "application/zip",
      "Content-Disposition": `attachment; filename="${fileNameOf(ranges)}"`,
      // Bun sends it with HEAD alone: a stream goes out chunked (oven-sh/bun#10507).
      "Content-Length": String(zip.sizeBytes),
      "Cache-Control": "private, no-store",
    };
    if (c.req.method === "HEAD") {
      onEnd();
      return new Response(null, { headers });
    }
    const onError = (error: unknown, part: FilePart | undefined) => {
      logger.warning("a ZIP of clips broke off", { file: part?.filePath, ...errorFields(error) });
      if (part === undefined) return;
      parts.clips
        .partFailed(part, error)
        .catch((cause: unknown) => logger.error("a video could not be marked", errorFields(cause)));
    };
    const refusal = (error: unknown, part: FilePart) => parts.clips.refusalOf(part, error);
    const client = c.req.raw.signal;
    const body = await createClipsZipBody(zip, { media, nowMs, client, refusal, onEnd, onError });
    return new Response(body, { headers });
  } catch (error) {
    onEnd();
    throw error;
  }
}

/** `clips_cam01_20250923T063000Z.zip`: letters, digits, `_` and `-`, so it needs no quoting. */
function fileNameOf(ranges: readonly ZippedRange[]): string {
  const cameras = new Set(ranges.map(({ cameraId }) => cameraId));
  const [camera] = cameras;
  const firstMs = Math.min(...ranges.map(({ fromMs }) => fromMs));
  const start = new Date(firstMs).toISOString().slice(0, 19).replace(/[-:]/g, "");
  return `clips_${cameras.size === 1 ? camera : `${cameras.size}-cameras`}_${start}Z.zip`;
}
