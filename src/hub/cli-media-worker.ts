import { serveMedia } from "./playback/workers/serve-media.ts";
import { readyMessage } from "./playback/workers/worker-wire.ts";

/** `media-worker`: not for people. Serves the archive's files to the hub that started it, until that lets go of it. */
export async function runMediaWorker(root: string, options: { socket: string }): Promise<number> {
  // The terminal sends Ctrl-C to us, too; the hub ends us when its last answer is sent.
  process.on("SIGINT", () => undefined);
  const released = new Promise<void>((resolve) => process.on("disconnect", resolve));
  serveMedia({ socketPath: options.socket, root });
  process.send?.(readyMessage);
  await released;
  // Not by returning: calls that hang in the kernel would keep the process.
  process.exit(0);
}
