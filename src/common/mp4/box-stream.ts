import { type BoxHeader, corrupt, maxBoxHeaderBytes, messageOfCorrupt, parseBoxHeader } from "./boxes.ts";
import { parseFragment } from "./fragment.ts";
import type { SegmentIndex } from "./segment-index.ts";
import type { SequentialReader } from "./sequential-reader.ts";
import type { VerifyProblemCode } from "./verify-report.ts";

/** Notes what is wrong and lets the reading go on. */
export type Report = (code: VerifyProblemCode, message: string) => void;

const megabyte = 1024 * 1024;
/** What may be held in memory of each kind of box; far more than an hour of video needs. */
const maxBoxBytes: Record<string, number> = {
  ftyp: 4096,
  uuid: megabyte,
  moov: 64 * megabyte,
  sidx: megabyte,
  moof: 8 * megabyte,
};

/** The header at the reader's place; `undefined` at the end of the file. Throws `corrupt_file`. */
export async function peekHeader(reader: SequentialReader): Promise<BoxHeader | undefined> {
  return parseBoxHeader(await reader.peek(maxBoxHeaderBytes));
}

/** The whole box at the reader's place, which must be of the given type; reports and returns `undefined` when cut off. */
export async function takeBox(
  reader: SequentialReader,
  type: string,
  report: Report,
): Promise<Uint8Array | undefined> {
  const header = await peekHeader(reader);
  const start = reader.offset;
  if (header === undefined || (header.sizeBytes ?? 0) > reader.remaining) {
    if (header === undefined || header.type === type) {
      report("truncated", `the file ends inside box "${type}" at byte ${start}`);
      return undefined;
    }
  }
  if (header.type !== type) throw corrupt(`box "${header.type}" where "${type}" belongs at byte ${start}`);
  if (header.sizeBytes === undefined) throw corrupt(`box "${type}" at byte ${start} has no size`);
  if (header.sizeBytes > maxBoxBytes[type]!) {
    throw corrupt(`box "${type}" at byte ${start} says it is ${header.sizeBytes} bytes long`);
  }
  return reader.take(header.sizeBytes);
}

/** Adds all fragments up to `end`; false when they stop before it, which is then reported. */
export async function readFragments(
  reader: SequentialReader,
  index: SegmentIndex,
  end: number,
  report: Report,
): Promise<boolean> {
  while (reader.offset < end) {
    const start = reader.offset;
    const moof = await takeBox(reader, "moof", report);
    const mdat = moof && (await peekHeader(reader));
    if (moof === undefined || mdat === undefined) {
      if (moof !== undefined) report("truncated", `the file ends inside the fragment at byte ${start}`);
      return false;
    }
    if (mdat.type !== "mdat" || mdat.sizeBytes === undefined) {
      throw corrupt(`box "${mdat.type}" where "mdat" belongs at byte ${reader.offset}`);
    }
    const lacking = reader.offset + mdat.sizeBytes - end;
    if (lacking > 0) {
      report("truncated", `the fragment at byte ${start} lacks ${lacking} of its bytes`);
      return false;
    }
    const data = { start: moof.length + mdat.headerSizeBytes, end: moof.length + mdat.sizeBytes };
    try {
      index.addFragment(parseFragment(moof, index.init, data));
    } catch (error) {
      throw corrupt(`fragment ${index.fragmentCount} at byte ${start}: ${messageOfCorrupt(error)}`);
    }
    await reader.pass(mdat.sizeBytes);
  }
  return true;
}
