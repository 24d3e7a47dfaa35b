import { expect } from "bun:test";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import { ControlClient } from "../../src/edge/control/control-client.ts";
import { EdgeProcess, makeEdgeSite, videosIn } from "../support/edge-process.ts";
import { fakeHubKey, startFakeHub } from "../support/fake-hub.ts";
import { temporaryFolder } from "../support/sample-recording.ts";
import { canMount } from "../support/small-disk.ts";
import { testIf } from "../support/test-if.ts";

async function run(...argv: string[]): Promise<void> {
  const { exitCode, stderrTail } = await runChild({ argv, timeoutMs: 30_000 });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderrTail}`);
}

async function until(holds: () => boolean | Promise<boolean>, edge: EdgeProcess): Promise<void> {
  let ended = false;
  edge.exited.then(() => {
    ended = true;
  });
  while (!(await holds())) {
    if (ended) throw new Error(`the edge ended:\n${edge.tail()}`);
    await Bun.sleep(50);
  }
}

testIf(canMount, "mounting needs root")(
  "a spool that becomes read-only is told at once; when it no longer is, everything goes on by itself, and the time is a gap",
  async () => {
    await using folder = await temporaryFolder();
    await using hub = startFakeHub();
    const source = { type: "test", width: 192, height: 108, fps: 10, bitrate: 60_000, keyframe_seconds: 0.5 };
    const site = await makeEdgeSite(folder.path, {
      ...{ hubUrl: hub.url, apiKey: fakeHubKey, cameras: [{ id: "cam01", source }] },
    });
    await mkdir(site.spool);
    const edge = new EdgeProcess(site);
    const client = new ControlClient(site.socket);
    const isFailing = () =>
      hub.heartbeats.at(-1)?.alerts?.some(({ code }) => code === "spool_failing") ?? false;
    try {
      await until(() => hub.videos.size > 0, edge);
      await rename(site.archive, `${site.archive}-away`);
      await until(async () => (await client.status()).spool.waiting_segments > 1, edge);

      // Files that are open stay open for writing: the kernel takes no whole file system away from under them.
      await run("mount", "--bind", site.spool, site.spool);
      await run("mount", "-o", "remount,bind,ro", site.spool);
      try {
        await until(isFailing, edge);
        const [camera] = (await client.status()).cameras;
        expect(camera).toMatchObject({ state: "retrying", message: expect.stringContaining("EROFS") });
        // What waits goes to the archive; that it is there can be told later only.
        const before = hub.videos.size;
        await rename(`${site.archive}-away`, site.archive);
        await until(async () => (await videosIn(site.archive)).length > before, edge);
        expect(hub.videos.size).toBe(before);
        const error = (await client.status()).uploads.last_error;
        expect(error === null || error.includes("EROFS")).toBe(true);
      } finally {
        await run("umount", "-l", site.spool);
      }
      await until(() => hub.gaps.size > 0 && !isFailing(), edge);
      const [gap] = [...hub.gaps.values()];
      expect(gap).toMatchObject({ cause: "disk_error", detail: expect.stringContaining("EROFS") });
      await until(
        async () => [...hub.videos.values()].some(({ end_time }) => end_time > (gap?.to_time ?? 0)),
        edge,
      );
      expect(await edge.stop()).toBe(0);
      expect(hub.gaps.size).toBe(1);
      // Once each, and what is missing between them is the gap.
      const videos = [...hub.videos.values()].sort((one, other) => one.start_time - other.start_time);
      expect(await videosIn(site.archive)).toEqual(videos.map(({ file_path }) => file_path).sort());
      for (const [i, { start_time }] of videos.entries()) {
        const end = videos[i - 1]?.end_time ?? start_time;
        if (Math.abs(start_time - end) <= 200) continue;
        expect([end, start_time]).toEqual([gap?.from_time as number, gap?.to_time as number]);
      }
      expect(await Bun.file(join(site.spool, "alerts.json")).exists()).toBe(true);
    } finally {
      edge.kill("SIGKILL");
      await edge.exited;
    }
  },
  180_000,
);
