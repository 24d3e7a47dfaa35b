import { existsSync } from "node:fs";
import { join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import type { TestHub } from "./test-hub.ts";

const isThere = (path: string) => new Bun.Glob(path).scanSync("/usr/lib").next().done !== true;

export const hasGstreamer =
  existsSync("/usr/lib/python3/dist-packages/gi") &&
  isThere("*/girepository-1.0/Gst-1.0.typelib") &&
  isThere("*/gstreamer-1.0/libgsthls.so") &&
  isThere("*/gstreamer-1.0/libgstlibav.so");
export const gstreamerNeeds =
  "needs python3-gi, gir1.2-gstreamer-1.0, gstreamer1.0-plugins-bad and -libav (scripts/setup players)";

/**
 * Decodes a playlist with GStreamer: all of it, or until there are so many pictures. It does not hand a header on to what
 * a playlist leads to, so what stands between signs all requests. `kbit`: how fast it takes its network to be.
 */
export async function playGstreamer(
  hub: TestHub,
  path: string,
  { until = 0, kbit = 0 } = {},
): Promise<{ pictures: number; asked: string[] }> {
  const asked: string[] = [];
  using signedIn = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 60,
    fetch(request) {
      const { pathname, search } = new URL(request.url);
      asked.push(pathname);
      const headers = new Headers(request.headers);
      headers.set("authorization", `Bearer ${hub.clientKey}`);
      return fetch(hub.url + pathname + search, { headers, redirect: "manual" });
    },
  });
  const exit = await runChild({
    argv: [
      ...["/usr/bin/python3", join(import.meta.dir, "gstreamer-player.py")],
      ...[`http://127.0.0.1:${signedIn.port}${path}`, String(until), String(kbit)],
    ],
    timeoutMs: 50_000,
  });
  if (exit.exitCode !== 0) throw new Error(`GStreamer: ${exit.stderrTail}`);
  return { pictures: Number(new TextDecoder().decode(exit.stdout)), asked };
}
