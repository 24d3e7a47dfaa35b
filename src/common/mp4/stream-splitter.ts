import { type BoxHeader, corrupt, maxBoxHeaderBytes, parseBoxHeader } from "./boxes.ts";
import { ChunkQueue } from "./chunk-queue.ts";
import { type Fragment, parseFragment } from "./fragment.ts";
import { type InitSegment, parseInitSegment } from "./init-segment.ts";

export type StreamUnit = { kind: "init"; init: InitSegment } | { kind: "fragment"; fragment: Fragment };

/** A 4K GOP of ten seconds at 50 Mb/s. */
const defaultMaxBoxBytes = 64 * 1024 * 1024;

/** 100,000 samples of two tracks. */
const maxMoofBytes = 8 * 1024 * 1024;

/** Boxes that may stand between fragments; nothing in them is needed to play. */
const leftOut = new Set("styp sidx ssix prft emsg free skip wide pdin meta uuid mfra".split(" "));

/**
 * Cuts a fragmented MP4 that arrives in chunks of any size into its init segment and fragments. Everything else at
 * the top level (styp, sidx, prft, emsg, free, mfra) is left out. Every byte is copied once.
 */
export class StreamSplitter {
  readonly #queue = new ChunkQueue();
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
    return this.#queue.sizeBytes + (this.#fileType?.length ?? 0);
  }

  /** Why the stream cannot go on; also when the last `push` returned what was whole before the damage. */
  get failure(): unknown {
    return this.#failure;
  }

  /**
   * Keeps a reference to `chunk` until it is used up. Throws `corrupt_file`, and the same again from then on; units
   * that were whole before the damage are returned first.
   */
  push(chunk: Uint8Array): StreamUnit[] {
    if (this.#failure !== undefined) throw this.#failure;
    this.#queue.push(chunk);
    const units: StreamUnit[] = [];
    try {
      for (let progress = true; progress; ) progress = this.#step(units);
    } catch (error) {
      this.#failure = error;
      this.#queue.clear();
      if (units.length === 0) throw error;
    }
    return units;
  }

  /** Takes one box (or a moof and its mdat) off the queue; false when more bytes are needed. */
  #step(units: StreamUnit[]): boolean {
    if (this.#skipBytes > 0) {
      this.#skipBytes -= this.#queue.drop(this.#skipBytes);
      if (this.#skipBytes > 0) return false;
    }
    const header = parseBoxHeader(this.#queue.peek(0, maxBoxHeaderBytes));
    if (header === undefined) return false;
    const sizeBytes = this.#checkedSize(header);
    if (leftOut.has(header.type)) {
      this.#skipBytes = sizeBytes;
      return true;
    }
    switch (header.type) {
      case "ftyp":
        return this.#takeWhole(sizeBytes, (bytes) => {
          this.#fileType = bytes;
        });
      case "moov":
        return this.#takeWhole(sizeBytes, (bytes) => {
          if (this.#fileType === undefined) throw corrupt('"moov" without "ftyp" before it');
          this.#init = parseInitSegment(joined(this.#fileType, bytes));
          this.#fileType = undefined;
          units.push({ kind: "init", init: this.#init });
        });
      case "moof":
        return this.#takeFragment(header, sizeBytes, units);
      case "mdat":
        throw corrupt('"mdat" without "moof" before it: this is not a fragmented MP4');
      default:
        throw corrupt(`the stream goes on with a box "${header.type}", which does not belong there`);
    }
  }

  #takeWhole(sizeBytes: number, use: (bytes: Uint8Array) => void): boolean {
    const bytes = this.#queue.take(sizeBytes);
    if (bytes === undefined) return false;
    use(bytes);
    return true;
  }

  #takeFragment(moof: BoxHeader, moofBytes: number, units: StreamUnit[]): boolean {
    const init = this.#init;
    if (init === undefined) throw corrupt('a fragment before any "moov"');
    if (moofBytes > maxMoofBytes) throw corrupt(`a "moof" of ${moofBytes} bytes is too large`);
    const mdat = parseBoxHeader(this.#queue.peek(moofBytes, maxBoxHeaderBytes));
    if (mdat === undefined) return false;
    if (mdat.type !== "mdat") throw corrupt(`"${moof.type}" is followed by "${mdat.type}", not by "mdat"`);
    const end = moofBytes + this.#checkedSize(mdat);
    return this.#takeWhole(end, (bytes) => {
      const data = { start: moofBytes + mdat.headerSizeBytes, end };
      const parsed = parseFragment(bytes.subarray(0, moofBytes), init, data);
      units.push({ kind: "fragment", fragment: { ...parsed, bytes } });
    });
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

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
