import type { Fault } from "./fault.ts";
import type { FaultSite } from "./fault-site.ts";

async function startCaptureAnew(site: FaultSite): Promise<void> {
  await site.signalChildren("test picture", "SIGKILL");
}

export const sourceFaults: readonly Fault[] = [
  {
    name: "camera away (its program ends at once)",
    site: { config: { recording: { fallback_after_failures: 3 } } },
    inject: async (site) => {
      const heal = await site.spoilSource("dead");
      await startCaptureAnew(site);
      return heal;
    },
  },
  {
    name: "camera floods stderr (20 MB at each start)",
    inject: async (site) => {
      const heal = await site.spoilSource("noisy");
      await startCaptureAnew(site);
      return heal;
    },
  },
  {
    name: "camera changes its resolution",
    inject: async (site) => {
      const heal = await site.spoilSource("larger");
      await startCaptureAnew(site);
      return heal;
    },
    remark: async (site) => {
      const { videos } = await site.get<{
        videos: { run_id: string; resolution: unknown; width?: number }[];
      }>("/api/videos?order=oldest_first&limit=200");
      return `${new Set(videos.map(({ run_id }) => run_id)).size} runs`;
    },
  },
];
