import { makeZip } from "client-zip";

export interface ZipFile {
  name: string;
  /** Blocks that may be kept. */
  input: string | AsyncIterable<Uint8Array>;
  sizeBytes: number;
}

/**
 * A ZIP (stored, not compressed: video is), made while it is sent. When a file cannot be read, the answer breaks off: it
 * must never look whole. A ZIP that is given up in its middle leaves `files` where they are, so what they hold is for
 * `onEnd` to close.
 */
export function createZipBody(options: {
  files: AsyncIterable<ZipFile>;
  nowMs: number;
  /** Of the request: when it leaves before the answer began, nobody says that it is over. */
  client: AbortSignal;
  onError(error: unknown): void;
  /** Whatever way it ends, once. */
  onEnd(): Promise<void>;
}): ReadableStream<Uint8Array> {
  const { files, client, onEnd, onError } = options;
  const lastModified = noonOf(options.nowMs);
  let hasEnded = false;
  const end = async () => {
    if (hasEnded) return;
    hasEnded = true;
    client.removeEventListener("abort", end);
    await onEnd();
  };
  client.addEventListener("abort", end);
  if (client.aborted) void end();
  async function* entries() {
    for await (const { name, input, sizeBytes } of files)
      yield { name, input, size: sizeBytes, lastModified };
  }
  const reader = makeZip(entries()).getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            await end();
            controller.close();
          } else controller.enqueue(value);
        } catch (error) {
          // Nobody waits for the rest when the client left, and the file was closed under the read.
          if (!hasEnded) onError(error);
          await end();
          throw error;
        }
      },
      async cancel() {
        await end();
        await reader.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * The day at noon. A ZIP has local times without a zone; noon exists on every day in every zone, so whoever reads the
 * time back and writes it again, as `verify` does, gets the same bytes.
 */
function noonOf(ms: number): Date {
  const day = new Date(ms);
  return new Date(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate(), 12);
}
