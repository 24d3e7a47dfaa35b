import { AppError } from "../../common/errors.ts";
import type { MediaFile, MediaSource } from "../playback/media-source.ts";
import type { ClipPart, FilePart } from "./clip.ts";
import { FragmentRetimer } from "./retime-fragments.ts";

/** Large enough that calls do not count, small enough for a hundred slow readers: two for each. */
const blockBytes = 512 * 1024;

/** Bytes [start, end) of a part's file or of its own bytes. */
export interface Stretch {
  part: ClipPart;
  start: number;
  end: number;
}

type FileStretch = Stretch & { part: FilePart };

/** The first that is not in memory already. */
export function firstFileOf(stretches: readonly Stretch[]): FileStretch | undefined {
  return stretches.find((stretch): stretch is FileStretch => stretch.part.kind === "file");
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

/** Throws `corrupt_file` when another file came into its place since the clip was planned. */
export async function checkSize(media: Pick<MediaSource, "sizeOf">, part: FilePart): Promise<void> {
  const sizeBytes = await media.sizeOf(part.filePath);
  if (sizeBytes === part.fileSizeBytes) return;
  const message = `${part.filePath} has ${sizeBytes} bytes instead of ${part.fileSizeBytes}`;
  throw new AppError("corrupt_file", message);
}

export interface PartsReaderOptions {
  media: Pick<MediaSource, "open" | "sizeOf">;
  stretches: readonly Stretch[];
}

/** Reads stretches in order, block by block as they are taken, one block ahead; has one file open at a time. */
export class PartsReader implements AsyncDisposable {
  readonly #options: PartsReaderOptions;
  #index = 0;
  #open: OpenStretch | undefined;
  #isClosed = false;

  constructor(options: PartsReaderOptions) {
    this.#options = options;
  }

  /** The part that is being read, or could not be. */
  get part(): ClipPart | undefined {
    return this.#options.stretches[this.#index]?.part;
  }

  /**
   * Opens the first file and reads its first block, for an answer that has not begun and can still say what is wrong with
   * it. Throws as {@link read} does.
   */
  async ready(): Promise<void> {
    const first = firstFileOf(this.#options.stretches);
    if (first === undefined || this.#open !== undefined) return;
    this.#open = await this.#openStretch(first);
    await this.#open.ready();
    if (this.#isClosed) await this.#close();
  }

  /** Good until the next. Undefined at the end, and when it was closed meanwhile. Throws what {@link MediaFile} throws. */
  async read(): Promise<Uint8Array | undefined> {
    const { stretches } = this.#options;
    for (; !this.#isClosed; this.#index++) {
      const stretch = stretches[this.#index];
      if (stretch === undefined) return undefined;
      const { part, start, end } = stretch;
      if (part.kind === "bytes") {
        this.#index++;
        return part.bytes.subarray(start, end);
      }
      if (this.#open === undefined) {
        this.#open = await this.#openStretch({ part, start, end });
        if (this.#isClosed) break;
      }
      const bytes = await this.#open.read();
      if (bytes !== undefined) return bytes;
      await this.#close();
    }
    await this.#close();
    return undefined;
  }

  async #openStretch(stretch: FileStretch): Promise<OpenStretch> {
    const { media } = this.#options;
    await checkSize(media, stretch.part);
    return new OpenStretch(await media.open(stretch.part.filePath), stretch);
  }

  async #close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#close();
  }
}

/** A block of a file and where in it it lies; empty at the end. */
interface Block {
  bytes: Uint8Array;
  offset: number;
}

class OpenStretch implements AsyncDisposable {
  readonly #reader: PlainReader | RetimedReader;
  #next: Promise<Block>;
  #isClosed = false;

  constructor(
    readonly file: MediaFile,
    readonly stretch: FileStretch,
  ) {
    const { part, start, end } = stretch;
    const blocks = new Blocks(file);
    this.#reader =
      part.retime === undefined
        ? new PlainReader(blocks, start, end)
        : new RetimedReader(blocks, part, start);
    this.#next = this.#readAhead();
  }

  /** Resolves when its first block is there. */
  async ready(): Promise<void> {
    await this.#next;
  }

  async read(): Promise<Uint8Array | undefined> {
    const { start, end } = this.stretch;
    for (;;) {
      const { bytes, offset } = await this.#next;
      if (bytes.length === 0 || offset >= end || this.#isClosed) return undefined;
      this.#next = this.#readAhead();
      // It may have begun before what was asked for, and end behind it.
      const [from, to] = [Math.max(0, start - offset), Math.min(bytes.length, end - offset)];
      if (from < to) return bytes.subarray(from, to);
    }
  }

  #readAhead(): Promise<Block> {
    const next = this.#reader.read();
    // Its error is met when it is asked for, if it is.
    next.catch(() => undefined);
    return next;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    // The file must not be closed under a read.
    await this.#next.catch(() => undefined);
    await this.file[Symbol.asyncDispose]();
  }
}

/** Fills two blocks in turns: one is read while the other is sent. */
class Blocks {
  readonly #turns: Uint8Array[] = [];
  #turn = 0;

  constructor(readonly file: MediaFile) {}

  async read(offset: number, end: number): Promise<Uint8Array> {
    const length = Math.max(0, Math.min(blockBytes, end - offset));
    const block = this.#nextOfTwo().subarray(0, length);
    if (length > 0) await this.file.readInto(block, offset);
    return block;
  }

  #nextOfTwo(): Uint8Array {
    const turn = this.#turn++ % 2;
    this.#turns[turn] ??= new Uint8Array(blockBytes);
    return this.#turns[turn];
  }
}

class PlainReader {
  constructor(
    readonly blocks: Blocks,
    public offset: number,
    readonly end: number,
  ) {}

  async read(): Promise<Block> {
    const { offset } = this;
    this.offset += blockBytes;
    return { bytes: await this.blocks.read(offset, this.end), offset };
  }
}

/** Where a block ends is known only when it was looked at. */
class RetimedReader {
  readonly #retimer: FragmentRetimer;
  #offset: number;

  constructor(
    readonly blocks: Blocks,
    readonly part: FilePart,
    /** Nothing before it is wanted. */
    readonly start: number,
  ) {
    const { fragmentOffsets, deltas } = part.retime!;
    this.#offset = fragmentOffsets.findLast((offset) => offset <= start) ?? part.start;
    this.#retimer = new FragmentRetimer(deltas, this.#offset);
  }

  async read(): Promise<Block> {
    const offset = this.#offset;
    const block = await this.blocks.read(offset, this.part.end);
    const bytes = block.subarray(0, this.#retimer.retime(block, offset));
    const media = Math.min(this.start, this.#retimer.nextBox);
    this.#offset = Math.max(offset + bytes.length, media);
    return { bytes, offset };
  }
}
