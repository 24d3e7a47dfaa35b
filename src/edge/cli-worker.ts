import { serveArchiveRequests } from "./uploader/archive-worker.ts";

/**
 * `archive-worker`: not for people. Lives while the edge that started it holds the channel, and ends at once without
 * it, even with a call that hangs; it is the edge that gets the signals of a terminal or of systemd.
 */
export function runArchiveWorker(env: Readonly<Record<string, string | undefined>>): Promise<never> {
  if (!process.send) throw new Error("archive-worker is started by livecam-edge, not by hand");
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
  // process.exit would wait for calls that hang.
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  serveArchiveRequests(
    {
      send: (answer) => process.send?.(answer),
      onRequest: (listener) => process.on("message", listener),
    },
    env,
  );
  return new Promise(() => undefined);
}
