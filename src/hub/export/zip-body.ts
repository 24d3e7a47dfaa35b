import { createBlockStream } from "./block-stream.ts";
import { zipOf } from "./zip-format.ts";

export interface ZipFile {
  name: string;
  /** Each block is good until the next is asked for. */
  input: string | AsyncIterable<Uint8Array>;
}

/**
 * A ZIP (stored, not compressed: video is), made while it is sent. When a file cannot be read, the answer breaks off: it
 * must never look whole. A ZIP that is given up in its middle leaves `files` where they are, so what they hold is for
 * `onEnd` to close.
 */
export function createZipBody(options: {
  files: AsyncIterable<ZipFile>;
  nowMs: number;
  client: AbortSignal;
  onError(error: unknown): void;
  /** Whatever way it ends, once. */
  onEnd(): Promise<void>;
}): ReadableStream<Uint8Array> {
  const { files, nowMs, client, onEnd, onError } = options;
  const modifiedAt = noonOf(nowMs);
  async function* sources() {
    for await (const { name, input } of files) yield { name, input, modifiedAt };
  }
  const blocks = zipOf(sources());
  return createBlockStream({ next: async () => (await blocks.next()).value, client, onError, onEnd });
}

/**
 * The day at noon. A ZIP has local times without a zone; noon exists on every day in every zone, so whoever reads the
 * time back and writes it again, as `verify` does, gets the same bytes.
 */
function noonOf(ms: number): Date {
  const day = new Date(ms);
  return new Date(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate(), 12);
}
