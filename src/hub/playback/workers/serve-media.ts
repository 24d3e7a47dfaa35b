import { serialize } from "bun:jsc";
import { AppError, describeError, errorCodeOf } from "../../../common/errors.ts";
import { createDirectoryMediaSource } from "../directory-media-source.ts";
import { createDirectoryPictureStore } from "../directory-picture-store.ts";
import { openSharedMemory, windowOf } from "./shared-memory.ts";
import { type FileRequest, failureStatus, parseFileRequest, type WorkerFailure } from "./worker-wire.ts";

/**
 * A media worker: it touches the archive, so it is what hangs when the archive does. It knows nothing of the catalog
 * and of who asks; only its parent can reach its socket.
 */
export function serveMedia(options: { socketPath: string; memoryPath: string; root: string }): void {
  const { socketPath, root } = options;
  const memory = openSharedMemory(options.memoryPath);
  let archiveId: string | undefined;
  const media = createDirectoryMediaSource({ root, archiveId: () => archiveId });
  const pictures = createDirectoryPictureStore(root);

  const operations: Record<string, (request: FileRequest, body: Request) => Promise<Response>> = {
    async size({ path }) {
      return Response.json({ size_bytes: await media.sizeOf(path) });
    },
    async fill({ path, range = { start: 0, end: 0 }, window = 0 }) {
      const target = windowOf(memory, window).subarray(0, range.end - range.start);
      return new Response(await media.readNow(path, target, range.start));
    },
    async index({ path }) {
      return new Response(
        serialize(await media.readIndex(path), { binaryType: "nodebuffer" }) as Buffer<ArrayBuffer>,
      );
    },
    async salvage({ path }) {
      return new Response(
        serialize(await media.salvageIndex(path), { binaryType: "nodebuffer" }) as Buffer<ArrayBuffer>,
      );
    },
    async picture({ path, kind = "thumbnail" }) {
      const jpeg = await pictures.read(kind, path);
      return new Response(jpeg as Uint8Array<ArrayBuffer> | undefined, {
        status: jpeg === undefined ? 204 : 200,
      });
    },
    async "has-picture"({ path, kind = "thumbnail" }) {
      return new Response(null, { status: (await pictures.has(kind, path)) ? 200 : 204 });
    },
    async "keep-picture"({ path, kind = "thumbnail" }, request) {
      await pictures.write(kind, path, await request.bytes());
      return new Response(null, { status: 204 });
    },
    async "remove-pictures"({ path }) {
      await pictures.remove(path);
      return new Response(null, { status: 204 });
    },
  };

  const server = {
    unix: socketPath,
    // Else Bun closes what the hub may be about to ask on.
    idleTimeout: 0,
    development: false,
    async fetch(request: Request) {
      const { pathname, searchParams } = new URL(request.url);
      try {
        const name = pathname.slice(1);
        if (name === "ping") return new Response(null, { status: 204 });
        const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
        if (operation === undefined) throw new AppError("internal", `there is no ${pathname}`);
        const file = parseFileRequest(searchParams);
        archiveId = file.archiveId;
        return await operation(file, request);
      } catch (error) {
        return failure(error);
      }
    },
    // The file went between our look at it and Bun's opening it.
    error: (error: unknown) => failure(new AppError("io", "the file cannot be opened", { cause: error })),
  };
  // Its types know the timeout for TCP alone.
  Bun.serve(server as unknown as Parameters<typeof Bun.serve>[0]);
}

function failure(error: unknown): Response {
  const code = errorCodeOf(error);
  const known: WorkerFailure["code"] =
    code === "not_found" || code === "unavailable" || code === "corrupt_file" || code === "io"
      ? code
      : "internal";
  const body: WorkerFailure = { code: known, message: describeError(error) };
  return Response.json(body, { status: failureStatus });
}
