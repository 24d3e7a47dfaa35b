import { crc32 } from "node:zlib";

export interface ZipSource {
  name: string;
  /** By the clock of the wall: a ZIP has local times without a zone, in steps of two seconds. */
  modifiedAt: Date;
  input: string | AsyncIterable<Uint8Array>;
}

/** From here on a number does not fit into four bytes, all of whose bits mean that it stands elsewhere (ZIP64). */
const large = 0xffff_ffff;
const [localBytes, directoryBytes, descriptorBytes, endBytes, largeEndBytes] = [30, 46, 16, 22, 76];

interface Written {
  name: Uint8Array;
  time: Field[];
  offset: number;
  sizeBytes: number;
  crc: number;
}

/**
 * A ZIP of stored files whose checksums and sizes come behind them, so that it can be sent while it is made. The same
 * files give the same bytes, and `verify` relies on it: what is changed here, older exports do not have. Content goes
 * through as it comes, each block before the next is asked for.
 */
export async function* zipOf(sources: AsyncIterable<ZipSource>): AsyncGenerator<Uint8Array> {
  const files: Written[] = [];
  let offset = 0;
  for await (const { name: text, modifiedAt, input } of sources) {
    const name = new TextEncoder().encode(text);
    const time = timeFields(modifiedAt);
    yield joined(
      record([4, 0x04034b50], ...formFields, ...time, [4, 0], [4, 0], [4, 0], [2, name.length], [2, 0]),
      name,
    );
    const file = { name, time, offset, sizeBytes: 0, crc: 0 };
    for await (const block of typeof input === "string" ? textBlocks(input) : input) {
      file.crc = crc32(block, file.crc);
      file.sizeBytes += block.length;
      yield block;
    }
    const sizeWidth = file.sizeBytes >= large ? 8 : 4;
    yield record([4, 0x08074b50], [4, file.crc], [sizeWidth, file.sizeBytes], [sizeWidth, file.sizeBytes]);
    files.push(file);
    offset += localBytes + name.length + file.sizeBytes + descriptorBytesOf(file.sizeBytes);
  }
  const directory = joined(...files.map(directoryEntry));
  yield directory;
  yield endOf(files, { offset, sizeBytes: directory.length });
}

/** How long it will be. */
export function zipLength(files: readonly { name: string; sizeBytes: number }[]): number {
  let offset = 0;
  let directory = 0;
  let isLarge = false;
  for (const { name, sizeBytes } of files) {
    const nameBytes = Buffer.byteLength(name);
    directory += directoryBytes + nameBytes + extraBytesOf({ offset, sizeBytes });
    isLarge ||= sizeBytes >= large;
    offset += localBytes + nameBytes + sizeBytes + descriptorBytesOf(sizeBytes);
  }
  return offset + directory + (isLarge || offset >= large ? largeEndBytes : 0) + endBytes;
}

const descriptorBytesOf = (sizeBytes: number) => descriptorBytes + (sizeBytes >= large ? 8 : 0);

/** What the directory has beside the entry for what does not fit into it. */
const extraBytesOf = ({ offset, sizeBytes }: Pick<Written, "offset" | "sizeBytes">) =>
  sizeBytes >= large ? 28 : offset >= large ? 12 : 0;

/** Bytes of a number, little-endian, and the number. */
type Field = [bytes: 2 | 4 | 8, value: number];

/** Version 4.5 for ZIP64; sizes behind the content, names in UTF-8; stored. */
const formFields: Field[] = [
  [2, 45],
  [2, 0x0808],
  [2, 0],
];
/** Unix, as its permissions are. */
const madeBy: Field = [2, 0x032d];
const plainFile = 0o100664;

function directoryEntry(file: Written): Uint8Array {
  const { name, time, crc, offset, sizeBytes } = file;
  const size: Field = [4, Math.min(sizeBytes, large)];
  const extra = extraBytesOf(file);
  const entry = record(
    ...([[4, 0x02014b50], madeBy, ...formFields, ...time, [4, crc], size, size] as Field[]),
    ...([
      [2, name.length],
      [2, extra],
      [2, 0],
      [2, 0],
      [2, 0],
      [2, 0],
      [2, plainFile],
    ] as Field[]),
    [4, Math.min(offset, large)],
  );
  if (extra === 0) return joined(entry, name);
  const sizes: Field[] =
    sizeBytes >= large
      ? [
          [8, sizeBytes],
          [8, sizeBytes],
        ]
      : [];
  return joined(entry, name, record([2, 1], [2, extra - 4], ...sizes, [8, offset]));
}

function endOf(files: readonly Written[], directory: { offset: number; sizeBytes: number }): Uint8Array {
  const count = files.length;
  const isLarge = directory.offset >= large || files.some(({ sizeBytes }) => sizeBytes >= large);
  const largeEnd: Field[] = [
    ...([[4, 0x06064b50], [8, 44], madeBy, [2, 45], [4, 0], [4, 0], [8, count], [8, count]] as Field[]),
    ...([
      [8, directory.sizeBytes],
      [8, directory.offset],
    ] as Field[]),
    ...([
      [4, 0x07064b50],
      [4, 0],
      [8, directory.offset + directory.sizeBytes],
      [4, 1],
    ] as Field[]),
  ];
  const counts: Field = [2, Math.min(count, 0xffff)];
  return record(
    ...(isLarge ? largeEnd : []),
    ...([[4, 0x06054b50], [2, 0], [2, 0], counts, counts] as Field[]),
    ...([
      [4, Math.min(directory.sizeBytes, large)],
      [4, Math.min(directory.offset, large)],
      [2, 0],
    ] as Field[]),
  );
}

function timeFields(date: Date): Field[] {
  const time = (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1);
  const day = ((date.getFullYear() - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate();
  return [
    [2, time],
    [2, day],
  ];
}

function record(...fields: Field[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else if (bytes === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);

async function* textBlocks(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}
