import { serveMedia } from "./playback/workers/serve-media.ts";
import type { WorkerAnswer, WorkerRequest } from "./playback/workers/worker-wire.ts";

/** `media-worker`: not for people. Reads the archive for the hub that started it, until that lets go of it. */
export async function runMediaWorker(root: string, options: { memory: string }): Promise<number> {
  // The terminal sends Ctrl-C to us, too; the hub ends us when its last answer is sent.
  process.on("SIGINT", () => undefined);
  const released = new Promise<void>((resolve) => process.on("disconnect", resolve));
  const answerTo = serveMedia({ root, memoryPath: options.memory });
  process.on("message", (request: WorkerRequest) => void answerTo(request).then(tell));
  if (tell({ kind: "ready" })) await released;
  // Not by returning: calls that hang in the kernel would keep the process.
  process.exit(0);
}

/** False when the hub is gone: then nobody lets go of us any more. */
function tell(answer: WorkerAnswer): boolean {
  if (!process.connected) return false;
  try {
    process.send?.(answer);
    return true;
  } catch {
    // Closed by the other end since we looked.
    return false;
  }
}
