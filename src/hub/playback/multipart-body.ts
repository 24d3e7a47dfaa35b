import type { ByteRange } from "../http/range.ts";
import type { MediaSource } from "./media-source.ts";

/** Small enough that a hundred slow readers do not matter, large enough that calls do not. */
const chunkBytes = 256 * 1024;

/**
 * Several ranges in one answer, `multipart/byteranges` (RFC 9110 section 14.6). Bun sends it chunked, without a
 * length. Throws what reading the first bytes throws; when the file cannot be read later on, the stream fails, the connection closes before the last chunk, and the
 * client knows that the answer is not whole.
 */
export async function createMultipartBody(options: {
  media: Pick<MediaSource, "readRange">;
  filePath: string;
  fileSizeBytes: number;
  ranges: readonly ByteRange[];
  contentType: string;
  boundary: string;
  onError(error: unknown): Promise<void>;
}): Promise<ReadableStream<Uint8Array>> {
  const { media, filePath, fileSizeBytes, ranges, contentType, boundary } = options;
  const encoder = new TextEncoder();
  const parts = ranges.map((range, index) => ({
    range,
    header: encoder.encode(
      `${index === 0 ? "" : "\r\n"}--${boundary}\r\nContent-Type: ${contentType}\r\n` +
        `Content-Range: bytes ${range.start}-${range.end - 1}/${fileSizeBytes}\r\n\r\n`,
    ),
  }));
  const closing = encoder.encode(`\r\n--${boundary}--\r\n`);

  async function* chunks() {
    for (const { range, header } of parts) {
      yield header;
      for (let start = range.start; start < range.end; start += chunkBytes) {
        yield await media.readRange(filePath, { start, end: Math.min(range.end, start + chunkBytes) });
      }
    }
    yield closing;
  }

  const iterator = chunks();
  // The first header, and what comes after it: an answer that has begun cannot say what is wrong.
  const ahead = [await iterator.next(), await iterator.next()];
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = ahead.shift() ?? (await iterator.next());
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          await options.onError(error);
          throw error;
        }
      },
      cancel: async () => {
        await iterator.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
