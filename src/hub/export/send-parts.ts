import type { MediaFile, MediaSource } from "../playback/media-source.ts";
import type { ClipPart, FilePart } from "./clip.ts";
import { FragmentRetimer } from "./retime-fragments.ts";

/** Large enough that calls do not count, small enough for a hundred slow readers: two for each. */
const blockBytes = 1024 * 1024;

/** Bytes [start, end) of a part's file or of its own bytes. */
export interface Stretch {
  part: ClipPart;
  start: number;
  end: number;
}

/** Where in its parts, one after the other, a range lies. */
export function stretchesOf(
  parts: readonly ClipPart[],
  range: { start: number; end: number },
): readonly Stretch[] {
  const stretches: Stretch[] = [];
  let offset = 0;
  for (const part of parts) {
    const base = part.kind === "file" ? part.start : 0;
    const sizeBytes = part.kind === "file" ? part.end - part.start : part.bytes.length;
    const from = Math.max(range.start, offset) - offset;
    const to = Math.min(range.end, offset + sizeBytes) - offset;
    if (from < to) stretches.push({ part, start: base + from, end: base + to });
    offset += sizeBytes;
  }
  return stretches;
}

export interface SendOptions {
  media: Pick<MediaSource, "open">;
  /** Resolves when the next may come; the bytes are used again then. */
  send(bytes: Uint8Array): Promise<void>;
  /** Aborts when nobody wants the rest. */
  signal: AbortSignal;
}

/** Sends stretches in order, block by block as they are taken, one block ahead. Throws what {@link MediaFile} throws. */
export async function sendStretches(stretches: readonly Stretch[], options: SendOptions): Promise<void> {
  for (const { part, start, end } of stretches) {
    if (options.signal.aborted) return;
    if (part.kind === "bytes") await options.send(part.bytes.subarray(start, end));
    else await sendFile(part, { start, end }, options);
  }
}

async function sendFile(
  part: FilePart,
  { start, end }: { start: number; end: number },
  { media, send, signal }: SendOptions,
): Promise<void> {
  await using file = await media.open(part.filePath);
  const reader =
    part.retime === undefined ? new PlainReader(file, start, end) : new RetimedReader(file, part, start);
  let next = reader.read();
  try {
    while (!signal.aborted) {
      const { bytes, offset } = await next;
      if (bytes.length === 0 || offset >= end) break;
      next = reader.read();
      // It may have begun before what was asked for, and end behind it.
      const [from, to] = [Math.max(0, start - offset), Math.min(bytes.length, end - offset)];
      if (from < to) await send(bytes.subarray(from, to));
    }
  } finally {
    // The file must not be closed under a read. Its error was met above, or nobody waits for those bytes any more.
    await next.catch(() => undefined);
  }
}

interface Block {
  /** None at the end. */
  bytes: Uint8Array;
  /** Of the file. */
  offset: number;
}

/** Fills two blocks in turns: one is read while the other is sent. */
class Blocks {
  readonly #blocks = [new Uint8Array(blockBytes), new Uint8Array(blockBytes)];
  #turn = 0;

  constructor(readonly file: MediaFile) {}

  async read(offset: number, end: number): Promise<Uint8Array> {
    const block = this.#blocks[this.#turn++ % 2]!.subarray(0, Math.max(0, end - offset));
    if (block.length > 0) await this.file.readInto(block, offset);
    return block;
  }
}

class PlainReader {
  readonly #blocks: Blocks;

  constructor(
    file: MediaFile,
    public offset: number,
    readonly end: number,
  ) {
    this.#blocks = new Blocks(file);
  }

  async read(): Promise<Block> {
    const { offset } = this;
    this.offset += blockBytes;
    return { bytes: await this.#blocks.read(offset, this.end), offset };
  }
}

/** Where a block ends is known only when it was looked at. */
class RetimedReader {
  readonly #blocks: Blocks;
  readonly #retimer: FragmentRetimer;
  #offset: number;

  constructor(
    file: MediaFile,
    readonly part: FilePart,
    /** Nothing before it is wanted. */
    readonly start: number,
  ) {
    this.#blocks = new Blocks(file);
    const { fragmentOffsets, deltas } = part.retime!;
    this.#offset = fragmentOffsets.findLast((offset) => offset <= start) ?? part.start;
    this.#retimer = new FragmentRetimer(deltas, this.#offset);
  }

  async read(): Promise<Block> {
    const offset = this.#offset;
    const block = await this.#blocks.read(offset, this.part.end);
    const bytes = block.subarray(0, this.#retimer.retime(block, offset));
    const media = Math.min(this.start, this.#retimer.nextBox);
    this.#offset = Math.max(offset + bytes.length, media);
    return { bytes, offset };
  }
}
