import { open, readFile, stat } from "node:fs/promises";
import * as v from "valibot";
import { AppError, errnoOf } from "../common/errors.ts";
import { type ArchiveTables, planArchiveTables } from "../common/mp4/archive-file.ts";
import type { SegmentIndex } from "../common/mp4/segment-index.ts";
import type { SegmentIdentity } from "../common/segment-identity.ts";

/** All but what is in the spool file itself. */
const partNames = ["fileType", "moov", "sidx"] as const;

export interface SegmentTables extends Omit<ArchiveTables, "initBytes"> {
  initSizeBytes: number;
}

const Size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const Head = v.object({
  format: v.literal(1),
  /** What they are of; a segment that is dated anew has another start, which its `moov` tells, too. */
  recorded_sha256: v.string(),
  start_ms: v.number(),
  init_size_bytes: Size,
  fragments_size_bytes: Size,
  part_sizes: v.pipe(v.array(Size), v.length(partNames.length)),
});

const checksumBytes = 8;
const newLine = 10;
/** Several times what the longest segment has. */
const maxBytes = 64 * 1024 * 1024;

/** What they have to fit to. */
type Recorded = Pick<SegmentIdentity, "recordedSha256" | "startTimeMs">;

/**
 * The tables of a segment's archive file, for a file beside the spool file that is written when that is closed: the
 * index is the front of the archive file, so without it nothing can be hashed. They are no more than a short way: not
 * synced, and where they are missing, torn, or of something else, they are made from the spool file.
 *
 * A checksum (XXH3-64, big-endian) of all that follows; a line of JSON; the parts, in the order of `partNames`.
 */
export function formatSegmentTables(tables: SegmentTables, recorded: Recorded): Uint8Array {
  const parts = partNames.map((name) => tables[name]);
  const head: v.InferInput<typeof Head> = {
    format: 1,
    recorded_sha256: recorded.recordedSha256,
    start_ms: recorded.startTimeMs,
    init_size_bytes: tables.initSizeBytes,
    fragments_size_bytes: tables.fragmentsSizeBytes,
    part_sizes: parts.map(({ length }) => length),
  };
  const bytes = Buffer.concat([
    new Uint8Array(checksumBytes),
    Buffer.from(`${JSON.stringify(head)}\n`),
    ...parts,
  ]);
  bytes.writeBigUInt64BE(Bun.hash.xxHash3(bytes.subarray(checksumBytes)));
  return bytes;
}

/** Undefined when they are not whole, or not those of `recorded`. */
export function parseSegmentTables(bytes: Uint8Array, recorded: Recorded): SegmentTables | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < checksumBytes) return undefined;
  if (file.readBigUInt64BE() !== Bun.hash.xxHash3(file.subarray(checksumBytes))) return undefined;
  const headEnd = file.indexOf(newLine, checksumBytes);
  const head = v.safeParse(Head, parseJson(file.toString("utf8", checksumBytes, headEnd)));
  if (!head.success) return undefined;
  const { recorded_sha256, start_ms, init_size_bytes, fragments_size_bytes, part_sizes } = head.output;
  if (recorded_sha256 !== recorded.recordedSha256 || start_ms !== recorded.startTimeMs) return undefined;
  let end = headEnd + 1;
  const [fileType, moov, sidx] = part_sizes.map((size) => {
    end += size;
    return file.subarray(end - size, end);
  });
  if (!fileType || !moov || !sidx || end !== file.length) return undefined;
  return {
    ...{ fileType, moov, sidx },
    initSizeBytes: init_size_bytes,
    fragmentsSizeBytes: fragments_size_bytes,
  };
}

/** A disk that refuses them refuses nothing by that: what is there of them is torn, and found to be. */
export async function writeSegmentTables(
  path: string,
  index: SegmentIndex,
  recorded: Recorded,
): Promise<void> {
  let bytes: Uint8Array;
  try {
    const { initBytes, ...tables } = planArchiveTables(index, recorded.startTimeMs);
    bytes = formatSegmentTables({ ...tables, initSizeBytes: initBytes.length }, recorded);
  } catch (error) {
    // Without video; the upload will say so.
    if (error instanceof AppError && error.code === "corrupt_file") return;
    throw error;
  }
  try {
    await using file = await open(path, "w", 0o640);
    await file.writeFile(bytes);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

/** Undefined where they are not to be had. */
export async function readSegmentTables(
  path: string,
  recorded: Recorded,
): Promise<SegmentTables | undefined> {
  try {
    if ((await stat(path)).size > maxBytes) return undefined;
    return parseSegmentTables(await readFile(path), recorded);
  } catch (error) {
    if (errnoOf(error) !== undefined) return undefined;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
