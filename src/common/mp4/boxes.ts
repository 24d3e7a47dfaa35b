import { AppError } from "../errors.ts";

/** One box of ISO/IEC 14496-12 section 4.2, as offsets into the bytes it was read from. */
export interface Box {
  /** Four characters; for `uuid` boxes the extended type follows in the content. */
  type: string;
  /** Offset of the first byte of the header. */
  start: number;
  /** Offset of the first byte after the header. */
  contentStart: number;
  /** Offset of the first byte after the box. */
  end: number;
}

/** Size and type as a box header states them, before anybody checked that so many bytes exist. */
export interface BoxHeader {
  type: string;
  /** 8, or 16 with a 64-bit size. */
  headerSizeBytes: number;
  /** Whole size; `undefined` when the box runs to the end of the file (size 0). */
  sizeBytes: number | undefined;
}

/** Bytes that are always enough to read a header. */
export const maxBoxHeaderBytes = 16;

export function corrupt(message: string, details: Record<string, unknown> = {}): AppError {
  return new AppError("corrupt_file", message, { details });
}

/** The message of a `corrupt_file`; any other error is thrown on. */
export function messageOfCorrupt(error: unknown): string {
  if (error instanceof AppError && error.code === "corrupt_file") return error.message;
  throw error;
}

/**
 * Reads the header at `offset` of `bytes`; `undefined` when there are not enough bytes before `end` to tell.
 * Throws `corrupt_file` for a type that is not four printable characters, or a size that is smaller than the
 * header or past 2^53.
 */
export function parseBoxHeader(bytes: Uint8Array, offset = 0, end = bytes.length): BoxHeader | undefined {
  if (end - offset < 8) return undefined;
  const type = frequentTypes.get(u32At(bytes, offset + 4)) ?? parseBoxType(bytes, offset + 4);
  const size = u32At(bytes, offset);
  if (size === 0) return { type, headerSizeBytes: 8, sizeBytes: undefined };
  if (size !== 1) {
    if (size < 8) throw corrupt(`box "${type}" says it is ${size} bytes long, less than its own header`);
    return { type, headerSizeBytes: 8, sizeBytes: size };
  }
  if (end - offset < 16) return undefined;
  const large = BigInt(u32At(bytes, offset + 8)) * 0x1_0000_0000n + BigInt(u32At(bytes, offset + 12));
  if (large < 16n || large > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw corrupt(`box "${type}" says it is ${large} bytes long, which cannot be`);
  }
  return { type, headerSizeBytes: 16, sizeBytes: Number(large) };
}

/** Without a view, which for one number takes longer to make than to read. */
function u32At(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** What there is thousands of in a file, by the four bytes as a number: found sooner than read. */
const frequentTypes = new Map(
  ["moof", "mfhd", "traf", "tfhd", "tfdt", "trun", "mdat"].map((type) => [
    Buffer.from(type, "latin1").readUInt32BE(),
    type,
  ]),
);

function parseBoxType(bytes: Uint8Array, offset: number): string {
  let type = "";
  for (let i = offset; i < offset + 4; i++) {
    const byte = bytes[i]!;
    // 0xa9 is the copyright sign of QuickTime's user data.
    if ((byte < 0x20 || byte > 0x7e) && byte !== 0xa9) {
      throw corrupt("no box here: the four bytes of its type are not text");
    }
    type += String.fromCharCode(byte);
  }
  return type;
}

/** The box at `offset` of `bytes`, which must end at or before `end`. Throws `corrupt_file`. */
export function readBox(bytes: Uint8Array, offset = 0, end = bytes.length): Box {
  const header = parseBoxHeader(bytes, offset, end);
  if (header === undefined) throw corrupt(`a box header is cut off at byte ${offset}`);
  const boxEnd = header.sizeBytes === undefined ? end : offset + header.sizeBytes;
  if (boxEnd > end) {
    throw corrupt(`box "${header.type}" at byte ${offset} runs ${boxEnd - end} bytes past its parent`);
  }
  return { type: header.type, start: offset, contentStart: offset + header.headerSizeBytes, end: boxEnd };
}

/** No box has nearly as many children; some hostile ones have millions. */
const maxSiblings = 100_000;

/** The boxes that fill `bytes` from `start` to `end`, in order. Throws `corrupt_file`. */
export function* readBoxes(bytes: Uint8Array, start = 0, end = bytes.length): Generator<Box> {
  let count = 0;
  for (let offset = start; offset < end; ) {
    if (++count > maxSiblings) throw corrupt(`more than ${maxSiblings} boxes in a row at byte ${start}`);
    const box = readBox(bytes, offset, end);
    yield box;
    offset = box.end;
  }
}

/** The first child of the given type; `from` skips the fields before the children (4 in a full box). */
export function findBox(bytes: Uint8Array, parent: Box, type: string, from = 0): Box | undefined {
  for (const box of readBoxes(bytes, parent.contentStart + from, parent.end)) {
    if (box.type === type) return box;
  }
  return undefined;
}

/** {@link findBox} for a box that must be there; throws `corrupt_file`. */
export function requireBox(bytes: Uint8Array, parent: Box, type: string, from = 0): Box {
  const box = findBox(bytes, parent, type, from);
  if (box === undefined) throw corrupt(`box "${parent.type}" has no "${type}"`);
  return box;
}
