import { type BoxHeader, corrupt, maxBoxHeaderBytes, parseBoxHeader } from "./boxes.ts";
import { type Fragment, parseFragment } from "./fragment.ts";
import { type InitSegment, parseInitSegment } from "./init-segment.ts";
import { StreamBuffer } from "./stream-buffer.ts";

export type StreamUnit = { kind: "init"; init: InitSegment } | { kind: "fragment"; fragment: Fragment };

/** A 4K GOP of ten seconds at 50 Mb/s. */
const defaultMaxBoxBytes = 64 * 1024 * 1024;

/** 100,000 samples of two tracks. */
const maxMoofBytes = 8 * 1024 * 1024;

/** Boxes that may stand between fragments; nothing in them is needed to play. */
const leftOut = new Set("styp sidx ssix prft emsg free skip wide pdin meta uuid mfra".split(" "));

/** More bytes are needed. */
const more = Symbol("more");

/**
 * Cuts a fragmented MP4 that arrives in pieces of any size into its init segment and fragments. Everything else at
 * the top level (styp, sidx, prft, emsg, free, mfra) is left out. No byte is copied, but where a read ends within
 * the next fragment:
 *
 *     const size = read(splitter.room()); splitter.filled(size);
 *     for (let unit = splitter.next(); unit; unit = splitter.next()) …
 */
export class StreamSplitter {
  readonly #buffer = new StreamBuffer();
  readonly #maxBoxBytes: number;
  /** `ftyp`, until its `moov` is here. */
  #fileType: Uint8Array | undefined;
  #init: InitSegment | undefined;
  #failure: unknown;
  /** Bytes of a left-out box that are still to come. */
  #skipBytes = 0;

  /** `maxBoxBytes`: a larger box is refused as `corrupt_file`, so that garbage cannot fill the memory. */
  constructor({ maxBoxBytes = defaultMaxBoxBytes }: { maxBoxBytes?: number } = {}) {
    this.#maxBoxBytes = maxBoxBytes;
  }

  /** Bytes of a unit that has begun and is not whole yet; at the end of the stream, what was torn. */
  get pendingBytes(): number {
    return this.#buffer.sizeBytes + (this.#fileType?.length ?? 0);
  }

  /** Why the stream cannot go on; also when the last `push` returned what was whole before the damage. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Where the next bytes of the stream are to be put, before `filled` tells how many there were; never empty. */
  room(): Uint8Array {
    return this.#buffer.room();
  }

  filled(sizeBytes: number): void {
    if (this.#failure === undefined) this.#buffer.filled(sizeBytes);
  }

  /**
   * The next unit that is whole; undefined when more bytes are needed. The bytes of a fragment stay as they are until
   * there is `room` after the one that follows it; whoever keeps them longer copies them. Throws `corrupt_file`, and
   * the same again from then on.
   */
  next(): StreamUnit | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      for (;;) {
        const found = this.#step();
        if (found === more) return undefined;
        if (found !== undefined) return found;
      }
    } catch (error) {
      this.#failure = error;
      this.#buffer.clear();
      throw error;
    }
  }

  /**
   * All units that `chunk` makes whole, with copies of their bytes. Throws like `next`; units that were whole before
   * the damage are returned first.
   */
  push(chunk: Uint8Array): StreamUnit[] {
    if (this.#failure !== undefined) throw this.#failure;
    const units: StreamUnit[] = [];
    try {
      for (let rest = chunk; rest.length > 0; ) {
        const part = rest.subarray(0, this.room().length);
        this.room().set(part);
        this.filled(part.length);
        rest = rest.subarray(part.length);
        for (let unit = this.next(); unit; unit = this.next()) units.push(owned(unit));
      }
    } catch (error) {
      if (units.length === 0) throw error;
    }
    return units;
  }

  /** Takes one box, or a moof and its mdat; undefined when it makes no unit by itself. */
  #step(): StreamUnit | undefined | typeof more {
    if (this.#skipBytes > 0) {
      this.#skipBytes -= this.#buffer.drop(this.#skipBytes);
      if (this.#skipBytes > 0) return more;
    }
    const header = parseBoxHeader(this.#buffer.peek(0, maxBoxHeaderBytes));
    if (header === undefined) return more;
    const sizeBytes = this.#checkedSize(header);
    if (leftOut.has(header.type)) {
      this.#skipBytes = sizeBytes;
      return undefined;
    }
    switch (header.type) {
      case "ftyp": {
        const bytes = this.#buffer.take(sizeBytes);
        if (bytes === undefined) return more;
        this.#fileType = bytes.slice();
        return undefined;
      }
      case "moov": {
        const bytes = this.#buffer.take(sizeBytes);
        return bytes === undefined ? more : this.#begin(bytes);
      }
      case "moof":
        return this.#takeFragment(header, sizeBytes);
      case "mdat":
        throw corrupt('"mdat" without "moof" before it: this is not a fragmented MP4');
      default:
        throw corrupt(`the stream goes on with a box "${header.type}", which does not belong there`);
    }
  }

  #begin(moov: Uint8Array): StreamUnit {
    if (this.#fileType === undefined) throw corrupt('"moov" without "ftyp" before it');
    this.#init = parseInitSegment(joined(this.#fileType, moov));
    this.#fileType = undefined;
    return { kind: "init", init: this.#init };
  }

  #takeFragment(moof: BoxHeader, moofBytes: number): StreamUnit | typeof more {
    const init = this.#init;
    if (init === undefined) throw corrupt('a fragment before any "moov"');
    if (moofBytes > maxMoofBytes) throw corrupt(`a "moof" of ${moofBytes} bytes is too large`);
    const mdat = parseBoxHeader(this.#buffer.peek(moofBytes, maxBoxHeaderBytes));
    if (mdat === undefined) return more;
    if (mdat.type !== "mdat") throw corrupt(`"${moof.type}" is followed by "${mdat.type}", not by "mdat"`);
    const end = moofBytes + this.#checkedSize(mdat);
    const bytes = this.#buffer.take(end);
    if (bytes === undefined) return more;
    const data = { start: moofBytes + mdat.headerSizeBytes, end };
    const parsed = parseFragment(bytes.subarray(0, moofBytes), init, data);
    return { kind: "fragment", fragment: { ...parsed, bytes } };
  }

  #checkedSize({ type, sizeBytes }: BoxHeader): number {
    if (sizeBytes === undefined) throw corrupt(`box "${type}" has no end, which a stream cannot have`);
    if (sizeBytes > this.#maxBoxBytes) {
      throw corrupt(
        `box "${type}" says it is ${sizeBytes} bytes long; at most ${this.#maxBoxBytes} are taken`,
      );
    }
    return sizeBytes;
  }
}

function owned(unit: StreamUnit): StreamUnit {
  if (unit.kind === "init") return unit;
  const { fragment } = unit;
  return { kind: "fragment", fragment: { ...fragment, bytes: fragment.bytes.slice() } };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
