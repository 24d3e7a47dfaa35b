import type { Fragment } from "./fragment.ts";
import type { InitSegment } from "./init-segment.ts";

export type StreamUnit = { kind: "init"; init: InitSegment } | { kind: "fragment"; fragment: Fragment };

/**
 * Cuts a fragmented MP4 that arrives in chunks of any size into its init segment and fragments. Everything else at
 * the top level (styp, sidx, prft, emsg, free, mfra) is left out. Every byte is copied once.
 */
export class StreamSplitter {
  /** `maxBoxBytes`: a larger box is refused as `corrupt_file`, so that garbage cannot fill the memory. */
  constructor(_options: { maxBoxBytes?: number } = {}) {}

  /** Bytes of a unit that has begun and is not whole yet; at the end of the stream, what was torn. */
  get pendingBytes(): number {
    throw new Error("not implemented");
  }

  /** Keeps a reference to `chunk` until it is used up. Throws `corrupt_file`, and the same again from then on. */
  push(_chunk: Uint8Array): StreamUnit[] {
    throw new Error("not implemented");
  }
}
