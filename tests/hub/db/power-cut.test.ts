import { expect } from "bun:test";
import { join } from "node:path";
import { systemClock } from "../../../src/common/clock.ts";
import { openStorage } from "../../../src/hub/storage.ts";
import { LoopDisk } from "../../support/loop-disk.ts";
import { sampleRun } from "../../support/sample-videos.ts";
import { canMount } from "../../support/small-disk.ts";
import { testIf } from "../../support/test-if.ts";

/** LIVECAM_POWER_CUTS=200 for the long run. */
const cuts = Number(process.env.LIVECAM_POWER_CUTS ?? 10);

testIf(canMount, "mounting needs root")(
  `the power is cut ${cuts} times right after an acknowledgement: every acknowledged video is in the catalog`,
  async () => {
    await using disk = await LoopDisk.create(40 * 1024 * 1024);
    await using storage = await openStorage(join(disk.path, "data"), systemClock);
    const acknowledged: string[] = [];
    for (let cut = 0; cut < cuts; cut++) {
      const announces = Array.from({ length: 1 + Math.floor(Math.random() * 20) }, (_, i) =>
        sampleRun(1 + Math.floor(Math.random() * 30), { cameraId: `c${cut}-${i}` }),
      );
      await Promise.all(
        announces.map(async (videos) => {
          const results = await storage.catalog.saveVideos(videos, 0);
          for (const [i, { result }] of results.entries()) {
            if (result === "stored") acknowledged.push(videos[i]?.videoId ?? "");
          }
        }),
      );
      await using after = await disk.cutPower();
      await using found = await openStorage(join(after.path, "data"), systemClock);
      const page = await found.catalog.findVideos({ order: "newest_first", limit: 100_000 });
      const ids = new Set(page.map(({ videoId }) => videoId));
      expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
      expect(ids.size).toBe(acknowledged.length);
      // And it goes on from there.
      const [again] = await found.catalog.saveVideos(announces[0] ?? [], 0);
      expect(again?.result).toBe("duplicate");
    }
  },
  120_000,
);
