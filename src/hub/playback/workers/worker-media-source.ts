import type { Clock } from "../../../common/clock.ts";
import { AppError } from "../../../common/errors.ts";
import { errorFields, type Logger } from "../../../common/log.ts";
import type { ByteRange } from "../../http/range.ts";
import { wholeBody } from "../../http/whole-body.ts";
import type { MediaSource } from "../media-source.ts";
import type { PictureStore } from "../picture-store.ts";
import type { MediaWorkers } from "./media-workers.ts";
import { type Filled, windowBytes } from "./shared-memory.ts";

/** Of a body that does not fit into one window: little, as a slow client has one of them waiting. */
const blockBytes = 512 * 1024;

/** As long as the network file systems themselves believe what they know of a file. */
const sizeMemoryMs = 1_000;
const maxSizes = 1_000;

/** The archive through {@link MediaWorkers}: nothing here ever waits for it longer than their deadline. */
export function createWorkerMediaSource(options: {
  workers: Pick<MediaWorkers, "ask" | "fill">;
  archiveId: () => string | undefined;
  clock: Pick<Clock, "monotonicMs">;
  logger: Logger;
}): MediaSource {
  const { workers, archiveId, clock, logger } = options;

  const fileAt = (path: string) => ({ path, archiveId: archiveId() });

  /** At most {@link windowBytes} of the file that has the `tag`, of any where it has none. */
  async function fill(path: string, range: ByteRange, tag?: string): Promise<Filled> {
    const filled = await workers.fill({ ...fileAt(path), range });
    if (tag === undefined || filled.tag === tag) return filled;
    filled.take();
    throw new AppError("corrupt_file", `${path} was replaced while it was read`);
  }

  async function readInto(path: string, target: Uint8Array, offset: number, tag?: string): Promise<void> {
    let seen = tag;
    for (let at = 0; at < target.length; at += windowBytes) {
      const end = Math.min(at + windowBytes, target.length);
      const filled = await fill(path, { start: offset + at, end: offset + end }, seen);
      target.set(filled.take(), at);
      seen = filled.tag;
    }
  }

  /** A player asks for many parts of a file; each of them finds out by itself when it is gone. */
  const recentSizes = new Map<string, { sizeBytes: number; untilMs: number }>();

  /** What was known of the file does not hold when it cannot be read. */
  async function forgetting<T>(path: string, result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      recentSizes.delete(path);
      throw error;
    }
  }

  return {
    async sizeOf(path) {
      const known = recentSizes.get(path);
      if (known && known.untilMs > clock.monotonicMs()) return known.sizeBytes;
      recentSizes.delete(path);
      const untilMs = clock.monotonicMs() + sizeMemoryMs;
      const sizeBytes = await workers.ask("size", fileAt(path));
      const oldest = recentSizes.keys().next();
      if (recentSizes.size >= maxSizes && !oldest.done) recentSizes.delete(oldest.value);
      recentSizes.set(path, { sizeBytes, untilMs });
      return sizeBytes;
    },

    async body(path, range) {
      const read = (start: number, length: number, tag?: string) =>
        forgetting(path, fill(path, { start, end: Math.min(start + length, range.end) }, tag));
      if (range.end - range.start <= windowBytes) return wholeBody(await read(range.start, windowBytes));
      const first = await read(range.start, blockBytes);
      const onError = (error: unknown) =>
        logger.warning("a video broke off while it was sent", { file: path, ...errorFields(error) });
      return longBody({ first, range, read: (start) => read(start, blockBytes, first.tag), onError });
    },

    async readRange(path, range) {
      const bytes = new Uint8Array(range.end - range.start);
      await readInto(path, bytes, range.start);
      return bytes;
    },

    readIndex: (path) => workers.ask("index", fileAt(path)),

    salvageIndex: (path) => workers.ask("salvage", fileAt(path)),

    async open(path) {
      const opened = await fill(path, { start: 0, end: 0 });
      opened.take();
      return {
        async readInto(target, offset) {
          await readInto(path, target, offset, opened.tag);
        },
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  };
}

/** Pictures in the same archive. */
export function createWorkerPictureStore(workers: Pick<MediaWorkers, "ask">): PictureStore {
  return {
    read: (kind, path) => workers.ask("readPicture", { kind, path }),
    has: (kind, path) => workers.ask("hasPicture", { kind, path }),
    write: (kind, path, jpeg) => workers.ask("writePicture", { kind, path, jpeg }),
    remove: (path) => workers.ask("removePictures", { path }),
  };
}

/** As the client takes it. When it cannot be read any more the connection closes before the end that it promised. */
function longBody(options: {
  first: Filled;
  range: ByteRange;
  read: (start: number) => Promise<Filled>;
  onError: (error: unknown) => void;
}): ReadableStream<Uint8Array> {
  const { first, range, read, onError } = options;
  let hasLeft = false;
  const source: Bun.DirectUnderlyingSource<Uint8Array> = {
    type: "direct",
    async pull(controller) {
      try {
        let next = first;
        for (let at = range.start; ; next = await read(at)) {
          at += next.length;
          const bytes = next.take();
          if (hasLeft) return;
          controller.write(bytes);
          // Without `true` it waits for nobody, and all of it waits in memory for a client that does not read.
          await controller.flush(true);
          if (at >= range.end || hasLeft) break;
        }
        controller.end();
      } catch (error) {
        if (!hasLeft) onError(error);
        throw error;
      }
    },
    cancel() {
      hasLeft = true;
    },
  };
  return new ReadableStream(source as unknown as Bun.UnderlyingSource<Uint8Array>);
}
