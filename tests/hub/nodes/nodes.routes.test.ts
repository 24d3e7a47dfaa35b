import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type * as v from "valibot";
import type { HeartbeatRequest, RegisterRequest } from "../../../src/common/protocol/node.ts";
import { nodeStateOf } from "../../../src/hub/nodes/catalog-node-service.ts";
import { formatHeartbeat, parseHeartbeat } from "../../../src/hub/nodes/heartbeat-record.ts";
import { sampleRun } from "../../support/sample-videos.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";

let hub: TestHub;
let nowMs = Date.parse("2025-09-23T06:00:00Z");
const clock = { wallMs: () => nowMs, monotonicMs: () => performance.now() };
beforeAll(async () => {
  hub = await openTestHub({ clock });
});
afterAll(() => hub[Symbol.asyncDispose]());

type Register = v.InferInput<typeof RegisterRequest>;
type Heartbeat = v.InferInput<typeof HeartbeatRequest>;

const registration = (nodeId: string, ...cameraIds: string[]): Register => ({
  protocol_version: 1,
  node_id: nodeId,
  software_version: "0.1.0",
  time_zone: "Asia/Seoul",
  config_version: "c1",
  segment_seconds: 600,
  cameras: cameraIds.map((id) => ({ camera_id: id, name: `Camera ${id}`, source: "rtsp" })),
});

const heartbeat = (...cameraIds: string[]): Heartbeat => ({
  protocol_version: 1,
  sent_at: "2025-09-23T06:00:00.000Z",
  software_version: "0.1.1",
  config_version: "c2",
  config: { version: "c2", wanted_version: "c3", needs_restart: ["node_id"], refusal: "no" },
  system: {
    hostname: "pi",
    model: "Raspberry Pi 5",
    os: "Debian 12",
    cpu_count: 4,
    cpu_usage: 0.25,
    load_1m: 1,
    memory_total_bytes: 8e9,
    memory_available_bytes: 4e9,
    process_rss_bytes: 6e7,
    spool_total_bytes: 1e11,
    spool_free_bytes: 5e10,
    temperature_celsius: 51.5,
    network_received_bytes: null,
    network_sent_bytes: 7,
    uptime_seconds: 100,
  },
  cameras: cameraIds.map((id) => ({
    camera_id: id,
    state: "recording" as const,
    message: null,
    width: 1280,
    height: 720,
    codec: "avc1.64001f",
    fps: 29.97,
    bitrate_bps: 4_000_000,
    last_fragment_at: "2025-09-23T05:59:59.500Z",
    run_started_at: null,
    restarts: 1,
  })),
  spool: {
    waiting_segments: 2,
    waiting_bytes: 600,
    unacknowledged_segments: 1,
    oldest_waiting_at: "2025-09-23T05:00:00.000Z",
    lost_segments: 0,
  },
  error_counts: { uploader: 3 },
});

const register = (body: unknown, key = hub.nodeKey) => hub.post("/api/nodes/register", body, key);
const beat = (nodeId: string, body: unknown, key = hub.nodeKey) =>
  hub.post(`/api/nodes/${nodeId}/heartbeat`, body, key);
const nodes = async () =>
  ((await (await hub.get("/api/nodes/status")).json()) as { nodes: Record<string, unknown>[] }).nodes;
const node = async (id: string) => (await nodes()).find(({ node_id }) => node_id === id);
const cameras = async () =>
  ((await (await hub.get("/api/cameras")).json()) as { cameras: Record<string, unknown>[] }).cameras;
const camera = async (id: string) => (await cameras()).find(({ camera_id }) => camera_id === id);

