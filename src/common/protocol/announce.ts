import * as v from "valibot";
import { parseArchivePath } from "../archive-path.ts";
import { Sha256Hex } from "../ids.ts";
import { SegmentIdentityJson } from "../segment-identity.ts";
import { PositiveInteger } from "./wire.ts";

/** Version of everything in this folder. A hub refuses a node of a newer major version with a clear message. */
export const protocolVersion = 1;

/** One archived segment, as the edge tells the hub of it: the file's own identity and where it is. */
export const AnnouncedVideo = v.object({
  ...SegmentIdentityJson.entries,
  /** Relative to the archive's root. */
  file_path: v.pipe(
    v.string(),
    v.maxLength(160),
    v.check(
      (path) => parseArchivePath(path) !== undefined,
      "a path such as cam01/2025-09-23/cam01_20250923_153000.mp4",
    ),
  ),
  file_size: PositiveInteger,
  file_sha256: Sha256Hex,
});
export type AnnouncedVideo = v.InferOutput<typeof AnnouncedVideo>;

/** POST /api/videos/announce */
export const AnnounceRequest = v.object({
  protocol_version: v.literal(protocolVersion),
  videos: v.pipe(v.array(AnnouncedVideo), v.minLength(1), v.maxLength(500)),
});
export type AnnounceRequest = v.InferInput<typeof AnnounceRequest>;

/**
 * One result per video, in the order sent. `stored` and `duplicate` are both an acknowledgement; `conflict` means
 * the id or the path is known with other content: `known_sha256` is the hub's, nothing was changed.
 */
export const AnnounceResult = v.object({
  video_id: v.string(),
  result: v.picklist(["stored", "duplicate", "conflict"]),
  announced_sha256: v.optional(v.string()),
  known_sha256: v.optional(v.string()),
  detail: v.optional(v.string()),
});
export type AnnounceResult = v.InferOutput<typeof AnnounceResult>;

/** 200 when all are acknowledged, 409 with the same body when any conflicts. */
export const AnnounceResponse = v.object({ results: v.array(AnnounceResult) });
export type AnnounceResponse = v.InferOutput<typeof AnnounceResponse>;
