import { type Box, corrupt, parseBoxHeader, readBox, readBoxes, requireBox } from "../../common/mp4/boxes.ts";
import { ByteCursor } from "../../common/mp4/byte-cursor.ts";

/** How fragments of an archived file are moved on the time line. */
export interface Retiming {
  /** Where in the file they begin, in order. */
  fragmentOffsets: Float64Array;
  /** Ticks to add to the decode times, by track id. */
  deltas: ReadonlyMap<number, number>;
}

/** Room for the header of a box with a 64-bit size. */
const headerBytes = 16;

/**
 * Changes the decode times (`tfdt`, ISO/IEC 14496-12 8.8.12) of fragments that come by in blocks, each block beginning
 * where the one before was ready; nothing else, and no size.
 */
export class FragmentRetimer {
  readonly #deltas: ReadonlyMap<number, number>;
  #nextBox: number;

  /** `start` is where a fragment begins. */
  constructor(deltas: ReadonlyMap<number, number>, start: number) {
    this.#deltas = deltas;
    this.#nextBox = start;
  }

  /** Where the next box begins: all before it is media, which may be skipped. */
  get nextBox(): number {
    return this.#nextBox;
  }

  /**
   * `block` lies at `offset` of the file. Answers how many of its bytes are ready; the others begin with a `moof` that
   * is not all there. Throws `corrupt_file`.
   */
  retime(block: Uint8Array, offset: number): number {
    for (;;) {
      const at = this.#nextBox - offset;
      if (at >= block.length) return block.length;
      const header = parseBoxHeader(block.subarray(at, at + headerBytes));
      if (header === undefined) return this.#notYet(at);
      if (header.sizeBytes === undefined) throw corrupt("a fragment has no end");
      if (header.type === "moof") {
        if (at + header.sizeBytes > block.length) return this.#notYet(at);
        retimeMoof(block, readBox(block, at), this.#deltas);
      }
      this.#nextBox += header.sizeBytes;
    }
  }

  #notYet(ready: number): number {
    if (ready === 0) throw corrupt('the description of a fragment ("moof") is too long');
    return ready;
  }
}

function retimeMoof(bytes: Uint8Array, moof: Box, deltas: ReadonlyMap<number, number>): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const traf of readBoxes(bytes, moof.contentStart, moof.end)) {
    if (traf.type !== "traf") continue;
    const trackId = ByteCursor.ofBox(bytes, requireBox(bytes, traf, "tfhd"), 4).u32();
    const delta = deltas.get(trackId);
    // Neither picture nor sound.
    if (delta === undefined) continue;
    const tfdt = ByteCursor.ofBox(bytes, requireBox(bytes, traf, "tfdt"));
    const { version } = tfdt.fullBox();
    const at = tfdt.offset;
    const time = (version === 1 ? tfdt.u64() : tfdt.u32()) + delta;
    if (time < 0 || !Number.isSafeInteger(time) || (version === 0 && time > 0xffffffff)) {
      throw corrupt("a fragment cannot be moved to where it belongs in time");
    }
    if (version === 1) view.setBigUint64(at, BigInt(time));
    else view.setUint32(at, time);
  }
}