describe("a node", () => {
  test("registers, again and again, and is known", async () => {
    for (let i = 0; i < 3; i++) {
      const response = await register(registration("pi1", "cam02", "cam01"));
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ node_id: "pi1", heartbeat_interval_seconds: 10 });
    }
    expect(await nodes()).toHaveLength(1);
    expect(await node("pi1")).toEqual({
      node_id: "pi1",
      camera_id: "cam01",
      camera_ids: ["cam01", "cam02"],
      ip_address: "127.0.0.1",
      last_heartbeat: null,
      status: "never_seen",
      system_info: null,
      config_version: "c1",
      software_version: "0.1.0",
      time_zone: "Asia/Seoul",
      segment_seconds: 600,
      registered_at: "2025-09-23T06:00:00.000Z",
      cameras: [],
      spool: null,
      uploads: null,
      active_alerts: { critical: 0, warning: 0 },
      config: null,
      error_counts: {},
      link: { enabled: null, connected: false, since: null, reason: null },
    });
  });

  test("beats, and all it said is there, as it was said", async () => {
    await register(registration("pi1", "cam02", "cam01"));
    const body = heartbeat("cam01", "cam02");
    nowMs += 1_000;
    const response = await beat("pi1", body);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      registered: true,
      server_time: "2025-09-23T06:00:01.000Z",
    });
    expect(await node("pi1")).toMatchObject({
      last_heartbeat: "2025-09-23T06:00:01.000Z",
      status: "online",
      system_info: body.system,
      software_version: "0.1.1",
      config_version: "c2",
      cameras: body.cameras,
      spool: body.spool,
      error_counts: { uploader: 3 },
      config: body.config,
    });
  });

  test("that beats without being known is told so", async () => {
    const response = await beat("pi9", heartbeat("cam01"));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ registered: false });
    expect(await node("pi9")).toBeUndefined();
  });

  test("is online, late, offline by the age of its heartbeat", async () => {
    await register(registration("pi2", "cam03"));
    await beat("pi2", heartbeat("cam03"));
    const status = async (afterMs: number) => {
      nowMs += afterMs;
      return (await node("pi2"))?.status;
    };
    expect(await status(30_000)).toBe("online");
    expect(await status(1)).toBe("late");
    expect(await status(89_999)).toBe("late");
    expect(await status(1)).toBe("offline");
    await beat("pi2", heartbeat("cam03"));
    expect(await status(-3_600_000)).toBe("online");
    nowMs += 3_600_000;
  });

  test("may only speak for itself with a key of its own", async () => {
    const key = await hub.makeKey("node", "pi3");
    expect((await register(registration("pi3", "cam04"), key)).status).toBe(200);
    expect((await register(registration("pi1", "cam01"), key)).status).toBe(403);
    expect((await beat("pi3", heartbeat("cam04"), key)).status).toBe(200);
    expect((await beat("pi1", heartbeat("cam01"), key)).status).toBe(403);
  });
});

describe("a camera", () => {
  test("has its name, its state and its newest video", async () => {
    await register(registration("pi4", "gate"));
    const videos = sampleRun(3, { cameraId: "gate", nodeId: "pi4" });
    await hub.announce(videos);
    expect(await camera("gate")).toMatchObject({
      state: "unknown",
      node_status: "never_seen",
      message: null,
    });
    await beat("pi4", heartbeat("gate"));
    expect(await camera("gate")).toEqual({
      camera_id: "gate",
      name: "Camera gate",
      node_id: "pi4",
      source: "rtsp",
      node_status: "online",
      state: "recording",
      message: null,
      time_zone: "Asia/Seoul",
      newest_video: {
        video_id: videos[2]?.videoId,
        start_time: "2025-09-23T06:50:00.000Z",
        end_time: "2025-09-23T07:00:00.000Z",
      },
    });
    nowMs += 3_600_000;
    expect(await camera("gate")).toMatchObject({ state: "unknown", node_status: "offline" });
  });

  test("that was announced and never registered is there too", async () => {
    await hub.announce(sampleRun(1, { cameraId: "loner", nodeId: "gone", timeZone: "Europe/Berlin" }));
    expect(await camera("loner")).toMatchObject({
      name: "loner",
      node_id: "gone",
      node_status: "never_seen",
      state: "unknown",
      time_zone: "Europe/Berlin",
    });
  });

  test("moves to the node that registered it last", async () => {
    await register(registration("old", "mover"));
    await register(registration("new", "mover"));
    expect(await camera("mover")).toMatchObject({ node_id: "new" });
    expect((await node("old"))?.camera_id).toBeNull();
  });

  test("does not move from a node that is online and has it: the other is refused, by the camera's name", async () => {
    await register(registration("owner", "mine"));
    await beat("owner", heartbeat("mine"));
    const claim = () => register(registration("thief", "own", "mine"));
    const refused = await claim();
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({
      code: "conflict",
      issues: [{ path: "cameras.1.camera_id", message: expect.stringContaining("mine is of owner") }],
    });
    expect(await camera("mine")).toMatchObject({ node_id: "owner" });
    expect(await node("thief")).toBeUndefined();
    // The same node again, after a restart.
    expect((await register(registration("owner", "mine"))).status).toBe(200);

    // It was taken out of the owner's config.
    await beat("owner", heartbeat("another"));
    expect((await claim()).status).toBe(200);
    expect(await camera("mine")).toMatchObject({ node_id: "thief" });

    // Its new node is switched off, and the camera moves back.
    await beat("thief", heartbeat("own", "mine"));
    nowMs += 31_000;
    expect((await register(registration("owner", "mine"))).status).toBe(200);
    expect(await camera("mine")).toMatchObject({ node_id: "owner" });
  });
});

