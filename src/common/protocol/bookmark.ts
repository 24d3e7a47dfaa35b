import * as v from "valibot";
import { Uuid } from "../ids.ts";
import { protocolVersion } from "./announce.ts";

/**
 * POST /api/nodes/{id}/bookmark. A node keeps one id of its own in the hub's catalog, its bookmark: everything that
 * the hub had acknowledged when the node made the id was in the catalog before the id was. So a catalog that has an
 * older bookmark, or none, was restored from an older one, and lacks at most what was acknowledged since.
 *
 * `move` puts `to` in the place of `from` (null: of none). It does nothing where something else stands there, or when
 * the hub was started since it told its `session`: only then can a catalog have been restored. The answer says what
 * stands there now. Idempotent.
 */
export const BookmarkRequest = v.object({
  protocol_version: v.literal(protocolVersion),
  move: v.optional(v.object({ session: Uuid, from: v.nullable(Uuid), to: Uuid })),
});
export type BookmarkRequest = v.InferInput<typeof BookmarkRequest>;

export const BookmarkResponse = v.object({
  /** Another one after each start of the hub. */
  session: Uuid,
  bookmark: v.nullable(Uuid),
});
export type BookmarkResponse = v.InferOutput<typeof BookmarkResponse>;
