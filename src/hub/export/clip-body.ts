import type { MediaSource } from "../playback/media-source.ts";
import { createBlockStream } from "./block-stream.ts";
import type { ClipPart, FilePart } from "./clip.ts";
import { checkSize, firstFileOf, PartsReader, stretchesOf } from "./parts-reader.ts";

export interface ClipBodyOptions {
  media: Pick<MediaSource, "body" | "open" | "sizeOf">;
  parts: readonly ClipPart[];
  /** Of the file that `parts` are, one after the other. */
  range: { start: number; end: number };
  /** Of the request: a client that left before the answer began takes nothing and ends nothing. */
  client: AbortSignal;
  /** What to throw where the first file cannot be read. */
  refusal(error: unknown, part: FilePart): Promise<Error>;
  /** An answer that has begun cannot say why it ends early. */
  onError(error: unknown, part: FilePart): void;
  /** Whatever way it ends. */
  onEnd(): void;
}

/**
 * What lies in one archived file goes out as that file's body does. Anything else is read block by block as the client
 * takes it, the first block before there is an answer. When a later file cannot be read any more the connection closes before the length it promised, so that the client
 * knows that the answer is not whole.
 */
export async function createClipBody(options: ClipBodyOptions): Promise<Blob | ReadableStream<Uint8Array>> {
  const stretches = stretchesOf(options.parts, options.range);
  const [only] = stretches;
  if (stretches.length === 1 && only?.part.kind === "file" && only.part.retime === undefined) {
    options.onEnd();
    const { part, start, end } = only;
    try {
      await checkSize(options.media, part);
      return await options.media.body(part.filePath, { start, end });
    } catch (error) {
      throw await options.refusal(error, part);
    }
  }
  const reader = new PartsReader({ media: options.media, stretches });
  const end = async () => {
    await reader[Symbol.asyncDispose]();
    options.onEnd();
  };
  try {
    await reader.ready();
  } catch (error) {
    await end();
    const first = firstFileOf(stretches);
    throw first === undefined ? error : await options.refusal(error, first.part);
  }
  return createBlockStream({
    next: () => reader.read(),
    client: options.client,
    onError: (error) => {
      if (reader.part?.kind === "file") options.onError(error, reader.part);
    },
    onEnd: end,
  });
}
