import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { runChild } from "../../../src/common/child-process.ts";
import { systemClock } from "../../../src/common/clock.ts";
import { createLogger } from "../../../src/common/log.ts";
import type { EdgeStatus } from "../../../src/common/protocol/control.ts";
import { Secret } from "../../../src/common/secret.ts";
import { allMetrics, metricPrefix } from "../../../src/edge/health/metrics/all-metrics.ts";
import { serveMetrics } from "../../../src/edge/health/metrics/metrics-server.ts";
import { metricsTextOf } from "../../../src/edge/health/metrics/metrics-text.ts";
import { cameraStatus } from "../../support/alert-facts.ts";
import { busyStatus, idleStatus } from "../../support/edge-status.ts";
import { promtool } from "../../support/promtool.ts";
import { reportedAlert } from "../../support/sample-alert.ts";
import { testIf } from "../../support/test-if.ts";

const nowMs = Date.parse("2025-09-23T06:00:00Z");
const textOf = (status: EdgeStatus) => metricsTextOf(status, nowMs);

/** Strictly by the text format: every series after its HELP and TYPE, none twice, every value a number. */
function parse(text: string): Map<string, number> {
  const series = new Map<string, number>();
  let current: string | undefined;
  for (const line of text.trimEnd().split("\n")) {
    if (line === "") continue;
    const help = /^# HELP ([a-z_:0-9]+) \S.*$/.exec(line)?.[1];
    const type = /^# TYPE ([a-z_:0-9]+) (gauge|counter)$/.exec(line)?.[1];
    if (help !== undefined) current = help;
    else if (type !== undefined) expect(type).toBe(current as string);
    else {
      const label = /[a-z_][a-z_0-9]*="(?:[^"\\\n]|\\["\\n])*"/.source;
      const found = new RegExp(`^([a-z_:0-9]+)(\\{${label}(?:,${label})*\\})? (-?[0-9.e+-]+)$`).exec(line);
      expect({ line, name: found?.[1] }).toEqual({ line, name: current });
      const key = `${found?.[1]}${found?.[2] ?? ""}`;
      expect(series.has(key)).toBe(false);
      series.set(key, Number(found?.[3]));
      expect(Number.isFinite(series.get(key))).toBe(true);
    }
  }
  return series;
}

