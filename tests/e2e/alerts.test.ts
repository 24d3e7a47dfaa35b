import { expect, test } from "bun:test";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import type { AlertJson } from "../../src/hub/alerts/alert-json.ts";
import { EdgeProcess, makeEdgeSite } from "../support/edge-process.ts";
import { fakeHubKey, problem, startFakeHub } from "../support/fake-hub.ts";
import { sampleRecording, temporaryFolder } from "../support/sample-recording.ts";
import { openTestHub } from "../support/test-hub.ts";

type Alert = import("valibot").InferInput<typeof AlertJson>;

// The real edge and a camera that is a file: while it is not there, the camera gives nothing.

const config = { health: { alerts: { camera_failures: 1 } }, recording: { fallback_after_failures: 1 } };

async function cameraFile(folder: string): Promise<string> {
  const { init, fragments } = await sampleRecording();
  const path = join(folder, "away.mp4");
  await Bun.write(path, Buffer.concat([init.bytes, ...fragments]));
  return path;
}

async function until<T>(read: () => T | undefined | Promise<T | undefined>, edge: EdgeProcess): Promise<T> {
  let ended = false;
  edge.exited.then(() => {
    ended = true;
  });
  for (;;) {
    const found = await read();
    if (found !== undefined) return found;
    if (ended) throw new Error(`the edge ended:\n${edge.tail()}`);
    await Bun.sleep(50);
  }
}

test.concurrent("a camera that never starts is an alert at the hub within seconds, which ends when it is back", async () => {
  await using folder = await temporaryFolder();
  await using hub = await openTestHub();
  const source = join(folder.path, "camera.mp4");
  const cameras = [{ id: "cam01", source: { type: "file", path: source } }];
  const site = await makeEdgeSite(folder.path, {
    ...{ hubUrl: hub.url, apiKey: hub.nodeKey, cameras },
    // News comes at once, whatever the interval.
    config: { ...config, network: { heartbeat_seconds: 600 } },
  });
  const edge = new EdgeProcess(site);
  const alerts = async (state: string) => {
    const answer = (await (await hub.get(`/api/alerts?state=${state}&camera_id=cam01`)).json()) as {
      alerts: Alert[];
    };
    return answer.alerts[0];
  };
  try {
    const alert = await until(() => alerts("active"), edge);
    expect(alert).toMatchObject({
      ...{ node_id: "node01", camera_id: "cam01", code: "camera_down", severity: "critical", source: "node" },
      message: expect.stringContaining("the camera gives nothing"),
      params: { failures: expect.any(Number) },
    });
    await rename(await cameraFile(folder.path), source);
    expect(await until(() => alerts("cleared"), edge)).toMatchObject({ alert_id: alert.alert_id, count: 1 });
    expect(await edge.stop()).toBe(0);
  } finally {
    edge.kill("SIGKILL");
    await edge.exited;
  }
}, 180_000);

test.concurrent("what came and went while the hub was away is told when it is back, also by the next process", async () => {
  await using folder = await temporaryFolder();
  await using hub = startFakeHub();
  const source = join(folder.path, "camera.mp4");
  const cameras = [{ id: "cam01", source: { type: "file", path: source } }];
  const site = await makeEdgeSite(folder.path, { hubUrl: hub.url, apiKey: fakeHubKey, cameras, config });
  hub.fault = () => problem(503, "unavailable");
  const first = new EdgeProcess(site);
  try {
    const said = (message: string) =>
      until(
        () => first.log.find((line) => line.message === message && line.properties.code === "camera_down"),
        first,
      );
    await said("an alert was raised");
    await rename(await cameraFile(folder.path), source);
    await said("an alert is over");
  } finally {
    first.kill("SIGKILL");
    await first.exited;
  }
  expect(hub.heartbeats).toEqual([]);
  hub.fault = undefined;
  const second = new EdgeProcess(site);
  try {
    const told = await until(
      () => hub.heartbeats.flatMap(({ alerts = [] }) => alerts).find(({ code }) => code === "camera_down"),
      second,
    );
    expect(told).toMatchObject({ camera_id: "cam01", count: 1, cleared_at: expect.any(Number) });
    // Once it was heard, it is not told again.
    const before = hub.heartbeats.length;
    await until(() => (hub.heartbeats.length > before + 1 ? true : undefined), second);
    expect(hub.heartbeats.at(-1)?.alerts?.filter(({ code }) => code === "camera_down")).toEqual([]);
    expect(await second.stop()).toBe(0);
  } finally {
    second.kill("SIGKILL");
    await second.exited;
  }
}, 180_000);
