import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { readdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { selfCommand } from "../../src/common/child-process.ts";
import { readArchiveFile } from "../../src/common/mp4/archive-file.ts";
import { verifyArchiveFile } from "../../src/common/mp4/verify-file.ts";
import { runCli } from "../../src/edge/cli.ts";
import { ControlClient } from "../../src/edge/control/control-client.ts";
import { makeArchive, testArchiveId } from "../contract/archive-destination.contract.ts";
import { EdgeProcess, type EdgeSite, makeEdgeSite, videosIn } from "../support/edge-process.ts";
import { fakeHubKey, startFakeHub } from "../support/fake-hub.ts";
import { freePort } from "../support/ports.ts";
import { temporaryFolder } from "../support/sample-recording.ts";

// biome-ignore lint/suspicious/noExplicitAny: a config file is edited as the JSON that it is
type Json = any;

const camera = (id: string) => ({
  id,
  source: { type: "test", width: 320, height: 180, fps: 10, bitrate: 100_000, keyframe_seconds: 0.5 },
});

const entryFile = join(import.meta.dir, "../../src/edge/main.ts");

interface SetUp {
  cameras?: string[];
  config?: Record<string, object>;
  apiKey?: string;
  bitrate?: number;
  command?: string[];
}

async function setUp(options: SetUp = {}) {
  const folder = await temporaryFolder();
  const hub = startFakeHub();
  hub.archiveId = testArchiveId;
  const cameras = (options.cameras ?? ["cam01", "cam02"]).map((id) => {
    const { source, ...of } = camera(id);
    return { ...of, source: { ...source, bitrate: options.bitrate ?? source.bitrate } };
  });
  // Reloads are asked for here, unless a test says otherwise.
  const system = { watch_config: false, ...options.config?.system };
  const site = await makeEdgeSite(folder.path, {
    ...{ hubUrl: hub.url, apiKey: options.apiKey ?? fakeHubKey, cameras },
    config: { ...options.config, system },
  });
  const edge = new EdgeProcess(site, options.command ? { command: options.command } : {});
  return {
    hub,
    site,
    edge,
    client: new ControlClient(site.socket),
    async [Symbol.asyncDispose]() {
      edge.kill("SIGKILL");
      await edge.exited;
      await hub[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function change(site: EdgeSite, edit: (config: Json) => void): Promise<void> {
  const config = JSON.parse(await readFile(site.configPath, "utf8"));
  edit(config);
  await writeFile(site.configPath, JSON.stringify(config));
}

async function reloadCommand(site: EdgeSite) {
  const out: string[] = [];
  const err: string[] = [];
  const exitCode = await runCli(["reload", "--socket", site.socket], {
    ...{ env: {}, entryFile: "unused" },
    out: { write: (text) => out.push(text) },
    err: { write: (text) => err.push(text) },
  });
  return { exitCode, out: out.join(""), err: err.join("") };
}

/** In order, each checked to be whole. */
async function archivedOf(site: EdgeSite, cameraId: string) {
  const own = (await videosIn(site.archive)).filter((path) => path.startsWith(`${cameraId}/`));
  return Promise.all(
    own.map(async (path) => {
      expect(await verifyArchiveFile(join(site.archive, path))).toMatchObject({ ok: true, problems: [] });
      return readArchiveFile(join(site.archive, path));
    }),
  );
}

/** One run without a hole: every segment begins, by clock and by decode time, where the one before ends. */
async function expectUninterrupted(site: EdgeSite, cameraId: string) {
  const files = await archivedOf(site, cameraId);
  expect(new Set(files.map(({ identity }) => identity.runId)).size).toBe(1);
  for (const [i, file] of files.entries()) {
    expect(file.identity.sequence).toBe(i);
    const before = files[i - 1];
    if (!before) continue;
    const last = before.fragments.at(-1);
    expect(file.identity.startTimeMs).toBe(before.identity.endTimeMs);
    expect(file.fragments[0]?.startTicks).toBe((last?.startTicks ?? 0) + (last?.durationTicks ?? 0));
  }
  return files;
}

test.concurrent("one camera changes, one goes, one comes: a third misses no frame", async () => {
  await using at = await setUp({ cameras: ["cam01", "cam02", "cam03"] });
  await at.edge.logged("acknowledged", 3);
  const versionBefore = at.hub.heartbeats.at(-1)?.config_version;
  await change(at.site, (config) => {
    config.cameras = [config.cameras[0], { ...camera("cam02"), name: "Yard" }, camera("cam04")];
    config.cameras[1].source.width = 640;
  });
  at.edge.kill("SIGHUP");
  await at.edge.logged("the changed config is put in force");
  const has = (id: string, count: number) =>
    [...at.hub.videos.values()].filter((video) => video.camera_id === id).length >= count;
  while (!has("cam04", 2) || !has("cam01", 4)) await Bun.sleep(50);
  const status = await at.client.status();
  expect(status.cameras.map(({ camera_id }) => camera_id)).toEqual(["cam01", "cam02", "cam04"]);
  expect(await at.edge.stop()).toBe(0);

  expect((await expectUninterrupted(at.site, "cam01")).length).toBeGreaterThanOrEqual(4);
  const cam02 = await archivedOf(at.site, "cam02");
  expect([...new Set(cam02.map(({ identity }) => identity.width))]).toEqual([320, 640]);
  expect(new Set(cam02.map(({ identity }) => identity.runId)).size).toBe(2);
  expect((await archivedOf(at.site, "cam03")).length).toBeGreaterThan(0);
  for (const state of ["recording", "closed", "archived"]) {
    expect(await readdir(join(at.site.spool, state))).toEqual([]);
  }
  // Only of the one that changed is a moment missing.
  const gaps = [...at.hub.gaps.values()].map(({ camera_id, cause }) => `${camera_id} ${cause}`);
  expect(gaps.filter((gap) => gap !== "cam02 reconfigured")).toEqual([]);
  const accounted = await readFile(join(at.site.spool, "recorded.json"), "utf8");
  expect(accounted).toContain("cam04");
  expect(accounted).not.toContain("cam03");
  // The hub was told which cameras there are, and which config is in force.
  expect(at.hub.registrations.at(-1)?.cameras).toMatchObject([
    { camera_id: "cam01" },
    { camera_id: "cam02", name: "Yard" },
    { camera_id: "cam04" },
  ]);
  expect(at.hub.heartbeats.at(-1)?.config_version).not.toBe(versionBefore);
  expect(at.edge.log.filter(({ level }) => level === "ERROR")).toEqual([]);
}, 180_000);

test.concurrent("shorter segments and other settings need no new run; the command says what was done", async () => {
  await using at = await setUp({ cameras: ["cam01"], config: { recording: { segment_seconds: 4 } } });
  await at.edge.logged("acknowledged", 1);
  await change(at.site, (config) => {
    Object.assign(config.recording, { segment_seconds: 2, fsync_interval_ms: 0, stall_seconds: 7 });
    config.system.spool_path = join(at.site.folder, "other");
    config.system.log_level = "info";
  });
  const { exitCode, out } = await reloadCommand(at.site);
  expect(exitCode).toBe(0);
  expect(out).toMatch(/^recording\.segment_seconds +from the next segment on$/m);
  expect(out).toMatch(/^recording\.stall_seconds +in force$/m);
  expect(out).toMatch(/^system\.spool_path +NEEDS A RESTART/m);
  const reloadedMs = Date.now();
  const since = () => [...at.hub.videos.values()].filter(({ start_time }) => start_time > reloadedMs).length;
  while (since() < 3) await Bun.sleep(50);
  const { config } = await at.client.status();
  expect(config).toMatchObject({ needs_restart: ["system.spool_path"], refusal: null });
  expect(config?.wanted_version).not.toBe(config?.version);
  while (at.hub.heartbeats.at(-1)?.config?.wanted_version !== config?.wanted_version) await Bun.sleep(50);
  expect(at.hub.heartbeats.at(-1)?.config).toEqual(config);
  expect(at.hub.registrations.at(-1)?.segment_seconds).toBe(2);
  await at.edge.stop();
  const files = await expectUninterrupted(at.site, "cam01");
  const later = files.filter(({ identity }) => identity.startTimeMs > reloadedMs);
  const lengths = later.map(({ identity }) => identity.endTimeMs - identity.startTimeMs);
  expect(lengths.length).toBeGreaterThanOrEqual(3);
  expect(lengths.every((ms) => ms < 3000)).toBe(true);
  expect(await readdir(at.site.folder)).not.toContain("other");
  const reloadedAt = at.edge.log.findIndex(({ message }) => message === "the changed config is put in force");
  expect(at.edge.log.slice(0, reloadedAt).some(({ level }) => level === "DEBUG")).toBe(true);
  expect(at.edge.log.slice(reloadedAt).some(({ level }) => level === "DEBUG")).toBe(false);
}, 180_000);

test.concurrent("a new destination gets the backlog of the old one, each segment once", async () => {
  await using at = await setUp({ cameras: ["cam01"] });
  await at.edge.logged("acknowledged", 1);
  await rename(at.site.archive, `${at.site.archive}-away`);
  await at.edge.logged("an upload failed");
  while ((await readdir(join(at.site.spool, "closed"))).length < 3) await Bun.sleep(50);
  await makeArchive(join(at.site.folder, "new"));
  await change(at.site, (config) => {
    config.upload.destination.path = join(at.site.folder, "new");
  });
  at.edge.kill("SIGHUP");
  const before = at.hub.videos.size;
  while (at.hub.videos.size < before + 5) await Bun.sleep(50);
  expect(await at.edge.stop()).toBe(0);
  await rename(`${at.site.archive}-away`, at.site.archive);
  const first = await videosIn(at.site.archive);
  const second = await videosIn(join(at.site.folder, "new"));
  expect(first.filter((path) => second.includes(path))).toEqual([]);
  expect([...first, ...second].sort()).toEqual(
    [...at.hub.videos.values()].map((video) => video.file_path).sort(),
  );
  expect(at.hub.gaps.size).toBe(0);
}, 180_000);

test.concurrent("a destination that hangs in the middle of an upload is left for a new one", async () => {
  await using at = await setUp({
    cameras: ["cam01"],
    // Slow enough to be met in the middle of an upload, which takes some twenty seconds.
    bitrate: 1_000_000,
    config: { upload: { max_bytes_per_second: 10_000, stall_seconds: 3600 } },
  });
  const progress = async () => (await at.client.uploads().catch(() => undefined))?.uploads[0]?.progress ?? 0;
  while ((await progress()) === 0) await Bun.sleep(20);
  const [worker] = await workersOf(at.edge.pid);
  expect(worker).toBeDefined();
  process.kill(worker as number, "SIGSTOP");
  await makeArchive(join(at.site.folder, "new"));
  await change(at.site, (config) => {
    config.upload = { destination: { type: "path", path: join(at.site.folder, "new") } };
  });
  await at.client.reload();
  const waiting = (await readdir(join(at.site.spool, "closed"))).length;
  await at.edge.logged("acknowledged", waiting);
  // What hung is gone, and nothing of it is in the archive under a name.
  while ((await workersOf(at.edge.pid)).includes(worker as number)) await Bun.sleep(20);
  expect(await at.edge.stop()).toBe(0);
  expect(await videosIn(at.site.archive)).toEqual([]);
  expect((await videosIn(join(at.site.folder, "new"))).length).toBe(at.hub.videos.size);
  expect(at.hub.gaps.size).toBe(0);
}, 180_000);

test.concurrent("windows, order and limit of uploads hold at once, for what waits already", async () => {
  const hourInSeoul = (new Date().getUTCHours() + 9) % 24;
  const pad = (hour: number) => String(hour % 24).padStart(2, "0");
  const later = `${pad(hourInSeoul + 3)}:00-${pad(hourInSeoul + 4)}:00`;
  await using at = await setUp({ cameras: ["cam01"], config: { upload: { windows: [later] } } });
  const closed = join(at.site.spool, "closed");
  while ((await readdir(closed).catch(() => [])).length < 4) await Bun.sleep(50);
  expect((await at.client.status()).uploads.state).toBe("outside_window");
  await change(at.site, (config) => {
    config.upload = {
      ...config.upload,
      windows: undefined,
      order: "newest_first",
      max_bytes_per_second: 10_000,
    };
    config.recording.segment_seconds = 10;
  });
  await at.client.reload();
  // The four that wait take a minute at this rate.
  const starts = (await at.client.uploads()).uploads.map(({ start_time }) => start_time);
  expect(starts.length).toBeGreaterThanOrEqual(2);
  expect(starts).toEqual(starts.toSorted().reverse());
  await change(at.site, (config) => {
    delete config.upload.max_bytes_per_second;
  });
  await at.client.reload();
  await at.edge.logged("archived", 4);
}, 180_000);

test.concurrent("a camera whose capture hangs, or whose address nobody answers at, holds up nothing else", async () => {
  await using at = await setUp({ cameras: ["cam01", "cam02", "cam03"] });
  const hasAll = () => new Set([...at.hub.videos.values()].map(({ camera_id }) => camera_id)).size === 3;
  while (!hasAll()) await Bun.sleep(50);
  const captures = (await childrenOf(at.edge.pid)).filter(({ args }) => args.includes("ffmpeg"));
  const [hung] = captures.filter(({ args }) => args.includes("cam03"));
  expect(captures).toHaveLength(3);
  process.kill(hung?.pid as number, "SIGSTOP");
  await change(at.site, (config) => {
    const address = { type: "rtsp", url: "rtsp://127.0.0.1:9/nothing" };
    config.cameras = [config.cameras[0], { id: "cam02", source: address }, camera("cam04")];
  });
  const { cameras } = await at.client.reload();
  expect(cameras).toEqual({ added: ["cam04"], removed: ["cam03"], restarted: ["cam02"] });
  const status = async () => (await at.client.status()).cameras;
  let now = await status();
  for (; now[1]?.state !== "retrying"; now = await status()) await Bun.sleep(50);
  expect(now[0]?.state).toBe("recording");
  expect(now[1]?.message).toMatch(/refused|127\.0\.0\.1/);
  for (; now[2]?.state !== "recording"; now = await status()) await Bun.sleep(50);
  expect(now[2]?.camera_id).toBe("cam04");
  expect((await childrenOf(at.edge.pid)).map(({ pid }) => pid)).not.toContain(hung?.pid);
  await at.edge.stop();
  await expectUninterrupted(at.site, "cam01");
  expect((await archivedOf(at.site, "cam03")).length).toBeGreaterThan(0);
}, 180_000);

test.concurrent("a destination that is another archive gets nothing", async () => {
  await using at = await setUp({ cameras: ["cam01"] });
  await at.edge.logged("acknowledged", 1);
  const foreign = join(at.site.folder, "foreign");
  await makeArchive(foreign, "01890000-0000-7000-8000-00000000beef");
  await change(at.site, (config) => {
    config.upload.destination.path = foreign;
  });
  await at.client.reload();
  const [{ properties }] = (await at.edge.logged("an upload failed")) as [Json];
  expect(properties.error).toContain("another archive");
  expect(await videosIn(foreign)).toEqual([]);
}, 180_000);

describe("a config with anything wrong in it is refused whole", () => {
  test.concurrent("every error is said, the old one stays, and a later one is taken", async () => {
    await using at = await setUp();
    await at.edge.logged("acknowledged", 2);
    const { config_version } = await at.client.status();
    await change(at.site, (config) => {
      config.cameras.pop();
      config.recording.segment_seconds = 7;
      config.network.api_key = { file: "/nonexistent/key" };
    });
    const { exitCode, err } = await reloadCommand(at.site);
    expect(exitCode).toBe(2);
    expect(err).toContain("recording.segment_seconds: ");
    expect(err).toContain("network.api_key: cannot read the secret file /nonexistent/key");
    const status = await at.client.status();
    expect(status.config_version).toBe(config_version);
    expect(status.config?.refusal).toContain("recording.segment_seconds");
    expect(status.cameras).toHaveLength(2);

    // Nothing at all, and half of it.
    const text = await readFile(at.site.configPath, "utf8");
    for (const part of ["", text.slice(0, text.length / 2)]) {
      await writeFile(at.site.configPath, part);
      expect((await reloadCommand(at.site)).exitCode).toBe(2);
    }
    await writeFile(at.site.configPath, text);
    await change(at.site, (config) => {
      config.recording.segment_seconds = 3;
      config.network.api_key = { file: join(at.site.folder, "key") };
    });
    expect((await reloadCommand(at.site)).exitCode).toBe(0);
    expect(await at.client.status()).toMatchObject({
      cameras: [{ camera_id: "cam01" }],
      config: { refusal: null },
    });
    await at.edge.stop();
    await expectUninterrupted(at.site, "cam01");
  }, 180_000);
});

test.concurrent("a secret that was replaced in its file is taken by a reload", async () => {
  await using at = await setUp({ cameras: ["cam01"], apiKey: "lck_old_revoked" });
  await at.edge.logged("announcing failed");
  expect(at.hub.registrations).toEqual([]);
  await writeFile(join(at.site.folder, "key"), fakeHubKey);
  const report = await at.client.reload();
  expect(report.changes).toEqual([{ path: "network.api_key", effect: "hub" }]);
  await at.edge.logged("registered at the hub");
  await at.edge.logged("acknowledged", 1);
  const said = at.edge.log.map((line) => JSON.stringify(line)).join("\n");
  expect(said).not.toContain(fakeHubKey);
  expect(said).not.toContain("lck_old_revoked");
}, 180_000);

test.concurrent("metrics are served, with another token, and not any more, as the config says", async () => {
  await using at = await setUp({ cameras: ["cam01"] });
  await at.edge.logged("registered at the hub");
  const url = `http://127.0.0.1:${await freePort()}/metrics`;
  const token = join(at.site.folder, "token");
  const ask = async (bearer: string) =>
    (await fetch(url, { headers: { authorization: `Bearer ${bearer}` } })).status;
  await writeFile(token, "first-token-of-metrics");
  await change(at.site, (config) => {
    config.health = { metrics_listen: new URL(url).host, metrics_token: { file: token } };
  });
  await at.client.reload();
  expect(await ask("first-token-of-metrics")).toBe(200);
  await writeFile(token, "second-token-of-metrics");
  expect((await at.client.reload()).changes).toEqual([{ path: "health.metrics_token", effect: "metrics" }]);
  expect(await ask("first-token-of-metrics")).toBe(401);
  expect(await ask("second-token-of-metrics")).toBe(200);
  await change(at.site, (config) => {
    delete config.health;
  });
  await at.client.reload();
  await expect(ask("second-token-of-metrics")).rejects.toThrow();
}, 180_000);

describe("by itself, when the file changes", () => {
  const watching = { system: { watch_config: true } };
  const inForce = async (at: Awaited<ReturnType<typeof setUp>>, seconds: number) => {
    while (at.hub.registrations.at(-1)?.segment_seconds !== seconds) await Bun.sleep(50);
  };

  test.concurrent("renamed over, behind a link, and in two writes of which the first would lose a camera", async () => {
    await using at = await setUp({ config: watching });
    await at.edge.logged("acknowledged", 2);
    const { configPath } = at.site;

    await rename(configPath, `${configPath}.old`);
    const text = (await readFile(`${configPath}.old`, "utf8")).replace(
      /"segment_seconds":2/,
      '"segment_seconds":3',
    );
    await writeFile(`${configPath}.new`, text);
    await rename(`${configPath}.new`, configPath);
    await inForce(at, 3);

    await writeFile(
      join(at.site.folder, "other"),
      text.replace(/"segment_seconds":3/, '"segment_seconds":4'),
    );
    await symlink("other", `${configPath}.link`);
    await rename(`${configPath}.link`, configPath);
    await inForce(at, 4);

    const config = JSON.parse(text);
    config.recording.segment_seconds = 2;
    const [first] = config.cameras;
    const fewer = JSON.stringify({ ...config, cameras: [first] });
    // At one go: what stays so for a second is a change of its own.
    for (const part of [fewer, "", JSON.stringify(config)]) writeFileSync(configPath, part);
    await inForce(at, 2);
    const { cameras, config: state } = await at.client.status();
    expect(cameras).toHaveLength(2);
    expect(state?.refusal).toBeNull();
    expect(await at.edge.stop()).toBe(0);
    expect(at.edge.log.filter(({ level }) => level === "ERROR")).toEqual([]);
    for (const id of ["cam01", "cam02"]) await expectUninterrupted(at.site, id);
  }, 180_000);

  test.concurrent("a secret that was replaced, too", async () => {
    await using at = await setUp({ cameras: ["cam01"], config: watching, apiKey: "lck_old_revoked" });
    await at.edge.logged("announcing failed");
    await writeFile(join(at.site.folder, "key.new"), fakeHubKey);
    await rename(join(at.site.folder, "key.new"), join(at.site.folder, "key"));
    await at.edge.logged("registered at the hub");
  }, 180_000);
});

describe("SIGHUP at the worst moment", () => {
  test.concurrent("a hundred at once are a few reloads", async () => {
    await using at = await setUp({ cameras: ["cam01"] });
    await at.edge.logged("acknowledged", 1);
    await change(at.site, (config) => {
      config.recording.segment_seconds = 3;
    });
    for (let i = 0; i < 100; i++) at.edge.kill("SIGHUP");
    await at.edge.logged("the changed config is put in force");
    const registrations = at.hub.registrations.length;
    await at.client.reload();
    const reloads = at.edge.log.filter(({ logger }) => logger === "livecam.config").length;
    expect(reloads).toBeLessThan(10);
    expect(at.hub.registrations.length - registrations).toBeLessThan(2);
    await at.edge.stop();
    await expectUninterrupted(at.site, "cam01");
  }, 180_000);

  test.concurrent("while it starts and while it stops it ends nothing", async () => {
    // Before any line of the program runs, the signal is the system's: so the systemd unit has it ignored until then.
    const unit = await readFile(join(import.meta.dir, "../../deploy/livecam-edge.service"), "utf8");
    const [, before = ""] = /^ExecStart=(.*) \/usr\/local\/bin\/livecam-edge run /m.exec(unit) ?? [];
    expect(before).toContain("--ignore-signal=HUP");
    await using at = await setUp({
      cameras: ["cam01"],
      command: [...before.split(" "), ...selfCommand(entryFile)],
    });
    const survives = async () =>
      /^Sig(Ign|Cgt):\s*\w*[13579bdf]$/m.test(await readFile(`/proc/${at.edge.pid}/status`, "utf8"));
    while (!(await survives())) await Bun.sleep(1);
    const signals = setInterval(() => at.edge.kill("SIGHUP"), 5);
    try {
      await at.edge.logged("acknowledged", 1);
      expect(await at.edge.stop()).toBe(0);
    } finally {
      clearInterval(signals);
    }
    await expectUninterrupted(at.site, "cam01");
  }, 180_000);

  test.concurrent("killed in the middle of one, the next start has all of the new config", async () => {
    await using at = await setUp({ cameras: ["cam01", "cam02"] });
    await at.edge.logged("acknowledged", 1);
    await change(at.site, (config) => {
      config.cameras = [camera("cam03"), camera("cam04")];
    });
    at.edge.kill("SIGHUP");
    await at.edge.logged("the changed config is put in force");
    at.edge.kill("SIGKILL");
    await at.edge.exited;
    const again = new EdgeProcess(at.site);
    try {
      await again.logged("recording");
      const known = new Set(at.hub.videos.keys());
      while (
        new Set([...at.hub.videos].filter(([id]) => !known.has(id)).map(([, video]) => video.camera_id))
          .size < 2
      )
        await Bun.sleep(50);
      const { cameras } = await at.client.status();
      expect(cameras.map(({ camera_id }) => camera_id)).toEqual(["cam03", "cam04"]);
      expect(await again.stop()).toBe(0);
    } finally {
      again.kill("SIGKILL");
      await again.exited;
    }
  }, 180_000);
});

/** Programs that the edge runs, with their arguments. */
async function childrenOf(parent: number): Promise<{ pid: number; args: string }[]> {
  const found: { pid: number; args: string }[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    if (Number(stat.replace(/^.*\) /, "").split(" ")[1]) !== parent) continue;
    const args = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    found.push({ pid: Number(name), args: args.replaceAll("\0", " ") });
  }
  return found;
}

async function workersOf(parent: number): Promise<number[]> {
  return (await childrenOf(parent))
    .filter(({ args }) => args.includes("archive-worker"))
    .map(({ pid }) => pid);
}
