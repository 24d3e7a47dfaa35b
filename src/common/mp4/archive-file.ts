import type { SegmentIdentity } from "../segment-identity.ts";
import { latin1, u32s, writeBox, writeLargeBoxHeader } from "./box-writer.ts";
import { type Box, corrupt, parseBoxHeader, readBox } from "./boxes.ts";
import { isIdentityBox, parseIdentityBox, writeIdentityBox } from "./identity-box.ts";
import { type InitSegment, parseInitSegment } from "./init-segment.ts";
import { placeFragments, writeOuterMoov } from "./outer-moov.ts";
import { RegularFile } from "./regular-file.ts";
import type { SegmentIndex } from "./segment-index.ts";
import { parseSidx, planSubsegments, type Subsegment, writeSidx } from "./sidx.ts";

/** The file is `front` + `initBytes` + `sidx` + the fragments as recorded. See docs/file-format.md. */
export interface ArchiveLayout {
  /** `ftyp`, `uuid`, `moov` and the header of `mdat`. */
  front: Uint8Array;
  initBytes: Uint8Array;
  sidx: Uint8Array;
  initOffset: number;
  sidxOffset: number;
  fragmentsOffset: number;
  fragmentsSizeBytes: number;
  /** Of the whole file. */
  totalSizeBytes: number;
}

/** What of the file is known without its identity, as soon as all of the segment is recorded. */
export interface ArchiveTables {
  fileType: Uint8Array;
  /** As if the first fragment were at byte 0 of the file. */
  moov: Uint8Array;
  initBytes: Uint8Array;
  sidx: Uint8Array;
  fragmentsSizeBytes: number;
}

/** Pure functions of their input. Throw `corrupt_file` for an index without video. */
export function planArchiveFile(input: { index: SegmentIndex; identity: SegmentIdentity }): ArchiveLayout {
  const { index, identity } = input;
  return placeArchiveTables(planArchiveTables(index, identity.startTimeMs), identity);
}

/** {@link planArchiveFile} around an identity box as it is, for `verify`: a newer livecam may have written more into it. */
export function planAroundIdentity(
  index: SegmentIndex,
  identityBox: Uint8Array,
  startTimeMs: number,
): ArchiveLayout {
  return placeAroundIdentity(planArchiveTables(index, startTimeMs), identityBox);
}

export function planArchiveTables(index: SegmentIndex, startTimeMs: number): ArchiveTables {
  const sidx = writeSidx(index.video.track, planSubsegments(index));
  const { init, fragmentsSizeBytes } = index;
  const moov = writeOuterMoov(index, startTimeMs);
  return { fileType: writeFileType(init), moov, initBytes: init.bytes, sidx, fragmentsSizeBytes };
}

/** The identity has to have the start that the tables were planned with. */
export function placeArchiveTables(tables: ArchiveTables, identity: SegmentIdentity): ArchiveLayout {
  return placeAroundIdentity(tables, writeIdentityBox(identity));
}

function placeAroundIdentity(tables: ArchiveTables, identityBox: Uint8Array): ArchiveLayout {
  const { fileType, initBytes, sidx, fragmentsSizeBytes } = tables;
  const payloadBytes = initBytes.length + sidx.length + fragmentsSizeBytes;
  const head = [fileType, identityBox];
  const mdatHeader = writeLargeBoxHeader("mdat", payloadBytes);
  const moov = tables.moov.slice();
  const initOffset = head.reduce((sum, part) => sum + part.length, moov.length + mdatHeader.length);
  const sidxOffset = initOffset + initBytes.length;
  const fragmentsOffset = sidxOffset + sidx.length;
  placeFragments(moov, fragmentsOffset);
  return {
    front: Buffer.concat([...head, moov, mdatHeader]),
    initBytes,
    sidx,
    initOffset,
    sidxOffset,
    fragmentsOffset,
    fragmentsSizeBytes,
    totalSizeBytes: initOffset + payloadBytes,
  };
}

/** Brands (ISO/IEC 14496-12 4.3) of what the outer tables use, the same as ordinary muxers write. */
export function writeFileType(init: InitSegment): Uint8Array {
  const brands = init.video.codec.startsWith("avc1") ? "isomiso2avc1mp41" : "isomiso2mp41";
  return writeBox("ftyp", latin1("isom"), u32s(0x200), latin1(brands));
}

/** A {@link Subsegment} with its place in the file. */
export interface FragmentRange extends Subsegment {
  /** From the start of the file. */
  offset: number;
}

export interface ArchivedFile {
  identity: SegmentIdentity;
  sizeBytes: number;
  initOffset: number;
  initSizeBytes: number;
  init: InitSegment;
  /** Ticks per second of the fragments' times. */
  timescale: number;
  /** One per fragment, in order; every byte after the `sidx` belongs to one. */
  fragments: readonly FragmentRange[];
}

/** Enough for identity and `mdat` header, and for init segment and `sidx` of 4,000 fragments, in one read each. */
const readAheadBytes = 64 * 1024;
const maxInitBytes = 16 * 1024 * 1024;

