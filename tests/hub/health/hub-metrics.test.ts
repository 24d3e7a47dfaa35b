import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { runChild } from "../../../src/common/child-process.ts";
import { ExportSlots } from "../../../src/hub/export/export-slots.ts";
import { HubMetrics } from "../../../src/hub/health/hub-metrics.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { heartbeatRequest, registerRequest } from "../../support/node-reports.ts";
import { promtool } from "../../support/promtool.ts";
import { reportedAlert } from "../../support/sample-alert.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";
import { testIf } from "../../support/test-if.ts";
import { usualData } from "../ui/page-data.ts";

let hub: TestHub;
beforeAll(async () => {
  hub = await openTestHub();
  await hub.post("/api/nodes/register", registerRequest(), hub.nodeKey);
  await hub.post(
    "/api/nodes/node01/heartbeat",
    { ...heartbeatRequest(), alerts: [reportedAlert()] },
    hub.nodeKey,
  );
});
afterAll(() => hub[Symbol.asyncDispose]());

describe("the hub's metrics", () => {
  test("tell of answers, nodes, alerts and room", async () => {
    await hub.get("/api/videos?limit=0");
    const response = await hub.get("/metrics");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain("version=0.0.4");
    const text = await response.text();
    for (const line of [
      'livecam_hub_nodes{status="online"} 1',
      'livecam_hub_alerts{severity="critical"} 1',
      'livecam_hub_part_state{part="nodes",state="degraded"} 1',
      'livecam_hub_part_state{part="catalog",state="ok"} 1',
      'livecam_hub_http_request_duration_seconds_count{code="4xx"} 1',
      "livecam_hub_active_streams 0",
      'livecam_hub_previews_total{result="made"} 0',
      'livecam_hub_previews_total{result="failed"} 0',
      "livecam_hub_previews_waiting 0",
    ])
      expect(text).toContain(`${line}\n`);
    expect(text).toMatch(/^livecam_hub_http_request_duration_seconds_bucket\{le="\+Inf",code="2xx"\} [1-9]/m);
    expect(text).toMatch(/^livecam_hub_disk_free_bytes \d+$/m);
  });

  test("count live views that are open and exports that are sent", async () => {
    const figure = async (name: string) =>
      Number(
        new RegExp(`^livecam_hub_${name} (\\d+)$`, "m").exec(await (await hub.get("/metrics")).text())?.[1],
      );
    const is = async (name: string, value: number) => {
      while ((await figure(name)) !== value) await Bun.sleep(10);
    };
    await is("live_views", 0);
    const viewer = new WebSocket(`${hub.url.replace(/^http/, "ws")}/api/cameras/cam01/live`, {
      headers: { authorization: `Bearer ${hub.clientKey}` },
    } as never);
    await is("live_views", 1);
    viewer.close();
    await is("live_views", 0);

    const slots = new ExportSlots(2);
    const [release] = [slots.take(new AbortController().signal), slots.take(AbortSignal.abort())];
    expect(slots.taken).toBe(1);
    release();
    release();
    expect([slots.taken, await figure("exports")]).toEqual([0, 0]);
  });

  test("are for readers alone", async () => {
    expect((await hub.get("/metrics", {})).status).toBe(401);
    expect((await hub.get("/metrics", { authorization: `Bearer ${hub.nodeKey}` })).status).toBe(403);
  });

  test("are those of docs/metrics.md, and promtool takes them", async () => {
    const text = await (await hub.get("/metrics")).text();
    const told = [...text.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name, help]) => `${name}: ${help}`);
    const doc = await Bun.file(join(import.meta.dir, "../../../docs/metrics.md")).text();
    const rows = [...doc.matchAll(/^\| `(livecam_hub_\w+)` \| .* \| (.+) \|$/gm)].map(
      ([, name, help]) => `${name}: ${help}`,
    );
    // The archive of a test hub may not have been looked at yet.
    const isAlways = (row: string) => !row.startsWith("livecam_hub_archive_");
    expect(told.filter(isAlways).sort()).toEqual(rows.filter(isAlways).sort());
  });

  testIf(promtool !== undefined, "needs promtool, of the Debian package prometheus")(
    "pass promtool's check",
    async () => {
      const { exitCode, stderrTail, stdout } = await runChild({
        argv: [promtool as string, "check", "metrics"],
        stdin: new TextEncoder().encode(await (await hub.get("/metrics")).text()),
        timeoutMs: 20_000,
      });
      expect({ exitCode, said: stderrTail + new TextDecoder().decode(stdout) }).toEqual({
        exitCode: 0,
        said: "",
      });
    },
  );
});

test("errors are counted by the part of the hub that logged them", async () => {
  const errors = new Map([["http", 2]]);
  const metrics = new HubMetrics({
    health: { status: async () => usualData().status },
    previews: () => ({ made: 0, failed: 0, waiting: 0 }),
    errorCounts: () => errors,
    clock: new FakeClock(0),
  });
  expect(await metrics.text()).toContain('livecam_hub_errors_total{module="http"} 2\n');
  errors.set("media", 1);
  expect(await metrics.text()).toContain('livecam_hub_errors_total{module="media"} 1\n');
});

describe("active streams", () => {
  const id = (n: number) => `01997000-0000-7000-8000-${String(n).padStart(12, "0")}`;
  const streamOf = (n: number, status = 206) => ({ path: `/api/videos/${id(n)}/stream`, status, tookMs: 1 });
  const metricsAt = (clock: FakeClock) =>
    new HubMetrics({
      health: { status: async () => usualData().status },
      previews: () => ({ made: 0, failed: 0, waiting: 0 }),
      clock,
    });
  const count = async (metrics: HubMetrics) =>
    Number(/^livecam_hub_active_streams (\d+)$/m.exec(await metrics.text())?.[1]);

  test("are the videos that were read in the last minute, each once", async () => {
    const clock = new FakeClock(0);
    const metrics = metricsAt(clock);
    for (let i = 0; i < 50; i++) metrics.answered(streamOf(1));
    clock.advance(40_000);
    metrics.answered(streamOf(2, 200));
    // As players of HLS ask for them.
    metrics.answered({ ...streamOf(5), path: `/api/videos/${id(5)}/stream.mp4` });
    metrics.answered({ ...streamOf(6), path: `/api/videos/${id(6)}/parts/5-90/480p.mp4` });
    metrics.answered(streamOf(3, 404));
    metrics.answered({ path: `/api/videos/${id(4)}/thumbnail`, status: 200, tookMs: 1 });
    expect(await count(metrics)).toBe(4);
    clock.advance(30_000);
    expect(await count(metrics)).toBe(3);
    clock.advance(60_001);
    expect(await count(metrics)).toBe(0);
  });

  test("take no more memory however many there are", async () => {
    const clock = new FakeClock(0);
    const metrics = metricsAt(clock);
    for (let i = 0; i < 12_000; i++) metrics.answered(streamOf(i));
    expect(await count(metrics)).toBe(10_000);
  });
});