describe("refused", () => {
  const bad: [string, () => Promise<Response>, string][] = [
    [
      "another protocol",
      () => register({ ...registration("pi1", "c"), protocol_version: 2 }),
      "protocol_version",
    ],
    ["a bad node id", () => register(registration("../pi", "c")), "node_id"],
    ["no cameras", () => register(registration("pi1")), "cameras"],
    [
      "65 cameras",
      () => register(registration("pi1", ...Array.from({ length: 65 }, (_, i) => `c${i}`))),
      "cameras",
    ],
    ["a bad camera id", () => register(registration("pi1", "a/b")), "cameras.0.camera_id"],
    ["a bad zone", () => register({ ...registration("pi1", "c"), time_zone: "Nowhere" }), "time_zone"],
    [
      "a name with a line break",
      () =>
        register({ ...registration("pi1", "c"), cameras: [{ camera_id: "c", name: "a\nb", source: "x" }] }),
      "cameras.0.name",
    ],
    ["a bad id in the path", () => beat("a%2fb", heartbeat()), "id"],
    ["no system", () => beat("pi1", { ...heartbeat(), system: undefined }), "system"],
    [
      "a state that is none",
      () => beat("pi1", { ...heartbeat(), cameras: [{ ...heartbeat("c").cameras[0], state: "__proto__" }] }),
      "cameras.0.state",
    ],
    [
      "negative counts",
      () => beat("pi1", { ...heartbeat(), spool: { ...heartbeat().spool, waiting_bytes: -1 } }),
      "spool.waiting_bytes",
    ],
  ];
  test.each(bad)("%s", async (_, send, path) => {
    const response = await send();
    expect(response.status).toBe(400);
    const { issues } = (await response.json()) as { issues: { path: string }[] };
    expect(issues.map((issue) => issue.path)).toContain(path);
  });

  test("queries that do not belong there", async () => {
    expect((await hub.get("/api/nodes/status?x=1")).status).toBe(400);
    expect((await hub.get("/api/cameras?limit=1")).status).toBe(400);
  });
});

test("a heartbeat is kept so that it can be read back", () => {
  const parsed = parseHeartbeat(JSON.stringify(heartbeat("cam01")));
  if (!parsed) throw new Error("not parsed");
  expect(parseHeartbeat(formatHeartbeat(parsed))).toEqual(parsed);
  expect(JSON.parse(formatHeartbeat(parsed))).toEqual(heartbeat("cam01"));
  const [camera] = parsed.cameras;
  if (!camera) throw new Error("no camera");
  const away = { ...parsed, cameras: [{ ...camera, fallback_since: 1_758_609_000_000 }] };
  expect(parseHeartbeat(formatHeartbeat(away))).toEqual(away);
  expect(parseHeartbeat('{"protocol_version":7}')).toBeUndefined();
});

test("the state of a node that never spoke", () => {
  expect(nodeStateOf(null, 0, 10)).toBe("never_seen");
});
