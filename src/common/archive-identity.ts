import * as v from "valibot";
import { ArchiveId } from "./ids.ts";
import { WireTime } from "./protocol/wire.ts";

/**
 * `metadata/archive.json`: which archive this is. The hub writes it once, into an archive that has none; edge and hub
 * refuse to write to, and the hub to delete from, an archive whose id is not the one they know.
 */
export const ArchiveIdentityJson = v.object({
  archive_id: ArchiveId,
  created_at: WireTime,
  format_version: v.literal(1),
});
export type ArchiveIdentityJson = v.InferInput<typeof ArchiveIdentityJson>;

/** Throws `ValiError` or `SyntaxError` on anything else. */
export function parseArchiveIdentity(text: string): v.InferOutput<typeof ArchiveIdentityJson> {
  return v.parse(ArchiveIdentityJson, JSON.parse(text));
}
