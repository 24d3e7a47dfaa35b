import { createServer } from "node:net";
import { type ChildOptions, startChild } from "../../src/common/child-process.ts";
import { sleep } from "../../src/common/clock.ts";

export interface ServerProcess extends AsyncDisposable {
  pid: number;
}

/**
 * Starts a program that runs until it is told to end, and waits until it is ready. Throws, with what the program said,
 * when it ends before or is not ready in time. Disposing ends it and waits for its end.
 */
export async function startServer(
  options: Pick<ChildOptions, "argv" | "env" | "cwd"> & {
    signal: AbortSignal;
    /** Asked again and again until it says yes; may throw while the server is not there. */
    isReady: () => Promise<boolean>;
    pollMs?: number;
    timeoutMs?: number;
  },
): Promise<ServerProcess> {
  const { isReady, pollMs = 20, timeoutMs = 30_000, ...childOptions } = options;
  const child = startChild({ ...childOptions, killAfterMs: 10_000 });
  const dispose = async () => {
    child.stop();
    await child.exited;
  };
  const name = options.argv.slice(0, 3).join(" ");
  let ended = false;
  const exited = child.exited.then(() => {
    ended = true;
  });
  const deadline = performance.now() + timeoutMs;
  while (!(await isReady().catch(() => false))) {
    if (!ended && !options.signal.aborted && performance.now() < deadline) {
      await Promise.race([sleep(pollMs), exited]);
      continue;
    }
    await dispose();
    options.signal.throwIfAborted();
    const { stderrTail } = await child.exited;
    throw new Error(
      `${name} ${ended ? "ended" : "did not get ready"}: ${stderrTail.trim() || "it said nothing"}`,
    );
  }
  return { pid: child.pid, [Symbol.asyncDispose]: dispose };
}

/** A TCP port of the loopback that was free a moment ago, for programs that cannot choose one and say which. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null
          ? resolve(address.port)
          : reject(new Error("no port")),
      );
    });
  });
}
