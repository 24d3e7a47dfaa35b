import { type Context, Hono } from "hono";
import * as v from "valibot";
import { AppError } from "../../common/errors.ts";
import { CameraId } from "../../common/ids.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { WireTime } from "../../common/protocol/wire.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { describe } from "../http/describe.ts";
import { checkPreconditions, conditionalHeadersOf, ifRangeHolds } from "../http/preconditions.ts";
import { problemOf, problemResponse } from "../http/problem-response.ts";
import { type ByteRange, planRange } from "../http/range.ts";
import { validParam, validQuery } from "../http/validate.ts";
import type { MediaSource } from "../playback/media-source.ts";
import { type Clip, type ClipCut, type ClipFormat, clipNameOf, type FilePart } from "./clip.ts";
import { createClipBody } from "./clip-body.ts";
import { type ClipService, maxClipMs } from "./clip-service.ts";
import type { ExportSlots } from "./export-slots.ts";

const contentType = "video/mp4";

const ClipParameters = v.strictObject({
  from: v.pipe(WireTime, v.description("RFC 3339. Where the clip starts.")),
  to: v.pipe(WireTime, v.description("RFC 3339. Where it ends; at most six hours later.")),
  cut: v.optional(
    v.pipe(
      v.picklist(["exact", "keyframe"], "exact or keyframe"),
      v.description(
        "`exact` shows just what was asked for, by an edit list; `keyframe` the whole groups of pictures around it. " +
          "By default `exact` for mp4; fmp4 has whole groups of pictures alone.",
      ),
    ),
  ),
  format: v.optional(
    v.pipe(
      v.picklist(["mp4", "fmp4"], "mp4 or fmp4"),
      v.description(
        "`mp4` has one index in front; `fmp4` an init segment and the fragments as they were recorded, moved in time.",
      ),
    ),
    "mp4",
  ),
  download: v.optional(
    v.pipe(v.picklist(["0", "1"], "0 or 1"), v.description("0 shows the clip instead of saving it.")),
    "1",
  ),
});

export interface ClipRouteParts {
  clips: ClipService;
  media: MediaSource;
  slots: ExportSlots;
  logger: Logger;
}

/**
 * A range of a camera as one MP4, by default with its index in front. The file is nowhere: its index is computed and its media are
 * ranges of the archived files, so it has a length, an ETag and ranges like any file, and starts at once.
 */
export function createClipRoutes(parts: ClipRouteParts) {
  return new Hono<AppEnv>().get(
    "/api/cameras/:id/clip.mp4",
    allow("read"),
    describe({
      tag: "Cameras",
      summary: "Export a range of a camera as one MP4",
      description:
        "Cut from the archived files without encoding anything. Times without footage are left out. One range of " +
        "bytes may be asked for, so that a download can be resumed and a player can seek; `Livecam-Start-Time`, " +
        "`Livecam-End-Time` and `Livecam-Duration-Ms` tell what the clip shows.",
      content: { mediaType: contentType, description: "The clip." },
      also: { 206: { description: "The range asked for." }, 304: { description: "The client has it." } },
      problems: [400, 404, 409, 412, 416, 503],
    }),
    validParam(v.object({ id: CameraId })),
    validQuery(ClipParameters),
    async (c) => {
      const { from: fromMs, to: toMs, format, download, ...query } = c.req.valid("query");
      checkSpan(fromMs, toMs);
      const cut = cutOf(format, query.cut);
      const cameraId = c.req.valid("param").id;
      const clip = await parts.clips.clipOf({ cameraId, fromMs, toMs, cut, format });
      const disposition = download === "1" ? "attachment" : "inline";
      return answer(c, {
        ...{ parts, clip },
        disposition: `${disposition}; filename="${clipNameOf(cameraId, clip, format)}"`,
      });
    },
  );
}

