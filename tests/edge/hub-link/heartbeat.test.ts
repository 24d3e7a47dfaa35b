import { expect, test } from "bun:test";
import { systemClock } from "../../../src/common/clock.ts";
import { createLogger } from "../../../src/common/log.ts";
import { Secret } from "../../../src/common/secret.ts";
import { Heartbeat } from "../../../src/edge/hub-link/heartbeat.ts";
import { HubClient } from "../../../src/edge/hub-link/hub-client.ts";
import { fakeHubKey, problem, startFakeHub } from "../../support/fake-hub.ts";
import { heartbeatRequest, registerRequest } from "../../support/node-reports.ts";

function setUp(intervalMs = 5, logger = createLogger("hub-link")) {
  const hub = startFakeHub();
  const learned: string[] = [];
  const told: unknown[] = [];
  const back: number[] = [];
  const heartbeat = new Heartbeat({
    nodeId: "node01",
    hub: new HubClient({ hubUrl: hub.url, apiKey: new Secret(fakeHubKey), timeoutMs: 10_000 }),
    registration: registerRequest,
    collect: async () => heartbeatRequest(),
    onTold: (report) => void told.push(report),
    onBack: () => void back.push(hub.heartbeats.length),
    onArchiveId: async (archiveId) => void learned.push(archiveId),
    intervalMs,
    clock: systemClock,
    logger,
    backoff: { firstMs: 1, maxMs: 5 },
  });
  const controller = new AbortController();
  let running: Promise<void> | undefined;
  return {
    hub,
    heartbeat,
    learned,
    told,
    back,
    start: () => {
      running = heartbeat.run(controller.signal);
    },
    async [Symbol.asyncDispose]() {
      controller.abort();
      await running;
      await hub[Symbol.asyncDispose]();
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(2);
}

test("registers once, then beats, and learns which archive it is", async () => {
  await using at = setUp();
  at.hub.archiveId = "01997000-0000-7000-8000-0000000000aa";
  at.start();
  await until(() => at.hub.heartbeats.length >= 3);
  expect(at.hub.registrations).toHaveLength(1);
  expect(at.hub.registrations[0]).toMatchObject({ node_id: "node01", segment_seconds: 600 });
  expect(new Set(at.learned)).toEqual(new Set([at.hub.archiveId]));
  expect(at.heartbeat.status()).toMatchObject({ registered: true, lastError: undefined });
});

test("registers again at a hub that has forgotten it", async () => {
  await using at = setUp();
  at.start();
  await until(() => at.hub.heartbeats.length >= 2);
  at.hub.known.clear();
  await until(() => at.hub.registrations.length === 2);
  const before = at.hub.heartbeats.length;
  await until(() => at.hub.heartbeats.length > before);
  expect(at.heartbeat.status().registered).toBe(true);
});

test("beats as often as the hub asks, and no less often than it was told to", async () => {
  await using at = setUp(3_600_000);
  at.hub.heartbeatIntervalSeconds = 1;
  at.start();
  await until(() => at.hub.heartbeats.length >= 2);
});

test.each([
  ["500", () => problem(500, "internal")],
  ["garbage", () => new Response("<html>")],
])("goes on after a hub that answers %s, and says so meanwhile", async (_what, answer) => {
  await using at = setUp();
  let faults = 0;
  at.hub.fault = () => {
    faults++;
    return answer();
  };
  at.start();
  await until(() => faults >= 3);
  expect(at.heartbeat.status()).toMatchObject({
    registered: false,
    lastError: expect.stringContaining("the hub"),
  });
  expect(at.back).toEqual([]);
  at.hub.fault = undefined;
  await until(() => at.hub.heartbeats.length >= 1);
  await until(() => at.heartbeat.status().lastError === undefined);
  await until(() => at.hub.heartbeats.length >= 5);
  expect(at.back).toHaveLength(1);
});

test("news does not wait for its time, and is told to have been heard", async () => {
  await using at = setUp(3_600_000);
  at.hub.heartbeatIntervalSeconds = 3600;
  at.start();
  await until(() => at.told.length === 1);
  at.heartbeat.beatSoon();
  await until(() => at.told.length === 2);
  expect(at.hub.heartbeats).toHaveLength(2);
});

test("news that comes all the time does not make a storm", async () => {
  await using at = setUp(3_600_000);
  at.hub.heartbeatIntervalSeconds = 3600;
  at.start();
  await until(() => at.told.length === 1);
  const startedMs = performance.now();
  while (at.told.length < 3) {
    at.heartbeat.beatSoon();
    await Bun.sleep(2);
  }
  const tookMs = performance.now() - startedMs;
  // Two more: the second of them had to wait for a second since the first.
  expect(tookMs).toBeGreaterThan(900);
}, 60_000);

test("a hub that refuses a report has not heard of it", async () => {
  await using at = setUp();
  let faults = 0;
  at.hub.fault = (request) =>
    request.url.endsWith("/heartbeat") && ++faults ? problem(503, "unavailable") : undefined;
  at.start();
  await until(() => faults >= 2);
  expect(at.told).toEqual([]);
});

test("introduces itself again at once when it is asked to, also in the middle of a registration", async () => {
  await using at = setUp(3_600_000);
  at.start();
  await until(() => at.hub.heartbeats.length === 1);
  at.heartbeat.introduce();
  await until(() => at.hub.heartbeats.length === 2);
  expect(at.hub.registrations).toHaveLength(2);
  // What is asked for while the hub still hears of the state before is not lost with its answer.
  let asked = false;
  at.hub.fault = (request) => {
    if (!asked && request.url.endsWith("/register")) {
      asked = true;
      at.heartbeat.introduce();
    }
    return undefined;
  };
  at.heartbeat.introduce();
  await until(() => at.hub.registrations.length === 4);
  expect(at.heartbeat.status().registered).toBe(true);
});

test("a new address and key are used from the next call on", async () => {
  await using at = setUp();
  await using other = startFakeHub();
  const client = new HubClient({ hubUrl: at.hub.url, apiKey: new Secret("lck_old_key") });
  await expect(client.register(registerRequest())).rejects.toMatchObject({ code: "unauthorized" });
  client.connectTo({ hubUrl: other.url, apiKey: new Secret(fakeHubKey) });
  await client.register(registerRequest());
  expect(at.hub.registrations).toEqual([]);
  expect(other.registrations).toHaveLength(1);
});

test("an outage is one error in the log, however long; its end is told, too", async () => {
  const lines: string[] = [];
  const say = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const logger = { debug: say("debug"), info: say("info"), error: say("error") } as never;
  await using at = setUp(5, logger);
  let refused = 0;
  at.hub.fault = () => {
    refused++;
    return problem(503, "unavailable");
  };
  at.start();
  await until(() => refused >= 5);
  at.hub.fault = undefined;
  await until(() => at.hub.heartbeats.length >= 2);
  expect(lines.filter((line) => line.startsWith("error"))).toEqual([
    "error the hub could not be told how this node is",
  ]);
  expect(lines.filter((line) => line.startsWith("info"))).toEqual([
    "info registered at the hub",
    "info the hub is told again how this node is",
  ]);
});
