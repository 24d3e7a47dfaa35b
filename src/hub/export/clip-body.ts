import type { MediaSource } from "../playback/media-source.ts";
import type { ClipPart } from "./clip.ts";
import { sendStretches, stretchesOf } from "./send-parts.ts";

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
 * takes it. When a file cannot be read any more the connection closes before the length it promised, so that the client
 * knows that the answer is not whole.
 */
export async function createClipBody(options: ClipBodyOptions): Promise<Blob | ReadableStream<Uint8Array>> {
  const stretches = stretchesOf(options.parts, options.range);
  const [only] = stretches;
  if (stretches.length === 1 && only?.part.kind === "file" && only.part.retime === undefined) {
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
        await sendStretches(stretches, { media: options.media, send, signal: left.signal });
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
