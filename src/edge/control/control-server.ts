import { lstat, mkdir, unlink } from "node:fs/promises";
import { createConnection } from "node:net";
import { dirname } from "node:path";
import { AppError, errnoOf } from "../../common/errors.ts";

/** `sun_path` of Linux, without its NUL. */
const maxSocketPathBytes = 107;

/** Nothing that can be asked is longer; Bun takes 128 MB, all of it into memory. */
const maxBodyBytes = 64 * 1024;

/**
 * Serves `fetch` on a unix socket that only its owner can open. A socket file that a dead process left is replaced;
 * anything else of that name is not. Throws `already_running` and `io`.
 */
export async function serveControl(
  path: string,
  fetch: (request: Request) => Response | Promise<Response>,
): Promise<AsyncDisposable> {
  if (Buffer.byteLength(path) > maxSocketPathBytes) {
    throw new AppError(
      "io",
      `the path of the control socket is longer than ${maxSocketPathBytes} bytes: ${path}`,
    );
  }
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await removeStaleSocket(path);
    // The socket is born with its mode: there is no moment in which others could open it.
    const umask = process.umask(0o177);
    try {
      const server = Bun.serve({ unix: path, fetch, maxRequestBodySize: maxBodyBytes });
      return {
        async [Symbol.asyncDispose]() {
          await server.stop(true);
          await unlink(path).catch(ignoreMissing);
        },
      };
    } finally {
      process.umask(umask);
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("io", `cannot listen on the control socket ${path}`, { cause });
  }
}

async function removeStaleSocket(path: string): Promise<void> {
  const stats = await lstat(path).catch(ignoreMissing);
  if (!stats) return;
  if (!stats.isSocket()) throw new AppError("io", `${path} is there and is no socket`);
  if (await isAnswered(path)) {
    throw new AppError("already_running", `another process listens on the control socket ${path}`);
  }
  await unlink(path).catch(ignoreMissing);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    const answer = (isThere: boolean) => () => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once("connect", answer(true));
    socket.once("error", answer(false));
  });
}

function ignoreMissing(error: unknown): undefined {
  if (errnoOf(error) !== "ENOENT") throw error;
}
