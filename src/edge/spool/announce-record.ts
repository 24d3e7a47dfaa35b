import { join } from "node:path";
import * as v from "valibot";
import { writeFileAtomic } from "../../common/atomic-file.ts";
import { AnnouncedVideo, type AnnounceResult } from "../../common/protocol/announce.ts";
import { formatSegmentIdentity, type SegmentIdentity } from "../../common/segment-identity.ts";
import type { PutResult } from "../uploader/archive-destination.ts";
import { readJson } from "./segment-record.ts";

const announceFile = "announce.json";
const conflictFile = "conflict.json";

type AnnouncedVideoJson = v.InferInput<typeof AnnouncedVideo>;

/** Exactly what the hub will be told, however often it takes. */
export async function writeAnnounceRecord(
  directory: string,
  identity: SegmentIdentity,
  result: PutResult,
): Promise<void> {
  const json: AnnouncedVideoJson = {
    ...formatSegmentIdentity(identity),
    file_path: result.filePath,
    file_size: result.fileSizeBytes,
    file_sha256: result.fileSha256,
  };
  await writeFileAtomic(join(directory, announceFile), JSON.stringify(json, null, 1));
}

/** Undefined for one that is not there or cannot be believed. Throws only when the disk cannot be read. */
export async function readAnnounceRecord(directory: string): Promise<AnnouncedVideoJson | undefined> {
  const json = await readJson(join(directory, announceFile));
  return v.is(AnnouncedVideo, json) ? json : undefined;
}

/** What the hub has instead, for whoever looks into it. */
export async function writeConflictRecord(directory: string, result: AnnounceResult): Promise<void> {
  await writeFileAtomic(join(directory, conflictFile), JSON.stringify(result, null, 1));
}

export async function hasConflictRecord(directory: string): Promise<boolean> {
  return (await readJson(join(directory, conflictFile))) !== undefined;
}
