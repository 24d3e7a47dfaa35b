import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { EdgeConfig } from "../../../src/edge/config.ts";
import { planReload } from "../../../src/edge/reload/plan-reload.ts";

type Parts = { [section: string]: unknown };

const camera = (id: string, source: Parts = {}, rest: Parts = {}) => ({
  id,
  source: { type: "test", ...source },
  ...rest,
});

function config({ cameras, upload, recording, network, health, system, node_id }: Parts = {}): EdgeConfig {
  return v.parse(EdgeConfig, {
    node_id: node_id ?? "node01",
    cameras: cameras ?? [camera("cam01"), camera("cam02")],
    recording: { ...(recording as Parts) },
    upload: { destination: { type: "path", path: "/mnt/nas" }, ...(upload as Parts) },
    network: { hub_url: "http://hub:8080", api_key: { file: "/etc/hub.key" }, ...(network as Parts) },
    health: { ...(health as Parts) },
    system: { ...(system as Parts) },
  });
}

const plan = (before: Parts, next: Parts, changedSecrets: string[] = []) =>
  planReload({ before: config(before), next: config(next), changedSecrets });

/** What the plan interrupts. */
function touched({ cameras, replacesDestination, reconnectsHub, reopensMetrics }: ReturnType<typeof plan>) {
  return {
    ...(cameras.added.length > 0 && { added: cameras.added.map(({ id }) => id) }),
    ...(cameras.removed.length > 0 && { removed: cameras.removed }),
    ...(cameras.restarted.length > 0 && { restarted: cameras.restarted.map(({ id }) => id) }),
    ...(replacesDestination && { destination: true }),
    ...(reconnectsHub && { hub: true }),
    ...(reopensMetrics && { metrics: true }),
  };
}

const rtsp = (rest: Parts = {}) => ({ type: "rtsp", url: "rtsp://cam/1", ...rest });

describe("a change touches only what it has to", () => {
  test.each<[string, Parts, Parts, Parts, string[]]>([
    ["nothing", {}, {}, {}, []],
    [
      "defaults written out",
      {},
      { recording: { segment_seconds: 600 }, system: { log_level: "info" } },
      {},
      [],
    ],
    ["the length of segments", {}, { recording: { segment_seconds: 60 } }, {}, ["recording.segment_seconds"]],
    ["fsync", {}, { recording: { fsync_interval_ms: 0 } }, {}, ["recording.fsync_interval_ms"]],
    [
      "stall and fallback",
      {},
      { recording: { stall_seconds: 5, fallback_after_failures: 0 } },
      {},
      ["recording.stall_seconds", "recording.fallback_after_failures"],
    ],
    [
      "one camera's picture",
      {},
      { cameras: [camera("cam01"), camera("cam02", { fps: 15 })] },
      { restarted: ["cam02"] },
      ["cameras.cam02.source.fps"],
    ],
    [
      "one camera's kind",
      {},
      { cameras: [{ id: "cam01", source: rtsp() }, camera("cam02")] },
      { restarted: ["cam01"] },
      ["cameras.cam01.source"],
    ],
    [
      "a name",
      {},
      { cameras: [camera("cam01", {}, { name: "Door" }), camera("cam02")] },
      {},
      ["cameras.cam01.name"],
    ],
    ["the order of the cameras", {}, { cameras: [camera("cam02"), camera("cam01")] }, {}, ["cameras"]],
    [
      "a camera more",
      {},
      { cameras: [camera("cam00"), camera("cam01"), camera("cam02")] },
      { added: ["cam00"] },
      ["cameras.cam00"],
    ],
    ["a camera less", {}, { cameras: [camera("cam02")] }, { removed: ["cam01"] }, ["cameras.cam01"]],
    [
      "another id for the same",
      {},
      { cameras: [camera("cam01"), camera("cam03")] },
      { added: ["cam03"], removed: ["cam02"] },
      ["cameras.cam02", "cameras.cam03"],
    ],
    [
      "the archive",
      {},
      { upload: { destination: { type: "path", path: "/mnt/other" } } },
      { destination: true },
      ["upload.destination.path"],
    ],
    [
      "how the archive is reached",
      {},
      { upload: { destination: { type: "nfs", server: "nas", export: "/videos" } } },
      { destination: true },
      ["upload.destination"],
    ],
    [
      "order, windows and limits",
      { upload: { windows: ["01:00-02:00"] } },
      { upload: { order: "newest_first", max_bytes_per_second: 100_000 } },
      {},
      ["upload.windows", "upload.order", "upload.max_bytes_per_second"],
    ],
    ["the hub", {}, { network: { hub_url: "http://other" } }, { hub: true }, ["network.hub_url"]],
    [
      "where the key is",
      {},
      { network: { api_key: { env: "KEY" } } },
      { hub: true },
      ["network.api_key.file", "network.api_key.env"],
    ],
    ["the heartbeat", {}, { network: { heartbeat_seconds: 60 } }, {}, ["network.heartbeat_seconds"]],
    [
      "where metrics are served",
      {},
      { health: { metrics_listen: "127.0.0.1:9464" } },
      { metrics: true },
      ["health.metrics_listen"],
    ],
    ["the log", {}, { system: { log_level: "debug" } }, {}, ["system.log_level"]],
  ])("%s", (_what, before, next, expected, paths) => {
    const planned = plan(before, next);
    expect(touched(planned)).toEqual(expected);
    expect(planned.changes.map(({ path }) => path).toSorted()).toEqual(paths.toSorted());
    expect(planned.needsRestart).toEqual([]);
    expect(planned.inForce).toEqual(config(next));
  });
});

