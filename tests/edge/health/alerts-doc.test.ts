import { expect, test } from "bun:test";
import { join } from "node:path";
import { alertCodes, conditionsOf } from "../../../src/edge/health/alert-rules.ts";
import { alertThresholdsOf } from "../../../src/edge/health-config.ts";
import { silentCode } from "../../../src/hub/alerts/silence-watch.ts";
import { alertFacts, cameraStatus } from "../../support/alert-facts.ts";

test("docs/alerts.md has every code, with its severity and its params", async () => {
  const text = await Bun.file(join(import.meta.dir, "../../../docs/alerts.md")).text();
  const rows = new Map(
    [...text.matchAll(/^\| `(\w+)` \| (\w+) \|.*\|([^|]*)\|$/gm)].map(
      ([, code = "", severity, params = ""]) => [
        code,
        { severity, params: [...params.matchAll(/`(\w+)`/g)].map(([, name]) => name as string) },
      ],
    ),
  );
  expect([...rows.keys()].sort()).toEqual([...alertCodes, silentCode].sort());

  const health = {
    alerts: {
      ...{ camera_failures: 5, horizon_hours: 3, uploads_failing_minutes: 10, waiting_minutes: 60 },
      paused_hours: 12,
      temperature_celsius: 80,
    },
  };
  const changes = {
    cameras: [cameraStatus({ paused_since: "2025-09-23T04:00:00.000Z" })],
    spool: { oldest_waiting_at: "2025-09-23T04:00:00.000Z" },
    uploads: { failing_since: "2025-09-23T04:00:00.000Z" },
  };
  const conditions = conditionsOf(
    alertFacts(changes, Date.parse("2025-09-23T06:00:00Z")),
    alertThresholdsOf({ health, upload: {} }),
    () => false,
  );
  for (const { code, severity, params } of conditions) {
    expect({ code, ...rows.get(code) }).toEqual({ code, severity, params: Object.keys(params) });
  }
});
