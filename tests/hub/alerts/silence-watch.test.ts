import { describe, expect, test } from "bun:test";
import { createLogger } from "../../../src/common/log.ts";
import { planSilence, runSilenceWatch, silentCode } from "../../../src/hub/alerts/silence-watch.ts";
import { createAlertService } from "../../../src/hub/alerts/stored-alert-service.ts";
import type { NodeState } from "../../../src/hub/nodes/node-service.ts";
import { heartbeatRequest, registerRequest } from "../../support/node-reports.ts";
import { openTestHub } from "../../support/test-hub.ts";

const node = (nodeId: string, status: NodeState, lastHeartbeatMs: number | null = 1_000) => ({
  nodeId,
  status,
  lastHeartbeatMs,
});
const alert = (nodeId: string, source: "node" | "hub" = "hub", code = silentCode) => ({
  nodeId,
  source,
  code,
});

describe("silence", () => {
  test("is noticed once, and its end", () => {
    const nodes = [
      node("a", "offline"),
      node("b", "late"),
      node("c", "online"),
      node("d", "never_seen", null),
    ];
    expect(planSilence(nodes, [], true)).toEqual({
      silent: [{ nodeId: "a", lastHeartbeatMs: 1_000 }],
      back: [],
    });
    expect(planSilence(nodes, [alert("a"), alert("c")], true)).toEqual({ silent: [], back: ["c"] });
  });

  test("is not noticed while nodes had no time to speak; its end is", () => {
    expect(planSilence([node("a", "offline"), node("b", "online")], [alert("b")], false)).toEqual({
      silent: [],
      back: ["b"],
    });
  });

  test("of a node that is gone for good ends; what nodes say themselves is not its business", () => {
    const active = [alert("gone"), alert("a", "node"), alert("a", "hub", "other")];
    expect(planSilence([node("a", "online")], active, true)).toEqual({ silent: [], back: ["gone"] });
  });
});

test("a node that falls silent is an alert of the hub, which ends with its next heartbeat", async () => {
  let nowMs = Date.parse("2025-09-23T06:00:00Z");
  const clock = { wallMs: () => nowMs, monotonicMs: () => performance.now() };
  await using hub = await openTestHub({ clock, config: { heartbeat_seconds: 10 } });
  const alerts = createAlertService({ store: hub.storage.alerts, clock });
  const stop = new AbortController();
  const running = runSilenceWatch(
    {
      nodes: async () => {
        const answer = (await (await hub.get("/api/nodes/status")).json()) as {
          nodes: { node_id: string; status: NodeState; last_heartbeat: string | null }[];
        };
        return answer.nodes.map(({ node_id, status, last_heartbeat }) =>
          node(node_id, status, last_heartbeat === null ? null : Date.parse(last_heartbeat)),
        );
      },
      ...{ alerts, clock, logger: createLogger("alerts"), intervalMs: 5, graceMs: 0 },
    },
    stop.signal,
  );
  const beat = () => hub.post("/api/nodes/node01/heartbeat", heartbeatRequest(), hub.nodeKey);
  const active = async () =>
    ((await (await hub.get("/api/alerts")).json()) as { alerts: Record<string, unknown>[] }).alerts;
  const until = async (count: number) => {
    while ((await active()).length !== count) await Bun.sleep(5);
  };
  await hub.post("/api/nodes/register", registerRequest(), hub.nodeKey);
  await beat();
  nowMs += 121_000;
  await until(1);
  expect(await active()).toMatchObject([
    {
      ...{ node_id: "node01", source: "hub", code: "node_offline", severity: "critical", camera_id: null },
      params: { last_heartbeat: "2025-09-23T06:00:00.000Z" },
    },
  ]);
  await beat();
  await until(0);
  const history = (await (await hub.get("/api/alerts?state=all")).json()) as { alerts: unknown[] };
  expect(history.alerts).toHaveLength(1);
  stop.abort();
  await running;
}, 60_000);
