import { rm, rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoOf } from "../common/errors.ts";
import { serveMedia } from "./playback/workers/serve-media.ts";
import { readyMessage } from "./playback/workers/worker-wire.ts";

/** `media-worker`: not for people. Serves the archive's files to the hub that started it, until that lets go of it. */
export async function runMediaWorker(
  root: string,
  options: { socket: string; memory: string },
): Promise<number> {
  // The terminal sends Ctrl-C to us, too; the hub ends us when its last answer is sent.
  process.on("SIGINT", () => undefined);
  const released = new Promise<void>((resolve) => process.on("disconnect", resolve));
  serveMedia({ socketPath: options.socket, memoryPath: options.memory, root });
  if (tellReady()) await released;
  await removeSocket(options.socket);
  // Not by returning: calls that hang in the kernel would keep the process.
  process.exit(0);
}

/** False when the hub ended while we started: then nobody will let go of us any more. */
function tellReady(): boolean {
  if (!process.connected) return false;
  try {
    process.send?.(readyMessage);
    return true;
  } catch {
    // Closed by the other end since we looked.
    return false;
  }
}

/** A hub that was killed cannot: the last of its workers takes the folder with it. */
async function removeSocket(socket: string): Promise<void> {
  await rm(socket, { force: true });
  await rmdir(dirname(socket)).catch((error: unknown) => {
    if (!["ENOENT", "ENOTEMPTY"].includes(errnoOf(error) ?? "")) throw error;
  });
}
