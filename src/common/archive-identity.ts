import { constants } from "node:fs";
import { open } from "node:fs/promises";
import * as v from "valibot";
import { errnoOf } from "./errors.ts";
import { ArchiveId } from "./ids.ts";
import { WireTime } from "./protocol/wire.ts";

const maxIdentityBytes = 4096;

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

/**
 * What stands in the archive's identity file; undefined when there is none, "" when that is no plain, small file. A pipe
 * or device in its place must not hang us, a link must not lead elsewhere.
 */
export async function readIdentityText(path: string): Promise<string | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "")) return undefined;
    if (["ELOOP", "ENXIO", "EISDIR"].includes(errnoOf(error) ?? "")) return "";
    throw error;
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size > maxIdentityBytes) return "";
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}
