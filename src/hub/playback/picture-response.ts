import type { Context } from "hono";
import { AppError } from "../../common/errors.ts";
import type { Video } from "../db/catalog.ts";
import type { AppEnv } from "../http/app-env.ts";
import { checkPreconditions, formatHttpDate } from "../http/preconditions.ts";
import { problemOfError } from "../http/problem-response.ts";
import { wholeBody } from "../http/whole-body.ts";
import { noPicture } from "./no-picture.ts";

export interface PictureAnswer {
  video: Video;
  contentType: string;
  /** Tells what is made of a video from what else is, and from what an older release made of it. */
  variant: string;
  make: () => Promise<Uint8Array>;
}

/** What is made of a video stays as it is as long as the video does, so clients may keep it for ever. */
export async function pictureResponse(
  c: Context<AppEnv>,
  { video, contentType, variant, make }: PictureAnswer,
): Promise<Response> {
  // Of the same video another ffmpeg may make other bytes that show the same: a weak tag.
  const validators = {
    etag: `"${video.fileSha256.slice(0, 32)}-${variant}"`,
    lastModifiedMs: video.createdAtMs,
  };
  const headers = {
    ETag: `W/${validators.etag}`,
    "Last-Modified": formatHttpDate(validators.lastModifiedMs),
    "Cache-Control": "private, max-age=31536000, immutable",
  };
  const known = checkPreconditions(
    {
      ifMatch: undefined,
      ifUnmodifiedSince: undefined,
      ifNoneMatch: c.req.header("if-none-match"),
      ifModifiedSince: c.req.header("if-modified-since"),
      ifRange: undefined,
    },
    validators,
  );
  if (known === "not_modified") return new Response(null, { status: 304, headers });
  try {
    const bytes = await make();
    return new Response(c.req.method === "HEAD" ? null : wholeBody(bytes as Uint8Array<ArrayBuffer>), {
      headers: { ...headers, "Content-Type": contentType, "Content-Length": String(bytes.length) },
    });
  } catch (error) {
    if (!(error instanceof AppError) || !prefersImages(c.req.header("accept"))) throw error;
    const { status } = problemOfError(error, c.var.requestId);
    return new Response(noPicture, {
      status,
      headers: {
        "Content-Type": "image/svg+xml",
        "Cache-Control": "no-store",
        ...(status === 503 ? { "Retry-After": "5" } : {}),
      },
    });
  }
}

/** An `<img>` names image types first; programs say `application/json` or leave it at anything. */
function prefersImages(accept = ""): boolean {
  return /^\s*image\//.test(accept);
}
