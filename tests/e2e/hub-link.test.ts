import { expect, test } from "bun:test";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import { ControlClient } from "../../src/edge/control/control-client.ts";
import { EdgeProcess, makeEdgeSite } from "../support/edge-process.ts";
import { startHoleProxy } from "../support/hole-proxy.ts";
import { type HubProcess, startHubProcess } from "../support/hub-process.ts";
import { LiveClient } from "../support/live-client.ts";
import { temporaryFolder } from "../support/sample-recording.ts";
import { makeAccounts, password, userName } from "../support/test-hub.ts";

const camera = {
  id: "cam01",
  source: { type: "test", width: 320, height: 180, fps: 10, bitrate: 100_000, keyframe_seconds: 0.5 },
};

/** A real hub and a real edge, each a process of its own, with a proxy between them. */
async function setUp(config: Record<string, object> = {}, { pingSeconds = 15, bitrate = 100_000 } = {}) {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const data = join(folder.path, "data");
  const archive = join(folder.path, "videos");
  await mkdir(archive);
  const { nodeKey, clientKey } = await makeAccounts(data);
  const configPath = join(folder.path, "hub.json");
  await writeFile(configPath, JSON.stringify({ link_ping_seconds: pingSeconds, heartbeat_seconds: 60 }));
  const start = () => startHubProcess({ data, archive, config: configPath });

  let hub: HubProcess = await start();
  stack.defer(() => hub[Symbol.asyncDispose]());
  const proxy = stack.use(await startHoleProxy(Number(new URL(hub.url).port)));
  const site = await makeEdgeSite(folder.path, {
    hubUrl: `http://127.0.0.1:${proxy.port}`,
    apiKey: nodeKey,
    cameras: [{ ...camera, source: { ...camera.source, bitrate } }],
    config,
  });
  const edge = new EdgeProcess(site);
  stack.defer(async () => {
    edge.kill("SIGKILL");
    await edge.exited;
  });

  let cookie = "";
  const signIn = async () => {
    const response = await fetch(`${hub.url}/login`, {
      method: "POST",
      redirect: "manual",
      body: new URLSearchParams({ username: userName, password }),
    });
    cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  };
  await signIn();
  const resources = stack.move();
  return {
    edge,
    startEdge: () => {
      const another = new EdgeProcess(site);
      resources.defer(async () => {
        another.kill("SIGKILL");
        await another.exited;
      });
      return another;
    },
    site,
    proxy,
    client: new ControlClient(site.socket),
    hub: () => hub,
    /** As the administrator. */
    post: (path: string, body?: unknown) =>
      fetch(hub.url + path, {
        method: "POST",
        headers: { cookie, origin: hub.url, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    put: (path: string, body: unknown) =>
      fetch(hub.url + path, {
        method: "PUT",
        headers: { cookie, origin: hub.url, "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    watch: () => LiveClient.open(hub.url, "cam01", { authorization: `Bearer ${clientKey}` }),
    admin: (path: string) => fetch(hub.url + path, { headers: { cookie } }),
    get: (path: string) => fetch(hub.url + path, { headers: { authorization: `Bearer ${clientKey}` } }),
    async restartHub(signal: NodeJS.Signals) {
      hub.child.kill(signal);
      await hub.child.exited;
      hub = await start();
      proxy.target = Number(new URL(hub.url).port);
      await signIn();
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
const until = async <T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> => {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await Bun.sleep(50);
  }
};

test("pause and resume by the hub: the node does it, and the time is a gap with that cause", async () => {
  await using at = await setUp({ network: { heartbeat_seconds: 60 } });
  await at.edge.logged("linked to the hub");
  await at.edge.logged("acknowledged");
  expect((await at.post("/api/cameras/cam01/pause")).status).toBe(204);
  expect((await at.client.status()).cameras[0]).toMatchObject({ state: "paused" });
  const status = (await (await at.get("/api/nodes/node01/status")).json()) as Status;
  expect(status.cameras[0]).toMatchObject({ camera_id: "cam01", state: "paused" });
  expect(status.link).toMatchObject({ enabled: true, connected: true });
  // The node tells at once, not with its next heartbeat in a minute.
  await until(async () => {
    const { nodes } = (await (await at.get("/api/nodes/status")).json()) as { nodes: Status[] };
    return nodes[0]?.cameras[0]?.state === "paused" ? true : undefined;
  });
  const { nodes } = (await (await at.get("/api/nodes/status")).json()) as { nodes: Status[] };
  expect(nodes[0]?.link).toMatchObject({ enabled: true, connected: true, reason: null });
  expect((await at.post("/api/cameras/cam01/pause")).status).toBe(204);
  await Bun.sleep(500);
  expect((await at.post("/api/cameras/cam01/resume")).status).toBe(204);
  const gap = await until(async () => {
    const answer = await at.get("/api/gaps?camera_id=cam01");
    const { gaps } = (await answer.json()) as { gaps: { cause: string }[] };
    return gaps.find(({ cause }) => cause === "paused");
  });
  expect(gap).toBeDefined();
  const line = at
    .hub()
    .log()
    .split("\n")
    .find((each) => each.includes('"method":"pause"'));
  expect(JSON.parse(line ?? "{}").properties).toMatchObject({
    who: `person:${userName}`,
    node_id: "node01",
    camera_id: "cam01",
  });
}, 180_000);

test("snapshot, uploads, cancel, retry, archive check, config and settings by the hub", async () => {
  // An upload lasts some twenty seconds, so that it can be met.
  await using at = await setUp({ upload: { max_bytes_per_second: 10_000 } }, { bitrate: 1_000_000 });
  await at.edge.logged("linked to the hub");

  const picture = await until(async () => {
    const response = await at.get("/api/cameras/cam01/snapshot");
    return response.status === 200 ? response : undefined;
  });
  expect(picture.headers.get("content-type")).toBe("image/jpeg");
  expect(sizeOfJpeg(await picture.bytes())).toEqual({ width: 320, height: 180 });

  const uploads = async () => {
    const answer = (await (await at.get("/api/nodes/node01/uploads")).json()) as { uploads: Upload[] };
    return answer.uploads;
  };
  const running = await until(async () => (await uploads()).find(({ state }) => state === "uploading"));
  const path = `/api/nodes/node01/uploads/${running.video_id}`;
  expect((await at.post(`${path}/cancel`)).status).toBe(204);
  const held = await until(async () =>
    (await uploads()).find(({ video_id, state }) => video_id === running.video_id && state === "held_back"),
  );
  expect(held.last_error).toContain("cancelled");
  const config = JSON.parse(await readFile(at.site.configPath, "utf8"));
  delete config.upload.max_bytes_per_second;
  await writeFile(at.site.configPath, JSON.stringify(config));
  await at.client.reload();
  expect((await at.post(`${path}/retry`)).status).toBe(204);
  await until(async () =>
    (await uploads()).some(({ video_id }) => video_id === running.video_id) ? undefined : true,
  );

  expect(await (await at.post("/api/nodes/node01/archive-check")).json()).toMatchObject({ ok: true });
  expect((await at.post("/api/cameras/cam01/configure", { fps: 5 })).status).toBe(204);
  await until(async () => {
    const status = (await (await at.get("/api/nodes/node01/status")).json()) as Status;
    const fps = status.cameras[0]?.fps ?? 10;
    return fps > 4 && fps < 6 ? true : undefined;
  });
}, 180_000);

test("a camera is watched live: what comes plays, ten viewers cost one upload, and nobody none", async () => {
  await using at = await setUp();
  await at.edge.logged("linked to the hub");
  const first = await at.watch();
  await first.until(() => (first.parts.length >= 5 ? true : undefined), "fragments");
  const movie = Buffer.concat(first.parts);
  const probe = await runChild({
    argv: [
      "ffprobe",
      "-v",
      "error",
      "-count_frames",
      "-show_entries",
      "stream=width,nb_read_frames",
      "-of",
      "json",
      "-",
    ],
    stdin: movie,
    timeoutMs: 20_000,
  });
  const [stream] = JSON.parse(new TextDecoder().decode(probe.stdout)).streams;
  expect(stream.width).toBe(320);
  expect(Number(stream.nb_read_frames)).toBeGreaterThanOrEqual(4 * 5);
  expect(probe.stderrTail).toBe("");

  const others = await Promise.all(Array.from({ length: 9 }, () => at.watch()));
  for (const viewer of others)
    await viewer.until(() => (viewer.parts.length >= 2 ? true : undefined), "fragments");
  const received = () => first.parts.reduce((sum, part) => sum + part.length, 0);
  const [before, upBefore, beforeMs] = [received(), at.proxy.bytesUp, performance.now()];
  await first.until(() => (received() - before > 100_000 ? true : undefined), "a hundred kilobytes");
  // Beside it there are heartbeats, announces and pings.
  expect(at.proxy.bytesUp - upBefore).toBeLessThan(2 * (received() - before));
  const perSecond = ((received() - before) * 1000) / (performance.now() - beforeMs);

  for (const viewer of [first, ...others]) viewer.close();
  await at.edge.logged("nobody watches");
  // What was on its way comes through; then no second has as much in it as one of live pictures.
  await until(async () => {
    const before = at.proxy.bytesUp;
    await Bun.sleep(1000);
    return at.proxy.bytesUp - before < perSecond / 2 ? true : undefined;
  });
  expect((await at.client.status()).cameras[0]).toMatchObject({ state: "recording", restarts: 0 });
}, 180_000);

test("a config pushed by the hub is checked whole, put in force, and refused when it is stale", async () => {
  await using at = await setUp();
  await at.edge.logged("linked to the hub");
  const path = "/api/nodes/node01/config";
  const read = async () => (await (await at.admin(path)).json()) as { text: string; config_version: string };
  const put = async (config: unknown, expected_version: string) => {
    const response = await at.put(path, { text: JSON.stringify(config), expected_version });
    return { status: response.status, ...((await response.json()) as Answer) };
  };
  const before = await read();
  expect(before.text).toContain("node01");
  expect(before.text).not.toContain("lck_");
  expect((await at.get(path)).status).toBe(403);

  const config = JSON.parse(before.text);
  const next = { ...config, recording: { ...config.recording, segment_seconds: 5 } };
  const done = await put(next, before.config_version);
  expect(done).toMatchObject({
    status: 200,
    changes: [{ path: "recording.segment_seconds", effect: "next_segment" }],
  });
  expect(JSON.parse(await readFile(at.site.configPath, "utf8")).recording.segment_seconds).toBe(5);
  expect(await put(next, before.config_version)).toMatchObject({ status: 200, changes: [] });

  const other = { ...next, recording: { ...next.recording, segment_seconds: 10 } };
  expect(await put(other, before.config_version)).toMatchObject({ status: 409, code: "conflict" });
  const wrong = {
    ...next,
    recording: { segment_seconds: 7 },
    network: { ...config.network, hub_url: "http://evil" },
  };
  const refused = await put({ ...wrong, cameras: [] }, done.config_version ?? "");
  expect(refused.status).toBe(400);
  expect(refused.issues?.map((issue) => issue.path).sort()).toEqual(["cameras", "recording.segment_seconds"]);
  const foreign = await put({ ...wrong, recording: {} }, done.config_version ?? "");
  expect(foreign).toMatchObject({ status: 400, issues: [{ path: "network.hub_url" }] });
  expect((await at.put(path, { text: "", expected_version: "x" })).status).toBe(400);
  expect((await at.put(path, { text: 5 })).status).toBe(400);
  expect((await read()).config_version).toBe(done.config_version ?? "");

  // The node's own file, changed by hand.
  await writeFile(at.site.configPath, JSON.stringify(other));
  const reloaded = await at.post("/api/nodes/node01/reload");
  expect(reloaded.status).toBe(200);
  await writeFile(at.site.configPath, '{ "cameras": [');
  const broken = await at.post("/api/nodes/node01/reload");
  expect(broken.status).toBe(400);
}, 180_000);

interface Answer {
  code?: string;
  config_version?: string;
  issues?: { path: string }[];
}

test("a hub that is killed, or whose wire goes dead, is linked to again by itself", async () => {
  await using at = await setUp({}, { pingSeconds: 3 });
  await at.edge.logged("linked to the hub");
  await at.restartHub("SIGKILL");
  await at.edge.logged("linked to the hub", 2);
  expect((await at.post("/api/cameras/cam01/pause")).status).toBe(204);
  expect((await at.post("/api/cameras/cam01/resume")).status).toBe(204);

  at.proxy.isBlackHole = true;
  const [, lost] = await at.edge.logged("the link to the hub is lost", 2);
  expect(lost?.properties.error).toContain("nothing was heard");
  // One that was asked before the hub noticed is told that the link broke meanwhile.
  await until(async () => {
    const response = await at.post("/api/cameras/cam01/pause");
    const { detail = "" } = response.status === 503 ? ((await response.json()) as { detail: string }) : {};
    return detail.includes("not linked to this hub: not since") ? true : undefined;
  });
  at.proxy.isBlackHole = false;
  await at.edge.logged("linked to the hub", 3);
  await until(async () => ((await at.post("/api/cameras/cam01/resume")).status === 204 ? true : undefined));
  // Recording took no notice.
  expect((await at.client.status()).cameras[0]).toMatchObject({ state: "recording", restarts: 0 });
}, 180_000);

test("without a good key there is no link, and with `network.link: false` nobody tries", async () => {
  await using at = await setUp();
  await at.edge.logged("linked to the hub");
  await at.edge.stop();
  await writeFile(join(at.site.folder, "key"), "lck_aaaaaaaaaa_wrong", { mode: 0o600 });
  const stranger = at.startEdge();
  const [line] = await stranger.logged("there is no link to the hub");
  expect(line?.properties).toMatchObject({ code: "unauthorized" });
  expect((await at.client.status()).link).toMatchObject({ enabled: true, connected: false });
  expect(stranger.log.filter(({ message }) => message.includes("wrong"))).toEqual([]);
  await stranger.stop();

  const config = JSON.parse(await readFile(at.site.configPath, "utf8"));
  await writeFile(
    at.site.configPath,
    JSON.stringify({ ...config, network: { ...config.network, link: false } }),
  );
  const loner = at.startEdge();
  await loner.logged("recording");
  const status = await until(() => at.client.status().catch(() => undefined));
  expect(status.link).toMatchObject({ enabled: false, connected: false });
  expect(loner.log.some(({ logger }) => logger === "livecam.link")).toBe(false);
}, 180_000);

interface Upload {
  video_id: string;
  state: string;
  last_error: string | null;
}
interface Status {
  cameras: { camera_id: string; state: string; fps: number | null }[];
  link: unknown;
}

/** From the start-of-frame marker (ITU-T T.81, B.2.2). */
function sizeOfJpeg(bytes: Uint8Array): { width: number; height: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 9 < bytes.length; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    if (marker >= 0xffc0 && marker <= 0xffc2)
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
  }
  return undefined;
}