function checkSpan(fromMs: number, toMs: number): void {
  const message =
    fromMs >= toMs
      ? "expected a time after `from`"
      : toMs - fromMs > maxClipMs
        ? `expected a time at most ${maxClipMs / 3_600_000} hours after \`from\``
        : undefined;
  if (message === undefined) return;
  throw new AppError("invalid_input", "this range cannot be a clip", { issues: [{ path: "to", message }] });
}

function cutOf(format: ClipFormat, asked: ClipCut | undefined): ClipCut {
  if (format === "mp4") return asked ?? "exact";
  if (asked !== "exact") return "keyframe";
  const issues = [{ path: "cut", message: "expected keyframe with format=fmp4" }];
  throw new AppError("invalid_input", "fragments cannot be cut exactly", { issues });
}

async function answer(
  c: Context<AppEnv>,
  { parts, clip, disposition }: { parts: ClipRouteParts; clip: Clip; disposition: string },
): Promise<Response> {
  // No date says whether a clip is still the same one, so there is none, and a condition with a date never holds.
  const validators = { etag: clip.etag, lastModifiedMs: Number.POSITIVE_INFINITY };
  const headers: Record<string, string> = {
    ETag: validators.etag,
    // The range may get more videos, or lose some.
    "Cache-Control": "private, no-cache",
    "Accept-Ranges": "bytes",
    "Livecam-Start-Time": new Date(clip.startTimeMs).toISOString(),
    "Livecam-End-Time": new Date(clip.endTimeMs).toISOString(),
    "Livecam-Duration-Ms": String(clip.durationMs),
  };
  const conditions = conditionalHeadersOf(c.req.raw);
  const precondition = checkPreconditions(conditions, validators);
  if (precondition === "not_modified") return new Response(null, { status: 304, headers });
  if (precondition === "failed") {
    const detail = "the clip is not the one that the condition names";
    return problemResponse(problemOf({ status: 412, code: "precondition_failed", detail }));
  }
  // HEAD describes the answer to a GET without ranges (RFC 9110 section 14.2).
  const isHead = c.req.method === "HEAD";
  const mayRange = !isHead && ifRangeHolds(conditions.ifRange, validators);
  const plan = planRange(mayRange ? c.req.header("range") : undefined, clip.sizeBytes);
  if (plan.kind === "refused") {
    const issues = [{ path: "Range", message: plan.reason }];
    return problemResponse(problemOf({ status: 416, code: "range_not_satisfiable", issues }), {
      "Content-Range": `bytes */${clip.sizeBytes}`,
    });
  }
  // Several ranges are answered with everything, as a server may (RFC 9110 section 14.2).
  const range = plan.kind === "single" ? plan.range : { start: 0, end: clip.sizeBytes };
  headers["Content-Type"] = contentType;
  headers["Content-Disposition"] = disposition;
  // Bun sends it with HEAD and with a range of one archived file; streams it sends chunked (oven-sh/bun#10507).
  headers["Content-Length"] = String(range.end - range.start);
  if (plan.kind === "single") {
    headers["Content-Range"] = `bytes ${range.start}-${range.end - 1}/${clip.sizeBytes}`;
  }
  const status = plan.kind === "single" ? 206 : 200;
  if (isHead) return new Response(null, { status, headers });
  return new Response(await bodyOf(parts, clip, range, c.req.raw.signal), { status, headers });
}

async function bodyOf(
  { clips, media, slots, logger }: ClipRouteParts,
  { parts }: Clip,
  range: ByteRange,
  client: AbortSignal,
): Promise<Blob | ReadableStream<Uint8Array>> {
  const onEnd = slots.take(client);
  const refusal = (error: unknown, part: FilePart) => clips.refusalOf(part, error);
  const onError = (error: unknown, part: FilePart) => {
    logger.warning("a clip ended early", { file: part.filePath, ...errorFields(error) });
    clips
      .partFailed(part, error)
      .catch((cause: unknown) => logger.error("a video could not be marked", errorFields(cause)));
  };
  try {
    return await createClipBody({ media, parts, range, client, refusal, onError, onEnd });
  } catch (error) {
    onEnd();
    throw error;
  }
}
