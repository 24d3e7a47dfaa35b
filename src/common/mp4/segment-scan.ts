import { corrupt, maxBoxHeaderBytes, messageOfCorrupt, parseBoxHeader } from "./boxes.ts";
import { type ParsedFragment, parseFragment } from "./fragment.ts";
import { type InitSegment, parseInitSegment } from "./init-segment.ts";
import { hasWholeSamples } from "./nal-units.ts";
import { RegularFile } from "./regular-file.ts";
import { SegmentIndex } from "./segment-index.ts";

/** What a spool file holds. */
export interface SegmentScan {
  init: InitSegment;
  index: SegmentIndex;
  fragmentCount: number;
  /** Length of the valid prefix: init segment and whole fragments. */
  wholeBytes: number;
  /** Bytes after it: a fragment that was being written, or damage. */
  tornBytes: number;
  /** Why the scan stopped before the end of the file; absent when all of it is whole. */
  tornReason?: string;
  /** Earliest composition time of the video in ticks of the video track, before edit lists; 0 without video. */
  startTicks: number;
  durationMs: number;
  fps: number;
  firstDecodeTime: number;
  endDecodeTime: number;
}

export interface ScanOptions {
  /**
   * In so many bytes at the end of the file the samples themselves are looked at too, because a power cut may leave
   * blocks there that were never written. More than is ever recorded between two fsyncs.
   */
  checkTailBytes?: number;
  /** As of `RegularFile`; a scan is a thousand small reads, of which each is ten times as quick then. */
  blocking?: boolean;
}

/** `moof` of a usual fragment and the header of its `mdat`, in one read. */
const readAheadBytes = 4096;
const maxInitBytes = 16 * 1024 * 1024;
/** As large as `StreamSplitter` lets through. */
const maxCheckedFragmentBytes = 72 * 1024 * 1024;
const maxMoofBytes = 8 * 1024 * 1024;

/**
 * Reads the box headers and `moof`s of a spool file `ftyp moov (moof mdat)*` and skips the media data. Stops at the
 * first box that is torn or invalid. Throws `corrupt_file` when not even the init segment is whole, with `endsInInit`
 * in its details when the file ends before that does; `not_found`, `invalid_input` for what is not a plain file, `io`.
 */
export async function scanSegmentFile(
  path: string,
  { blocking = false, ...options }: ScanOptions = {},
): Promise<SegmentScan> {
  await using file = await RegularFile.open(path, { blocking });
  return await scanSegment(file, options);
}

/** The same of a file that is open. */
export async function scanSegment(
  file: RegularFile,
  { checkTailBytes = 8 * 1024 * 1024 }: Pick<ScanOptions, "checkTailBytes"> = {},
): Promise<SegmentScan> {
  const init = await readInitSegment(file);
  const index = new SegmentIndex(init);
  let offset = init.bytes.length;
  let tornReason: string | undefined;
  while (offset < file.sizeBytes && tornReason === undefined) {
    try {
      const fragment = await readFragment(file, offset, init, offset >= file.sizeBytes - checkTailBytes);
      index.addFragment(fragment);
      offset += fragment.sizeBytes;
    } catch (error) {
      tornReason = messageOfCorrupt(error);
    }
  }
  const { firstCompositionTime } = index.video;
  return {
    init,
    index,
    fragmentCount: index.fragmentCount,
    wholeBytes: offset,
    tornBytes: file.sizeBytes - offset,
    ...(tornReason !== undefined && { tornReason }),
    startTicks: Number.isFinite(firstCompositionTime) ? firstCompositionTime : 0,
    durationMs: index.durationMs,
    fps: index.fps,
    firstDecodeTime: index.firstDecodeTime,
    endDecodeTime: index.endDecodeTime,
  };
}

/** `ftyp` and `moov` at the start of the file; throws `corrupt_file` when they are not whole. */
async function readInitSegment(file: RegularFile): Promise<InitSegment> {
  let end = 0;
  for (const type of ["ftyp", "moov"]) {
    const header = parseBoxHeader(await file.readAt(end, maxBoxHeaderBytes));
    if (header === undefined) throw endsInInit();
    if (header.type !== type) throw corrupt(`the file has a box "${header.type}" where "${type}" belongs`);
    end = header.sizeBytes === undefined ? file.sizeBytes : end + header.sizeBytes;
    if (end > maxInitBytes) throw corrupt(`the init segment says it is longer than ${maxInitBytes} bytes`);
  }
  if (end > file.sizeBytes) throw endsInInit();
  return parseInitSegment(await file.readAt(0, end));
}

function endsInInit(): Error {
  return corrupt("the file ends inside its init segment", { endsInInit: true });
}

/** The fragment at `offset`, with its samples looked at when `checkSamples`; throws `corrupt_file` when it is not whole. */
export async function readFragment(
  file: RegularFile,
  offset: number,
  init: InitSegment,
  checkSamples: boolean,
): Promise<ParsedFragment> {
  let head = await file.readAt(offset, readAheadBytes);
  const moof = parseBoxHeader(head);
  if (moof === undefined) throw corrupt("the file ends inside a box header");
  if (moof.type !== "moof") throw corrupt(`box "${moof.type}" where "moof" belongs`);
  const moofBytes = moof.sizeBytes ?? file.sizeBytes;
  if (moofBytes > maxMoofBytes) throw corrupt(`a "moof" of ${moofBytes} bytes is too large`);
  const wanted = moofBytes + maxBoxHeaderBytes;
  if (head.length < wanted) head = await file.readAt(offset, wanted);
  const mdat = parseBoxHeader(head.subarray(moofBytes));
  if (mdat === undefined) throw corrupt('the file ends before the "mdat" of a fragment');
  if (mdat.type !== "mdat") throw corrupt(`box "${mdat.type}" where "mdat" belongs`);
  if (mdat.sizeBytes === undefined) throw corrupt('an "mdat" has no size');
  const end = moofBytes + mdat.sizeBytes;
  if (offset + end > file.sizeBytes) {
    throw corrupt(`the last fragment lacks ${offset + end - file.sizeBytes} of its ${end} bytes`);
  }
  const data = { start: moofBytes + mdat.headerSizeBytes, end };
  const fragment = parseFragment(head.subarray(0, moofBytes), init, data);
  if (checkSamples && end <= maxCheckedFragmentBytes) {
    const bytes = await file.readAt(offset, end);
    if (!hasWholeSamples({ ...fragment, bytes }, init)) {
      throw corrupt("a fragment was not written whole: there are zeros where its samples belong");
    }
  }
  return fragment;
}
