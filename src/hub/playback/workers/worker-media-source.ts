import { deserialize } from "bun:jsc";
import * as v from "valibot";
import { AppError } from "../../../common/errors.ts";
import type { ArchivedFile } from "../../../common/mp4/archive-file.ts";
import type { ByteRange } from "../../http/range.ts";
import type { MediaSource } from "../media-source.ts";
import type { ThumbnailStore } from "../thumbnail-store.ts";
import type { MediaWorkers } from "./media-workers.ts";
import { FileStats, failureStatus, formatFileRequest, WorkerFailure } from "./worker-wire.ts";

/** A body up to this size is read whole, so that it has a length; Bun sends streams chunked. */
const maxWholeBytes = 1024 * 1024;

/** The archive through {@link MediaWorkers}: nothing here ever waits for it longer than their deadline. */
export function createWorkerMediaSource(options: {
  workers: Pick<MediaWorkers, "ask">;
  archiveId: () => string | undefined;
}): MediaSource {
  const { workers, archiveId } = options;

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
    const bytes = await ask("bytes", path, async (answer) => new Uint8Array(await answer.arrayBuffer()), {
      range,
      ...(tag !== undefined && { tag }),
    });
    if (bytes.length < range.end - range.start) {
      throw new AppError("corrupt_file", `${path} ends before byte ${range.end}`);
    }
    return bytes;
  }

  return {
    sizeOf: async (path) => (await statsOf(path)).size_bytes,

    async body(path, range) {
      if (range.end - range.start <= maxWholeBytes) return new Blob([await bytesOf(path, range)]);
      const body = await ask("bytes", path, async (answer) => answer.body, { range });
      if (body === null) throw new AppError("internal", "a media worker answered nothing");
      return body;
    },

    readRange: bytesOf,

    readIndex: (path) =>
      ask("index", path, async (answer) => deserialize(await answer.arrayBuffer()) as ArchivedFile),

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

/** Thumbnails in the same archive. */
export function createWorkerThumbnailStore(workers: Pick<MediaWorkers, "ask">): ThumbnailStore {
  const addressOf = (operation: string, path: string) =>
    `${operation}?${formatFileRequest({ path, archiveId: undefined })}`;
  return {
    read: (path) =>
      workers.ask(addressOf("thumbnail", path), async (answer) => {
        const { status } = await checked(answer);
        return status === 204 ? undefined : answer.bytes();
      }),
    write: (path, jpeg) =>
      workers.ask(
        addressOf("keep-thumbnail", path),
        async (answer) => void (await checked(answer)),
        new Uint8Array(jpeg),
      ),
  };
}

/** Throws what the worker threw. */
async function checked(answer: Response): Promise<Response> {
  if (answer.status !== failureStatus) return answer;
  const { code, message } = v.parse(WorkerFailure, await answer.json());
  throw new AppError(code, message);
}
