import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ReportedAlert } from "../../../src/common/protocol/alert.ts";
import type { AlertJson } from "../../../src/hub/alerts/alert-json.ts";
import { heartbeatRequest, registerRequest } from "../../support/node-reports.ts";
import { reportedAlert } from "../../support/sample-alert.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";

type Alert = import("valibot").InferInput<typeof AlertJson>;

let hub: TestHub;
const nowMs = Date.parse("2025-09-23T06:00:00Z");
const clock = { wallMs: () => nowMs, monotonicMs: () => performance.now() };
beforeAll(async () => {
  hub = await openTestHub({ clock });
});
afterAll(() => hub[Symbol.asyncDispose]());

const register = (nodeId: string) =>
  hub.post("/api/nodes/register", { ...registerRequest(), node_id: nodeId }, hub.nodeKey);
const beat = (nodeId: string, alerts: unknown) =>
  hub.post(`/api/nodes/${nodeId}/heartbeat`, { ...heartbeatRequest(), alerts }, hub.nodeKey);
const list = async (query: string) =>
  (await (await hub.get(`/api/alerts?${query}`)).json()) as { alerts: Alert[]; next_cursor: string | null };

/** A node of its own, and what it says one after the other. */
async function tell(nodeId: string, ...beats: (ReportedAlert[] | undefined)[]): Promise<void> {
  await register(nodeId);
  for (const alerts of beats) expect((await beat(nodeId, alerts)).status).toBe(200);
}

describe("what a node says", () => {
  test("is there at once, whole, and once, however often it is said", async () => {
    const alert = reportedAlert({ params: { failures: 5, last_picture: "2025-09-23T05:00:00.000Z" } });
    await tell("pi01", [alert], [alert], [alert]);
    const { alerts } = await list("node_id=pi01");
    expect(alerts).toEqual([
      { ...alert, node_id: "pi01", source: "node", created_at: "2025-09-23T06:00:00.000Z" },
    ]);
    const nodes = (await (await hub.get("/api/nodes/status")).json()) as { nodes: Record<string, unknown>[] };
    expect(nodes.nodes.find(({ node_id }) => node_id === "pi01")?.active_alerts).toEqual({
      critical: 1,
      warning: 0,
    });
    const health = (await (await hub.get("/api/health")).json()) as {
      parts: { nodes: { state: string; message: string; figures: object } };
    };
    expect(health.parts.nodes).toMatchObject({ state: "degraded", figures: { critical_alerts: 1 } });
    expect(health.parts.nodes.message).toContain("1 alert");
  });

  test("and says is over, or does not name any more, is over, and stays in the history", async () => {
    const [ended, forgotten] = [reportedAlert(), reportedAlert({ code: "temperature_high" })];
    const over = { ...ended, cleared_at: "2025-09-23T05:59:30.000Z", count: 3 };
    await tell("pi02", [ended, forgotten], [over]);
    expect((await list("node_id=pi02")).alerts).toEqual([]);
    const { alerts } = await list("node_id=pi02&state=cleared");
    const byCode = new Map(alerts.map((alert) => [alert.code, alert]));
    expect(byCode.get("camera_down")).toMatchObject({ cleared_at: "2025-09-23T05:59:30.000Z", count: 3 });
    expect(byCode.get("temperature_high")).toMatchObject({ cleared_at: "2025-09-23T06:00:00.000Z" });
  });

  test("all at once when it came and went while the hub was away", async () => {
    await tell("pi03", [reportedAlert({ cleared_at: "2025-09-23T05:59:45.000Z", count: 7 })]);
    expect((await list("node_id=pi03")).alerts).toEqual([]);
    expect((await list("node_id=pi03&state=all")).alerts).toMatchObject([{ count: 7 }]);
  });

  test("of an older release, which tells no alerts, ends none", async () => {
    await tell("pi04", [reportedAlert()], undefined);
    expect((await list("node_id=pi04")).alerts).toHaveLength(1);
  });

  test("comes back after it was over", async () => {
    const alert = reportedAlert();
    await tell("pi05", [alert], [], [{ ...alert, count: 2 }]);
    expect((await list("node_id=pi05")).alerts).toMatchObject([{ cleared_at: null, count: 2 }]);
  });

  test("cannot touch what another node said", async () => {
    const alert = reportedAlert();
    await tell("pi06", [alert]);
    await tell("pi07", [{ ...alert, message: "mine", cleared_at: "2025-09-23T05:59:30.000Z" }], []);
    expect((await list("node_id=pi06")).alerts).toMatchObject([{ message: alert.message, cleared_at: null }]);
    expect((await list("node_id=pi07&state=all")).alerts).toEqual([]);
  });

  test("under a code that this hub does not know is told all the same", async () => {
    await tell("pi08", [reportedAlert({ code: "from_the_future", params: {} })]);
    expect((await list("node_id=pi08")).alerts).toMatchObject([{ code: "from_the_future" }]);
  });

  test("by a clock that is years off gets the hub's time", async () => {
    await tell("pi09", [
      reportedAlert({ raised_at: "1970-01-01T00:00:10.000Z" }),
      reportedAlert({ raised_at: "2035-01-01T00:00:00.000Z", cleared_at: "1970-01-01T00:00:10.000Z" }),
    ]);
    const { alerts } = await list("node_id=pi09&state=all");
    expect(alerts.map(({ raised_at }) => raised_at)).toEqual(Array(2).fill("2025-09-23T06:00:00.000Z"));
    expect(alerts.map(({ cleared_at }) => cleared_at).sort()).toEqual(["2025-09-23T06:00:00.000Z", null]);
  });

  test("before it is known is asked for again, not kept", async () => {
    const response = await beat("stranger", [reportedAlert()]);
    expect(await response.json()).toMatchObject({ registered: false });
    expect((await list("node_id=stranger&state=all")).alerts).toEqual([]);
  });
});