/**
 * Reads identity, init segment and `sidx` in two or three small reads, however large the file. Throws `not_found`,
 * `io`, `invalid_input` for what is not a plain file, and `corrupt_file` for everything that is not a whole archive
 * file (with `details.foreign` when it is an MP4 that livecam did not write). Does not read the media: see `verify`.
 */
export async function readArchiveFile(path: string): Promise<ArchivedFile> {
  await using file = await RegularFile.open(path);
  // Awaited, or it would be closed under the reads.
  return await readWholeArchiveFile(file);
}

/** What {@link RegularFile} reads, and whatever else can. */
export type ReadableFile = Pick<RegularFile, "path" | "sizeBytes" | "readAt">;

/** {@link readArchiveFile} of a file that is open. */
export async function readWholeArchiveFile(file: ReadableFile): Promise<ArchivedFile> {
  const archived = await readArchiveIndex(file);
  if (archived.sizeBytes === file.sizeBytes) return archived;
  throw corrupt(`${file.path} is ${file.sizeBytes} bytes long and should be ${archived.sizeBytes}`);
}

/** {@link readArchiveFile} of a file that may be longer or shorter than its index says; `sizeBytes` is what that says. */
export async function readArchiveIndex(file: ReadableFile): Promise<ArchivedFile> {
  const { path } = file;
  const { identity, mdatOffset } = await readFront(file);
  const mdat = parseBoxHeader(await file.readAt(mdatOffset, 16));
  if (mdat?.type !== "mdat") throw corrupt(`${path} ends before its media data`);
  const mdatEnd = mdat.sizeBytes === undefined ? Number.NaN : mdatOffset + mdat.sizeBytes;
  const initOffset = mdatOffset + mdat.headerSizeBytes;
  const { bytes, sidx } = await readPayloadHead(file, initOffset);
  const init = parseInitSegment(bytes.slice(0, sidx.start));
  const { timescale, subsegments } = parseSidx(bytes, sidx);
  let offset = initOffset + sidx.end;
  const fragments: FragmentRange[] = [];
  for (const { sizeBytes, startTicks, durationTicks, startsWithKeyframe, closed } of subsegments) {
    // Field by field: there are thousands of them, and a spread takes five times as long.
    fragments.push({ sizeBytes, startTicks, durationTicks, startsWithKeyframe, closed, offset });
    offset += sizeBytes;
  }
  if (offset !== mdatEnd) {
    throw corrupt(`the fragments of ${path} end at byte ${offset}, the file at ${mdatEnd}`);
  }
  return { identity, sizeBytes: mdatEnd, initOffset, initSizeBytes: sidx.start, init, timescale, fragments };
}

/** `ftyp` and `uuid`, and where the box after `moov` starts. */
async function readFront(file: ReadableFile): Promise<{ identity: SegmentIdentity; mdatOffset: number }> {
  const head = await file.readAt(0, readAheadBytes);
  if (head.length === 0) throw corrupt(`${file.path} is empty`);
  const ftyp = readBox(head);
  if (ftyp.type !== "ftyp") throw corrupt(`${file.path} is no MP4: it starts with "${ftyp.type}"`);
  const second = parseBoxHeader(head.subarray(ftyp.end));
  const uuid = second?.type === "uuid" ? readBox(head, ftyp.end) : undefined;
  if (uuid === undefined || !isIdentityBox(head, uuid)) {
    throw corrupt(`${file.path} is an MP4 that livecam did not write`, { foreign: true });
  }
  const identity = parseIdentityBox(head, uuid);
  const moov = parseBoxHeader(head.subarray(uuid.end));
  if (moov?.type !== "moov" || moov.sizeBytes === undefined)
    throw corrupt(`${file.path} has no index ("moov")`);
  return { identity, mdatOffset: uuid.end + moov.sizeBytes };
}

/** The payload up to the end of its `sidx`. */
async function readPayloadHead(
  file: ReadableFile,
  initOffset: number,
): Promise<{ bytes: Uint8Array; sidx: Box }> {
  let bytes = await file.readAt(initOffset, readAheadBytes);
  let end = 0;
  for (const type of ["ftyp", "moov", "sidx"]) {
    const header = parseBoxHeader(bytes.subarray(end));
    if (header?.type !== type || header.sizeBytes === undefined) {
      throw corrupt(`the payload of ${file.path} has "${header?.type ?? ""}" where "${type}" belongs`);
    }
    const start = end;
    end += header.sizeBytes;
    if (end > maxInitBytes) throw corrupt(`the payload of ${file.path} starts with ${end} bytes of headers`);
    // The header of the next box has to be there too.
    if (end + 16 > bytes.length) bytes = await file.readAt(initOffset, end + readAheadBytes);
    if (type === "sidx") return { bytes, sidx: readBox(bytes, start) };
  }
  throw corrupt(`the payload of ${file.path} has no "sidx"`);
}