describe("the text", () => {
  test("of a node that has much to tell", async () => {
    const series = parse(await textOf(busyStatus()));
    const expected = {
      'info{node_id="node01",version="0.1.0",config_version="c1"}': 1,
      machine_cpu_usage_ratio: 0.25,
      machine_temperature_celsius: 51.5,
      'machine_throttled{reason="under_voltage",when="now"}': 1,
      'machine_throttled{reason="throttled",when="since_boot"}': 0,
      clock_synced: 1,
      clock_ahead_of_hub_seconds: -0.25,
      'camera_state{camera_id="cam01",state="recording"}': 1,
      'camera_state{camera_id="cam01",state="stalled"}': 0,
      'camera_fps{camera_id="cam01"}': 29.97,
      'camera_fps_asked{camera_id="cam01"}': 30,
      'camera_restarts_total{camera_id="cam02"}': 7,
      'camera_fallback{camera_id="cam02"}': 1,
      cameras_recording: 1,
      spool_waiting_segments: 3,
      spool_oldest_waiting_seconds: 3600,
      spool_horizon_seconds: 400_000,
      'spool_pressure{step="compressed"}': 1,
      'spool_pressure_steps_total{step="evicted"}': 12,
      'uploads_total{result="failed"}': 4,
      uploads_failing_seconds: 600,
      'archive_state{state="unreachable"}': 1,
      hub_response_seconds: 0.012,
      'errors_total{module="uploader"}': 4,
      'alerts{severity="critical"}': 1,
      'alert{code="camera_down",camera_id="cam02"}': 1,
      spool_lost_segments_total: 2,
    };
    for (const [name, value] of Object.entries(expected)) {
      expect({ name, value: series.get(metricPrefix + name) }).toEqual({ name, value });
    }
  });

  test("leaves out what a node cannot tell", async () => {
    const series = parse(await textOf(idleStatus()));
    const names = new Set(
      [...series.keys()].map((key) => key.replace(/\{.*/, "").slice(metricPrefix.length)),
    );
    for (const name of [
      "camera_fps",
      "machine_temperature_celsius",
      "clock_synced",
      "hub_response_seconds",
      "upload_eta_seconds",
    ])
      expect(names).not.toContain(name);
    expect(names).toContain("info");
  });

  test("holds whatever modules and versions are called", async () => {
    const hostile = 'a"b\\c\nd{}';
    const status = { ...idleStatus(), software_version: hostile, error_counts: { [hostile]: 1 } };
    expect(parse(await textOf(status)).get(`${metricPrefix}errors_total{module="a\\"b\\\\c\\nd{}"}`)).toBe(1);
  });

  test("does not grow with what comes and goes", async () => {
    const many = idleStatus();
    many.alerts = Array.from({ length: 200 }, () =>
      reportedAlert({ cleared_at: "2025-09-23T06:00:00.000Z" }),
    );
    expect((await textOf(many)).length).toBe((await textOf(idleStatus())).length);
    const cameras = Array.from({ length: 64 }, (_, i) => cameraStatus({ camera_id: `cam${i}` }));
    expect((await textOf({ ...busyStatus(), cameras })).length).toBeLessThan(200_000);
  });

  testIf(promtool !== undefined, "needs promtool, of the Debian package prometheus")(
    "passes promtool's check",
    async () => {
      for (const status of [busyStatus(), idleStatus()]) {
        const { exitCode, stderrTail, stdout } = await runChild({
          argv: [promtool as string, "check", "metrics"],
          stdin: new TextEncoder().encode(await textOf(status)),
          timeoutMs: 20_000,
        });
        expect({ exitCode, said: stderrTail + new TextDecoder().decode(stdout) }).toEqual({
          exitCode: 0,
          said: "",
        });
      }
    },
  );
});

describe("docs/metrics.md", () => {
  const doc = () => Bun.file(join(import.meta.dir, "../../../docs/metrics.md")).text();

  test("has every metric, with its type, its labels and its help, and no other", async () => {
    const rows = [...(await doc()).matchAll(/^\| `(livecam_edge_\w+)` \| (\w+) \| (.*?) ?\| (.+) \|$/gm)].map(
      ([, name, type, labels = "", help]) => ({
        name,
        type,
        help,
        labels: [...labels.matchAll(/\w+/g)].map(String),
      }),
    );
    expect(rows).toEqual(
      allMetrics.map(({ name, type, help, labels = [] }) => ({
        name: metricPrefix + name,
        type,
        help,
        labels: [...labels],
      })),
    );
  });

  test("names are as Prometheus wants them", () => {
    for (const { name, type } of allMetrics) {
      expect(name).toMatch(/^[a-z][a-z0-9_]+$/);
      expect({ name, total: name.endsWith("_total") }).toEqual({ name, total: type === "counter" });
    }
    expect(new Set(allMetrics.map(({ name }) => name)).size).toBe(allMetrics.length);
  });

  testIf(promtool !== undefined, "needs promtool, of the Debian package prometheus")(
    "has rules that promtool takes",
    async () => {
      const rules = /```yaml\n(groups:[\s\S]*?)```/.exec(await doc())?.[1] ?? "";
      const path = `/tmp/livecam-rules-${crypto.randomUUID()}.yml`;
      await Bun.write(path, rules);
      try {
        const { exitCode, stderrTail } = await runChild({
          argv: [promtool as string, "check", "rules", path],
          timeoutMs: 20_000,
        });
        expect({ exitCode, stderrTail }).toEqual({ exitCode: 0, stderrTail: "" });
      } finally {
        await Bun.file(path).delete();
      }
      const used = new Set(
        [...rules.matchAll(/livecam_edge_\w+/g)].map(([name]) => name.slice(metricPrefix.length)),
      );
      for (const name of used) expect(allMetrics.map((metric) => metric.name)).toContain(name);
    },
  );
});

describe("the listener", () => {
  const open: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const server of open.splice(0)) await server[Symbol.asyncDispose]();
  });
  const serve = (options: { token?: Secret; status?: () => Promise<EdgeStatus> } = {}) => {
    const server = serveMetrics({
      ...{ hostname: "127.0.0.1", port: 0, clock: systemClock, logger: createLogger("metrics") },
      token: options.token,
      status: options.status ?? (async () => idleStatus()),
    });
    open.push(server);
    return server.url;
  };

  test("answers /metrics, and nothing else", async () => {
    const url = serve();
    const response = await fetch(`${url}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain("version=0.0.4");
    parse(await response.text());
    expect((await fetch(`${url}/metrics`, { method: "HEAD" })).status).toBe(200);
    expect((await fetch(`${url}/metrics`, { method: "POST", body: "x" })).status).toBe(405);
    for (const path of ["/", "/metrics/", "/status", "/metrics/../etc/passwd", "/%6detrics%00"])
      expect((await fetch(url + path)).status).toBe(404);
  });

  test("asks for its token, whole and exact", async () => {
    const url = serve({ token: new Secret("s3cret") });
    const statusFor = async (authorization: string) =>
      (await fetch(`${url}/metrics`, { headers: authorization ? { authorization } : {} })).status;
    for (const shown of [
      "",
      "s3cret",
      "Bearer",
      "Bearer s3cre",
      "Bearer s3cret2",
      "bearer S3CRET",
      "Basic s3cret",
    ])
      expect({ shown, status: await statusFor(shown) }).toEqual({ shown, status: 401 });
    expect(await statusFor("Bearer s3cret")).toBe(200);
    expect((await fetch(`${url}/metrics?token=s3cret`)).status).toBe(401);
  });

  test("looks once for a hundred readers at a time", async () => {
    let looks = 0;
    const url = serve({
      status: async () => {
        looks++;
        await Bun.sleep(20);
        return idleStatus();
      },
    });
    const answers = await Promise.all(Array.from({ length: 100 }, () => fetch(`${url}/metrics`)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(looks).toBe(1);
  });

  test("says so when it cannot tell, and can again", async () => {
    let fails = true;
    const url = serve({
      status: async () => {
        if (fails) throw new Error("no");
        return idleStatus();
      },
    });
    expect((await fetch(`${url}/metrics`)).status).toBe(500);
    fails = false;
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
  });

  test("cannot have an address that is taken, and says which", () => {
    const url = new URL(serve());
    const again = () =>
      serveMetrics({
        ...{ hostname: "127.0.0.1", port: Number(url.port), token: undefined, clock: systemClock },
        ...{ status: async () => idleStatus(), logger: createLogger("metrics") },
      });
    expect(again).toThrow(`cannot listen on 127.0.0.1 port ${url.port}`);
  });
});