describe("refused, by the name of the field", () => {
  const bad: [string, unknown, string][] = [
    ["control characters", reportedAlert({ message: "a\u001b[31mb\nc" }), "alerts.0.message"],
    ["a long message", reportedAlert({ message: "x".repeat(501) }), "alerts.0.message"],
    ["a code that is none", reportedAlert({ code: "<b>" }), "alerts.0.code"],
    ["a foreign severity", { ...reportedAlert(), severity: "fatal" }, "alerts.0.severity"],
    ["params that are objects", { ...reportedAlert(), params: { a1: {} } }, "alerts.0.params.a1"],
    ["a name of a param", reportedAlert({ params: { "A B": 1 } }), "alerts.0.params.A B"],
    [
      "too many params",
      reportedAlert({ params: Object.fromEntries(Array.from({ length: 13 }, (_, i) => [`p${i}`, i])) }),
      "alerts.0.params",
    ],
    ["a camera that is none", reportedAlert({ camera_id: "../x" }), "alerts.0.camera_id"],
    ["no time", { ...reportedAlert(), raised_at: "yesterday" }, "alerts.0.raised_at"],
    ["a count of nothing", reportedAlert({ count: 0 }), "alerts.0.count"],
  ];
  test.each(bad)("%s", async (_, alert, path) => {
    await register("pi10");
    const response = await beat("pi10", [alert]);
    expect(response.status).toBe(400);
    const { issues } = (await response.json()) as { issues: { path: string }[] };
    expect(issues.map((issue) => issue.path)).toContain(path);
  });

  test("more alerts than a node may tell", async () => {
    const response = await beat(
      "pi10",
      Array.from({ length: 201 }, () => reportedAlert()),
    );
    expect(response.status).toBe(400);
  });

  test.each(["state=x", "limit=0", "severity=x", "from=2025", "node_id=..", "cursor=abc"])(
    "?%s",
    async (query) => {
      expect((await hub.get(`/api/alerts?${query}`)).status).toBe(400);
    },
  );
});

describe("the list", () => {
  test("has every alert once, page by page, in both directions, by its filters", async () => {
    const alerts = Array.from({ length: 150 }, (_, i) =>
      reportedAlert({
        // Some at the very same time.
        raised_at: new Date(Date.parse("2025-09-22T00:00:00Z") + Math.floor(i / 4) * 1000).toISOString(),
        severity: i % 3 === 0 ? "critical" : "warning",
        camera_id: i % 2 === 0 ? "cam01" : null,
      }),
    );
    await tell("many", alerts);
    const expected = (keep: (alert: ReportedAlert) => boolean) =>
      alerts
        .filter(keep)
        .sort((a, b) => (a.raised_at + a.alert_id < b.raised_at + b.alert_id ? -1 : 1))
        .map(({ alert_id }) => alert_id);
    const walk = async (query: string) => {
      const found: string[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const page = await list(`node_id=many&limit=17&${query}${cursor && `&cursor=${cursor}`}`);
        found.push(...page.alerts.map(({ alert_id }) => alert_id));
        cursor = page.next_cursor;
      }
      return found;
    };
    expect(await walk("order=oldest_first")).toEqual(expected(() => true));
    expect(await walk("")).toEqual(expected(() => true).reverse());
    const critical = expected(({ severity }) => severity === "critical");
    expect(await walk("severity=critical&order=oldest_first")).toEqual(critical);
    expect(await walk("camera_id=cam01&order=oldest_first")).toEqual(
      expected(({ camera_id }) => camera_id === "cam01"),
    );
    expect(await walk("state=cleared")).toEqual([]);
  });

  test("does not take the cursor of another list", async () => {
    const { next_cursor } = await list("node_id=many&limit=1");
    expect((await hub.get(`/api/alerts?limit=1&cursor=${next_cursor}`)).status).toBe(400);
    expect((await hub.get(`/api/gaps?limit=1&cursor=${next_cursor}`)).status).toBe(400);
  });

  test("is forgotten from its old end, but nothing that goes on", async () => {
    const { alerts } = hub.storage;
    const before = await alerts.find({ order: "oldest_first", limit: 1000 });
    const goingOn = before.filter(({ clearedAtMs }) => clearedAtMs === null).length;
    expect(await alerts.prune(10_000)).toBe(0);
    await alerts.prune(0);
    const after = await alerts.find({ order: "oldest_first", limit: 1000 });
    expect(after.filter(({ clearedAtMs }) => clearedAtMs === null)).toHaveLength(goingOn);
    expect(after.length).toBeLessThanOrEqual(goingOn + 1);
  });
});
