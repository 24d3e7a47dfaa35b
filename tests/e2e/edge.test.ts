import { describe, expect, test } from "bun:test";
import { readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { readArchiveFile } from "../../src/common/mp4/archive-file.ts";
import { verifyArchiveFile } from "../../src/common/mp4/verify-file.ts";
import { ControlClient } from "../../src/edge/control/control-client.ts";
import { testArchiveId } from "../contract/archive-destination.contract.ts";
import {
  EdgeProcess,
  type EdgeSite,
  makeEdgeSite,
  processesWith,
  videosIn,
} from "../support/edge-process.ts";
import { type FakeHub, fakeHubKey, startFakeHub } from "../support/fake-hub.ts";
import { temporaryFolder } from "../support/sample-recording.ts";
import { canMount, mountSmallDisk } from "../support/small-disk.ts";
import { testIf } from "../support/test-if.ts";

const camera = (id: string) => ({
  id,
  source: { type: "test", width: 320, height: 180, fps: 10, bitrate: 100_000, keyframe_seconds: 0.5 },
});

async function setUp(options: { cameras?: string[]; config?: Record<string, object> } = {}) {
  const folder = await temporaryFolder();
  const hub = startFakeHub();
  hub.archiveId = testArchiveId;
  // Unlike in the fields of any other test, so that what is left running can be told.
  const mark = `t${crypto.randomUUID().slice(0, 8)}`;
  const cameras = (options.cameras ?? ["a"]).map((name) => camera(`${mark}${name}`));
  const site = await makeEdgeSite(folder.path, { hubUrl: hub.url, apiKey: fakeHubKey, ...options, cameras });
  const edges: EdgeProcess[] = [];
  return {
    hub,
    site,
    mark,
    start: (
      ...args: ConstructorParameters<typeof EdgeProcess> extends [unknown, ...infer Rest] ? Rest : never
    ) => {
      const edge = new EdgeProcess(site, ...args);
      edges.push(edge);
      return edge;
    },
    async [Symbol.asyncDispose]() {
      for (const edge of edges) {
        edge.kill("SIGKILL");
        await edge.exited;
      }
      await hub[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function expectAllWhole({ archive }: EdgeSite, hub: FakeHub): Promise<string[]> {
  const paths = await videosIn(archive);
  for (const path of paths) {
    expect(await verifyArchiveFile(join(archive, path))).toMatchObject({ ok: true, problems: [] });
  }
  const announced = [...hub.videos.values()].map(({ file_path }) => file_path).sort();
  expect(announced).toEqual(paths);
  return paths;
}

test.concurrent("records two cameras, archives, announces, and ends cleanly with everything delivered", async () => {
  await using at = await setUp({ cameras: ["a", "b"] });
  const edge = at.start();
  await edge.logged("acknowledged", 5);

  const client = new ControlClient(at.site.socket);
  const status = await client.status();
  expect(status.cameras.map(({ state }) => state)).toEqual(["recording", "recording"]);
  expect(status).toMatchObject({
    node_id: "node01",
    archive: { archive_id: testArchiveId },
    hub: { registered: true },
  });
  const jpeg = await client.snapshot(`${at.mark}a`);
  expect([...jpeg.subarray(0, 2)]).toEqual([0xff, 0xd8]);

  expect(await edge.stop()).toBe(0);
  expect(await processesWith(at.mark)).toEqual([]);
  const paths = await expectAllWhole(at.site, at.hub);
  expect(paths.length).toBeGreaterThanOrEqual(7);
  for (const state of ["recording", "closed", "archived", "quarantine"]) {
    expect(await readdir(join(at.site.spool, state))).toEqual([]);
  }
  expect(edge.log.filter(({ level }) => level === "ERROR")).toEqual([]);

  // No frame is missing between the segments of a run: each begins when the one before ends, on the clock.
  for (const name of ["a", "b"]) {
    const own = paths.filter((path) => path.startsWith(`${at.mark}${name}/`));
    const files = await Promise.all(own.map((path) => readArchiveFile(join(at.site.archive, path))));
    const identities = files.map(({ identity }) => identity);
    for (const [i, identity] of identities.entries()) {
      expect(identity.sequence).toBe(i);
      if (i === 0) continue;
      expect(identity.startTimeMs).toBe(identities[i - 1]!.endTimeMs);
      expect(files[i]!.fragments[0]!.startTicks).toBe(
        files[i - 1]!.fragments.at(-1)!.startTicks + files[i - 1]!.fragments.at(-1)!.durationTicks,
      );
    }
  }
  expect(at.hub.heartbeats.at(-1)?.cameras).toHaveLength(2);
});

test.concurrent("pause closes the segment and records nothing, resume begins a new run", async () => {
  await using at = await setUp();
  let edge = at.start();
  await edge.logged("acknowledged", 1);
  const client = new ControlClient(at.site.socket);
  await client.post(`/cameras/${at.mark}a/pause`);
  expect((await client.status()).cameras).toMatchObject([{ state: "paused" }]);
  const recording = () => readdir(join(at.site.spool, "recording"));
  expect(await recording()).toEqual([]);
  // Paused is paused for everybody: the camera is let go, and gives no picture.
  expect((await processesWith(at.mark)).filter((pid) => pid !== edge.pid)).toEqual([]);
  await expect(client.snapshot(`${at.mark}a`)).rejects.toThrow("the camera is paused");
  const since = (await client.status()).cameras[0]?.paused_since;
  expect(since).toBeString();
  // The end of the process is no reason to see again what nobody was to see.
  while (!(await readFile(join(at.site.spool, "recorded.json"), "utf8")).includes('"paused"'))
    await Bun.sleep(20);
  edge.kill("SIGKILL");
  await edge.exited;
  edge = at.start();
  await edge.logged("recording");
  const restarted = async () => (await client.status().catch(() => undefined))?.cameras;
  while ((await restarted()) === undefined) await Bun.sleep(20);
  expect(await restarted()).toMatchObject([{ state: "paused", paused_since: since }]);
  expect(await recording()).toEqual([]);
  expect((await processesWith(at.mark)).filter((pid) => pid !== edge.pid)).toEqual([]);
  const archived = (await edge.logged("archived", 0)).length;
  // Less than two frames would be no gap.
  await Bun.sleep(1000);
  await client.post(`/cameras/${at.mark}a/resume`);
  await edge.logged("archived", archived + 2);
  await edge.stop();
  const runs = new Set([...at.hub.videos.values()].map(({ run_id }) => run_id));
  expect(runs.size).toBe(2);
  // What is missing between the two is told, and nothing else is missing.
  const videos = [...at.hub.videos.values()].sort((one, other) => one.start_time - other.start_time);
  const resumed = videos.findIndex(({ run_id }) => run_id !== videos[0]?.run_id);
  const gap = { from_time: videos[resumed - 1]?.end_time, to_time: videos[resumed]?.start_time };
  expect([...at.hub.gaps.values()]).toMatchObject([{ ...gap, cause: "paused", camera_id: `${at.mark}a` }]);
});

test.concurrent("a second edge on the same spool says so and ends with 2; the first is not disturbed", async () => {
  await using at = await setUp();
  const first = at.start();
  await first.logged("recording");
  const second = at.start();
  expect((await second.exited).exitCode).toBe(2);
  expect(second.tail()).toContain(`another livecam-edge (process ${first.pid}) works on `);
  await first.logged("archived", 2);
  expect(await first.stop()).toBe(0);
});

test.concurrent("the second SIGTERM leaves at once", async () => {
  await using at = await setUp();
  // Nothing can be delivered, so a clean end would take its time.
  await rename(join(at.site.archive, "metadata"), join(at.site.archive, "gone"));
  const edge = at.start();
  await edge.logged("an upload failed");
  edge.kill("SIGTERM");
  await edge.logged("stopping");
  edge.kill("SIGTERM");
  expect((await edge.exited).exitCode).toBe(143);
});

describe("recording goes on, nothing is lost, and all is delivered afterwards, when", () => {
  async function outage(
    config: Record<string, object>,
    take: (at: Awaited<ReturnType<typeof setUp>>) => Promise<void>,
    giveBack: (at: Awaited<ReturnType<typeof setUp>>, edge: EdgeProcess) => Promise<void>,
  ) {
    await using at = await setUp({ config });
    const edge = at.start();
    await edge.logged("acknowledged", 1);
    await take(at);
    const before = (await readdir(join(at.site.spool, "closed"))).length + at.hub.videos.size;
    const unsafe = async () =>
      (await readdir(join(at.site.spool, "closed"))).length +
      (await readdir(join(at.site.spool, "archived"))).length;
    while ((await unsafe()) < 3) await Bun.sleep(50);
    await giveBack(at, edge);
    while ((await unsafe()) > 1) await Bun.sleep(50);
    expect(await edge.stop()).toBe(0);
    const paths = await expectAllWhole(at.site, at.hub);
    expect(paths.length).toBeGreaterThanOrEqual(before + 2);
    const files = await Promise.all(paths.map((path) => readArchiveFile(join(at.site.archive, path))));
    expect(new Set(files.map(({ identity }) => identity.runId)).size).toBe(1);
    expect(files.map(({ identity }) => identity.sequence)).toEqual(files.map((_, i) => i));
  }

  test.concurrent("the hub is away", () =>
    outage(
      {},
      async (at) => {
        at.hub.fault = () => new Response("<html>bad gateway", { status: 502 });
      },
      async (at) => {
        at.hub.fault = undefined;
      },
    ));

  test.concurrent("the archive is not mounted", () =>
    outage(
      {},
      (at) => rename(at.site.archive, `${at.site.archive}-away`),
      (at) => rename(`${at.site.archive}-away`, at.site.archive),
    ));

  test.concurrent("the upload worker hangs", () =>
    outage(
      // Long enough for three segments to wait before the worker is given up, also on a busy machine.
      { upload: { stall_seconds: 20 } },
      async (at) => {
        const workers = await workersOf(at);
        expect(workers.length).toBeGreaterThan(0);
        for (const pid of workers) process.kill(pid, "SIGSTOP");
      },
      async (_at, edge) => {
        await edge.logged("an upload worker that made no progress was given up");
      },
    ));
});

testIf(canMount, "mounting needs root", { concurrent: true })(
  "a full spool: recording goes on by itself once there is room",
  async () => {
    await using disk = await mountSmallDisk(400_000);
    await using at = await setUp({ config: { system: { spool_path: disk.path } } });
    const metadata = join(at.site.archive, "metadata");
    await rename(metadata, `${metadata}-away`);
    const edge = at.start();
    const client = new ControlClient(at.site.socket);
    const state = async () => (await client.status().catch(() => undefined))?.cameras[0]?.state;
    while ((await state()) !== "retrying") await Bun.sleep(100);
    const { waiting_segments } = (await client.status()).spool;
    await rename(`${metadata}-away`, metadata);
    await edge.logged("archived", waiting_segments + 2);
    // Leaving compressed mode starts the capture anew.
    while ((await state()) !== "recording") await Bun.sleep(100);
    expect(await edge.stop()).toBe(0);
    await expectAllWhole(at.site, at.hub);
    for (const left of ["recording", "closed", "archived", "quarantine"]) {
      expect(await readdir(join(disk.path, left))).toEqual([]);
    }
  },
  180_000,
);

async function workersOf(at: { site: EdgeSite }): Promise<number[]> {
  const all = await processesWith("archive-worker");
  const own = await processesWith(at.site.configPath);
  const parent = async (pid: number) =>
    Number((await Bun.file(`/proc/${pid}/stat`).text()).replace(/^.*\) /, "").split(" ")[1]);
  const found: number[] = [];
  for (const pid of all) if (own.includes(await parent(pid).catch(() => 0))) found.push(pid);
  return found;
}

test.concurrent("a log that nobody reads any more does not end the recording", async () => {
  await using at = await setUp();
  const entry = join(import.meta.dir, "../../src/edge/main.ts");
  const oneLineOnly = ["bash", "-c", 'exec "$@" 2> >(head -n 1 >/dev/null)', "bash"];
  const edge = at.start({ command: [...oneLineOnly, process.execPath, entry] });
  while (at.hub.videos.size < 3) await Bun.sleep(50);
  expect(await edge.stop()).toBe(0);
  await expectAllWhole(at.site, at.hub);
});
