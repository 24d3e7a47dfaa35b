import { AppError } from "../errors.ts";

/** Big-endian fields one after the other, in as many bytes as were asked for. Throws `internal` on a wrong size. */
export class FieldWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(sizeBytes: number) {
    this.bytes = new Uint8Array(sizeBytes);
    this.#view = new DataView(this.bytes.buffer);
  }

  u16(value: number): this {
    this.#view.setUint16(this.#advance(value, 2, 0x10000), value);
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#advance(value, 4, 0x1_0000_0000), value);
    return this;
  }

  u32Array(values: Uint32Array): this {
    const { length } = values;
    if (this.#offset + length * 4 > this.bytes.length)
      throw new AppError("internal", "no room for the numbers");
    const bigEndian = Buffer.from(values.slice().buffer).swap32();
    this.bytes.set(bigEndian, this.#offset);
    this.#offset += length * 4;
    return this;
  }

  u64(value: number): this {
    this.#view.setBigUint64(this.#advance(value, 8, Number.POSITIVE_INFINITY), BigInt(value));
    return this;
  }

  raw(value: Uint8Array): this {
    this.bytes.set(value, this.#offset);
    this.#offset += value.length;
    return this;
  }

  /** A number that does not fit would be cut off without a word. */
  #advance(value: number, size: number, limit: number): number {
    if (!Number.isSafeInteger(value) || value < 0 || value >= limit) {
      throw new AppError("internal", `${value} does not fit into ${size} bytes`);
    }
    const offset = this.#offset;
    this.#offset += size;
    return offset;
  }
}

/** A box with a 32-bit size around `parts` (ISO/IEC 14496-12 4.2). */
export function writeBox(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 8);
  const writer = new FieldWriter(size).u32(size).raw(boxType(type));
  for (const part of parts) writer.raw(part);
  return writer.bytes;
}

/** A box that starts with a version and 24 flags. */
export function writeFullBox(
  type: string,
  version: number,
  flags: number,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  return writeBox(type, u32s(version * 0x1000000 + flags), ...parts);
}

/** The 16 bytes in front of a box content that may be larger than 4 GiB. */
export function writeLargeBoxHeader(type: string, contentBytes: number): Uint8Array {
  return new FieldWriter(16)
    .u32(1)
    .raw(boxType(type))
    .u64(contentBytes + 16).bytes;
}

export function u32s(...values: readonly number[]): Uint8Array {
  const writer = new FieldWriter(values.length * 4);
  for (const value of values) writer.u32(value);
  return writer.bytes;
}

/** A text of one-byte characters. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function boxType(type: string): Uint8Array {
  if (type.length !== 4) throw new AppError("internal", `"${type}" is no box type`);
  return latin1(type);
}
