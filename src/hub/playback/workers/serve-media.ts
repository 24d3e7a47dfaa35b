import { describeError, errorCodeOf } from "../../../common/errors.ts";
import { createDirectoryMediaSource } from "../directory-media-source.ts";
import { createDirectoryPictureStore } from "../directory-picture-store.ts";
import { openSharedMemory, windowOf } from "./shared-memory.ts";
import type { FileInArchive, WorkerAnswer, WorkerOperations, WorkerRequest } from "./worker-wire.ts";

/**
 * A media worker: it touches the archive, so it is what hangs when the archive does. It knows nothing of the catalog
 * and of who asks. Returns what answers a request of the hub that started it.
 */
export function serveMedia(options: {
  root: string;
  memoryPath: string;
}): (request: WorkerRequest) => Promise<WorkerAnswer> {
  const { root, memoryPath } = options;
  const memory = openSharedMemory(memoryPath);
  let archiveId: string | undefined;
  const archive = createDirectoryMediaSource({ root, archiveId: () => archiveId });
  const pictures = createDirectoryPictureStore(root);
  const mediaOf = (file: FileInArchive) => {
    archiveId = file.archiveId;
    return archive;
  };

  const operations: WorkerOperations = {
    size: (file) => mediaOf(file).sizeOf(file.path),
    fill: ({ range, window, ...file }) => {
      const target = windowOf(memory, window).subarray(0, range.end - range.start);
      return mediaOf(file).readNow(file.path, target, range.start);
    },
    index: (file) => mediaOf(file).readIndex(file.path),
    salvage: (file) => mediaOf(file).salvageIndex(file.path),
    readPicture: ({ kind, path }) => pictures.read(kind, path),
    hasPicture: ({ kind, path }) => pictures.has(kind, path),
    writePicture: ({ kind, path, jpeg }) => pictures.write(kind, path, jpeg),
    removePictures: ({ path }) => pictures.remove(path),
  };

  return async ({ id, operation, argument }) => {
    try {
      // One of them, with its own argument: the types cannot tell which.
      const result = await operations[operation](argument as never);
      return { kind: "result", id, result };
    } catch (error) {
      const code = errorCodeOf(error);
      const isKnown =
        code === "not_found" || code === "unavailable" || code === "corrupt_file" || code === "io";
      return { kind: "failure", id, code: isKnown ? code : "internal", message: describeError(error) };
    }
  };
}
