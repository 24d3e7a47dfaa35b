import { sleep } from "../../src/common/clock.ts";
import type { Fault } from "./fault.ts";
import type { FaultSite } from "./fault-site.ts";

/** Slow enough that an upload can be met while it runs. */
const slowUploads = { camera: { bitrate: 200_000 }, config: { upload: { max_bytes_per_second: 60_000 } } };

async function whenUploading(site: FaultSite): Promise<void> {
  await site.until(async () => {
    const { uploads } = await site.client.uploads();
    return uploads.some(({ state, progress }) => state === "uploading" && progress > 0 && progress < 0.9);
  }, "an upload that runs");
}

async function endEdges(site: FaultSite, how: "SIGKILL" | "SIGTERM", times: number): Promise<undefined> {
  for (let n = 0; n < times; n++) {
    // What was lost before a kill is only to be seen where something was recorded since the one before.
    await site.until(async () => (await site.lastFragmentAt()) !== undefined, "recording again");
    await sleep(Math.random() * 1500);
    await site.endEdge(how);
    await site.edge.logged("recording");
  }
  return undefined;
}

export const processFaults: readonly Fault[] = [
  {
    name: "capture killed (kill -9 ffmpeg)",
    inject: async (site) => {
      await site.signalChildren("test picture", "SIGKILL");
      return undefined;
    },
  },
  {
    name: "capture hangs (SIGSTOP ffmpeg)",
    inject: async (site) => {
      await site.signalChildren("test picture", "SIGSTOP");
      return undefined;
    },
  },
  {
    name: "edge killed (kill -9), per time",
    inject: (site, { times }) => endEdges(site, "SIGKILL", times),
  },
  {
    name: "edge stopped and started, per time",
    inject: (site, { times }) => endEdges(site, "SIGTERM", times),
  },
  {
    name: "upload worker killed in mid-write",
    site: slowUploads,
    inject: async (site, { times }) => {
      for (let n = 0; n < times; n++) {
        await whenUploading(site);
        await site.signalChildren("archive-worker", "SIGKILL");
      }
      return undefined;
    },
  },
  {
    name: "edge killed in mid-upload",
    site: slowUploads,
    inject: async (site) => {
      await whenUploading(site);
      await site.endEdge("SIGKILL");
      await site.edge.logged("recording");
      return undefined;
    },
  },
  {
    name: "upload worker hangs (SIGSTOP)",
    leastMs: 8000,
    inject: async (site) => {
      const stopping = setInterval(() => void site.signalChildren("archive-worker", "SIGSTOP"), 50);
      return async () => {
        clearInterval(stopping);
        await site.signalChildren("archive-worker", "SIGCONT");
      };
    },
  },
];
