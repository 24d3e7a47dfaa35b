import type { MediaFile, MediaSource } from "../playback/media-source.ts";
import type { ClipPart } from "./clip-builder.ts";

/** Large enough that calls do not count, small enough for a hundred slow readers: two for each. */
const blockBytes = 1024 * 1024;

/** Bytes [start, end) of a part's file or of its own bytes. */
type Stretch = { part: ClipPart; start: number; end: number };

export interface ClipBodyOptions {
  media: Pick<MediaSource, "body" | "open">;
  parts: readonly ClipPart[];
  /** Of the file that `parts` are, one after the other. */
  range: { start: number; end: number };
  /** An answer that has begun cannot say why it ends early. */
  onError(error: unknown): void;
}

/**
 * What lies in one archived file goes out as that file's body does. Anything else is read block by block as the client
 * takes it, one block ahead. When a file cannot be read any more the connection closes before the length it promised,
 * so that the client knows that the answer is not whole.
 */
export async function createClipBody(options: ClipBodyOptions): Promise<Blob | ReadableStream<Uint8Array>> {
  const stretches = stretchesOf(options.parts, options.range);
  const [only] = stretches;
  if (only !== undefined && stretches.length === 1 && only.part.kind === "file") {
    return options.media.body(only.part.filePath, { start: only.start, end: only.end });
  }
  const left = new AbortController();
  const source: Bun.DirectUnderlyingSource<Uint8Array> = {
    // Bun copies what is written before `write` returns, so blocks are used again; half the work of a plain stream.
    type: "direct",
    async pull(controller) {
      const send = async (bytes: Uint8Array) => {
        controller.write(bytes);
        await controller.flush();
      };
      try {
        for (const stretch of stretches) await sendStretch(options.media, stretch, send, left.signal);
        controller.end();
      } catch (error) {
        if (left.signal.aborted) return;
        options.onError(error);
        throw error;
      }
    },
    cancel: () => left.abort(),
  };
  return new ReadableStream(source as unknown as Bun.UnderlyingSource<Uint8Array>);
}

async function sendStretch(
  media: Pick<MediaSource, "open">,
  { part, start, end }: Stretch,
  send: (bytes: Uint8Array) => Promise<void>,
  left: AbortSignal,
): Promise<void> {
  if (part.kind === "bytes") return send(part.bytes.subarray(start, end));
  await using file = await media.open(part.filePath);
  const blocks = [new Uint8Array(blockBytes), new Uint8Array(blockBytes)];
  const readAhead = (at: number, turn: number) => readBlock(file, blocks[turn % 2]!, at, end);
  let next = readAhead(start, 0);
  try {
    for (let at = start, turn = 1; at < end && !left.aborted; at += blockBytes, turn++) {
      const block = await next;
      next = readAhead(at + blockBytes, turn);
      await send(block);
    }
  } finally {
    // The file must not be closed under a read. Its error was met above, or nobody waits for those bytes any more.
    await next.catch(() => undefined);
  }
}

async function readBlock(file: MediaFile, block: Uint8Array, at: number, end: number): Promise<Uint8Array> {
  const target = block.subarray(0, Math.max(0, Math.min(blockBytes, end - at)));
  if (target.length > 0) await file.readInto(target, at);
  return target;
}

function stretchesOf(parts: readonly ClipPart[], range: { start: number; end: number }): Stretch[] {
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
