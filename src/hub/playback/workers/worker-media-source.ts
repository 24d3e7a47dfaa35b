import { deserialize } from "bun:jsc";
import * as v from "valibot";
import type { PictureKind } from "../../../common/archive-path.ts";
import type { Clock } from "../../../common/clock.ts";
import { AppError } from "../../../common/errors.ts";
import type { ArchivedFile } from "../../../common/mp4/archive-file.ts";
import type { SalvagedFile } from "../../../common/mp4/salvage-file.ts";
import type { ByteRange } from "../../http/range.ts";
import { wholeBody } from "../../http/whole-body.ts";
import type { MediaSource } from "../media-source.ts";
import type { PictureStore } from "../picture-store.ts";
import type { MediaWorkers } from "./media-workers.ts";
import { FileStats, failureStatus, formatFileRequest, WorkerFailure } from "./worker-wire.ts";

/** A body up to this size is read whole, so that it has a length; Bun sends streams chunked. */
const maxWholeBytes = 1024 * 1024;

/** As long as the network file systems themselves believe what they know of a file. */
const sizeMemoryMs = 1_000;
const maxSizes = 1_000;

/** The archive through {@link MediaWorkers}: nothing here ever waits for it longer than their deadline. */
export function createWorkerMediaSource(options: {
  workers: Pick<MediaWorkers, "ask">;
  archiveId: () => string | undefined;
  clock: Pick<Clock, "monotonicMs">;
}): MediaSource {
  const { workers, archiveId, clock } = options;

  const ask = <T>(
    operation: string,
    path: string,
    read: (answer: Response) => Promise<T>,
    more: { range?: ByteRange; tag?: string } = {},
  ) =>
    workers.ask(
      `${operation}?${formatFileRequest({ path, archiveId: archiveId(), ...more })}`,
      async (answer) => read(await checked(answer)),
    );

  const statsOf = (path: string) =>
    ask("size", path, async (answer) => v.parse(FileStats, await answer.json()));

  async function bytesOf(path: string, range: ByteRange, tag?: string): Promise<Uint8Array<ArrayBuffer>> {
    const more = { range, ...(tag !== undefined && { tag }) };
    const bytes = await ask(
      "bytes",
      path,
      async (answer) => new Uint8Array(await answer.arrayBuffer()),
      more,
    );
    if (bytes.length < range.end - range.start) {
      throw new AppError("corrupt_file", `${path} ends before byte ${range.end}`);
    }
    return bytes;
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
      const { size_bytes: sizeBytes } = await statsOf(path);
      const oldest = recentSizes.keys().next();
      if (recentSizes.size >= maxSizes && !oldest.done) recentSizes.delete(oldest.value);
      recentSizes.set(path, { sizeBytes, untilMs });
      return sizeBytes;
    },

    async body(path, range) {
      if (range.end - range.start <= maxWholeBytes) {
        return wholeBody(await forgetting(path, bytesOf(path, range)));
      }
      const body = await forgetting(
        path,
        ask("bytes", path, async (answer) => answer.body, { range }),
      );
      if (body === null) throw new AppError("internal", "a media worker answered nothing");
      return body;
    },

    readRange: (path, range) => bytesOf(path, range),

    readIndex: (path) =>
      ask("index", path, async (answer) => deserialize(await answer.arrayBuffer()) as ArchivedFile),

    salvageIndex: (path) =>
      ask("salvage", path, async (answer) => deserialize(await answer.arrayBuffer()) as SalvagedFile),

    async open(path) {
      const { tag } = await statsOf(path);
      return {
        async readInto(target, offset) {
          target.set(await bytesOf(path, { start: offset, end: offset + target.length }, tag));
        },
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  };
}

/** Pictures in the same archive. */
export function createWorkerPictureStore(workers: Pick<MediaWorkers, "ask">): PictureStore {
  const addressOf = (operation: string, path: string, kind?: PictureKind) =>
    `${operation}?${formatFileRequest({ path, archiveId: undefined, kind })}`;
  return {
    read: (kind, path) =>
      workers.ask(addressOf("picture", path, kind), async (answer) => {
        const { status } = await checked(answer);
        return status === 204 ? undefined : answer.bytes();
      }),
    has: (kind, path) =>
      workers.ask(
        addressOf("has-picture", path, kind),
        async (answer) => (await checked(answer)).status !== 204,
      ),
    write: (kind, path, jpeg) =>
      workers.ask(
        addressOf("keep-picture", path, kind),
        async (answer) => void (await checked(answer)),
        new Uint8Array(jpeg),
      ),
    remove: (path) =>
      workers.ask(addressOf("remove-pictures", path), async (answer) => void (await checked(answer))),
  };
}

/** Throws what the worker threw. */
async function checked(answer: Response): Promise<Response> {
  if (answer.status !== failureStatus) return answer;
  const { code, message } = v.parse(WorkerFailure, await answer.json());
  throw new AppError(code, message);
}
