import { basename, dirname } from "node:path/posix";
import { archivePathOf, parseArchivePath } from "../../common/archive-path.ts";
import type { SegmentIdentity } from "../../common/segment-identity.ts";

/** Names are `.<final name>.<video id>.<try>.partial`, so no reader takes one for a video. */
const partialPattern = /^\.[A-Za-z0-9._-]+\.([0-9a-f-]{36})\.[0-9a-f]{8}\.partial$/;

/** Folder of one camera's day, relative to the archive's root. */
export function dayFolderOf(identity: SegmentIdentity): string {
  return dirname(archivePathOf(identity));
}

/** What has a name that this segment could have, of the names in its day's folder; relative to the root. */
export function takenPathsOf(identity: SegmentIdentity, names: Iterable<string>): string[] {
  const stem = basename(archivePathOf(identity), ".mp4");
  return [...names]
    .filter((name) => name === `${stem}.mp4` || name.startsWith(`${stem}-`))
    .map((name) => `${dayFolderOf(identity)}/${name}`)
    .filter((path) => parseArchivePath(path) !== undefined);
}

/**
 * A path that no try had before: a rename that an abandoned upload still has on its way must not find the file of
 * the next one.
 */
export function newPartialPath(identity: SegmentIdentity): string {
  const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(4))).toString("hex");
  const final = basename(archivePathOf(identity));
  return `${dayFolderOf(identity)}/.${final}.${identity.videoId}.${nonce}.partial`;
}

/** Whether it is what an upload of this very segment left. */
export function isPartialOf(identity: SegmentIdentity, name: string): boolean {
  return partialPattern.exec(name)?.[1] === identity.videoId;
}