describe("secrets whose content differs", () => {
  const cameras = [{ id: "cam01", source: rtsp({ credentials: { file: "/etc/cam01" } }) }, camera("cam02")];
  test.each<[string, Parts]>([
    ["cameras.cam01.source.credentials", { restarted: ["cam01"] }],
    ["network.api_key", { hub: true }],
    ["health.metrics_token", { metrics: true }],
    ["upload.destination.password", { destination: true }],
  ])("%s", (path, expected) => {
    const planned = plan({ cameras }, { cameras }, [path]);
    expect(touched(planned)).toEqual(expected);
    expect(planned.changes.map((change) => change.path)).toEqual([path]);
  });
});

describe("what needs a restart stays as it was, all of it", () => {
  test.each<[string, Parts, string]>([
    ["the node's name", { node_id: "node02" }, "node_id"],
    ["the spool", { system: { spool_path: "/srv/spool" } }, "system.spool_path"],
    ["the zone, set", { system: { time_zone: "Asia/Seoul" } }, "system.time_zone"],
    ["the socket, none", { system: { control_socket: null } }, "system.control_socket"],
    ["the run folder", { system: { run_path: "/run/other" } }, "system.run_path"],
    ["how the clock is trusted", { system: { clock: "trusted" } }, "system.clock"],
  ])("%s", (_what, next, path) => {
    const planned = plan({}, next);
    expect(planned).toMatchObject({ needsRestart: [path], inForce: config() });
    expect(touched(planned)).toEqual({});
    // Taken back, and the other way round.
    expect(plan(next, {})).toMatchObject({ needsRestart: [path], inForce: config(next) });
  });

  test("and the rest of the same config is put in force", () => {
    const planned = plan(
      { system: { time_zone: "Asia/Seoul" } },
      {
        node_id: "node02",
        cameras: [camera("cam01")],
        system: { log_level: "error", spool_path: "/srv/spool" },
      },
    );
    expect(planned.needsRestart.toSorted()).toEqual(["node_id", "system.spool_path", "system.time_zone"]);
    expect(planned.inForce).toEqual(
      config({ cameras: [camera("cam01")], system: { log_level: "error", time_zone: "Asia/Seoul" } }),
    );
  });
});
