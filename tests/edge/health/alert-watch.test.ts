import { describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createLogger } from "../../../src/common/log.ts";
import type { AlertFacts } from "../../../src/edge/health/alert-rules.ts";
import { AlertWatch } from "../../../src/edge/health/alert-watch.ts";
import { alertThresholdsOf } from "../../../src/edge/health-config.ts";
import { alertFacts, type FactChanges } from "../../support/alert-facts.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";

const startMs = Date.parse("2025-09-23T06:00:00Z");
const thresholds = alertThresholdsOf({
  health: {
    alerts: {
      ...{ camera_failures: 5, horizon_hours: 3, uploads_failing_minutes: 10, waiting_minutes: 60 },
      paused_hours: 12,
      temperature_celsius: 80,
    },
  },
  upload: {},
});
const full: FactChanges = { spool: { pressure: "stopped" } };

function setUp(path: string) {
  const clock = new FakeClock(startMs);
  const at = {
    clock,
    changes: {} as FactChanges,
    fails: false,
    news: 0,
    open: () =>
      AlertWatch.open({
        ...{ path, clock, logger: createLogger("alerts"), intervalMs: 1 },
        thresholds: () => thresholds,
        facts: async (): Promise<AlertFacts> => {
          if (at.fails) throw new Error("no facts");
          return alertFacts(at.changes, clock.wallMs());
        },
        onChange: () => at.news++,
      }),
  };
  return at;
}

describe("the watch", () => {
  test("has written down what it raised before anybody hears of it, and knows it after a restart", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "alerts.json");
    const at = setUp(path);
    const watch = await at.open();
    await watch.look();
    expect(at.news).toBe(0);
    at.changes = full;
    await watch.look();
    expect([at.news, JSON.parse(await readFile(path, "utf8")).alerts]).toEqual([1, watch.list()]);
    expect((await at.open()).list()).toMatchObject([{ code: "spool_full", cleared_at: null }]);
  });

  test("forgets what is over once it was heard, in the file too", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "alerts.json");
    const at = setUp(path);
    const watch = await at.open();
    for (const changes of [full, {}]) {
      at.changes = changes;
      await watch.look();
    }
    expect(watch.list()).toMatchObject([{ cleared_at: expect.any(String) }]);
    watch.heard(watch.list());
    await watch.look();
    expect([watch.list(), (await at.open()).list(), at.news]).toEqual([[], [], 2]);
  });

  test("goes on when the disk takes nothing, and writes when it does again", async () => {
    await using folder = await temporaryFolder();
    const gone = join(folder.path, "gone");
    const path = join(gone, "alerts.json");
    const at = setUp(path);
    const watch = await at.open();
    at.changes = full;
    await watch.look();
    await watch.look();
    expect([watch.list().length, at.news]).toEqual([1, 1]);
    await mkdir(gone);
    await watch.look();
    expect(JSON.parse(await readFile(path, "utf8")).alerts).toEqual(watch.list());
    expect(await readdir(gone)).toEqual(["alerts.json"]);
  });

  test("goes on after a look that fails, until it is stopped", async () => {
    await using folder = await temporaryFolder();
    const at = setUp(join(folder.path, "alerts.json"));
    const watch = await at.open();
    at.fails = true;
    at.changes = full;
    const stop = new AbortController();
    const running = watch.run(stop.signal);
    await Bun.sleep(10);
    expect(watch.list()).toEqual([]);
    at.fails = false;
    while (watch.list().length === 0) await Bun.sleep(1);
    stop.abort();
    await running;
  });

  test.each([
    ["nothing", ""],
    ["half a file", '{"alerts":[{"alert_id'],
    ["something else", "[1,2]"],
    ["another form", '{"alerts":[{"code":"x"}],"counters":{}}'],
    ["impossible counts", '{"alerts":[],"counters":{"segments_lost":-1}}'],
  ])("begins anew where the file has %s", async (_what, text) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "alerts.json");
    await writeFile(path, text);
    const at = setUp(path);
    const watch = await at.open();
    at.changes = full;
    await watch.look();
    expect((await at.open()).list()).toHaveLength(1);
  });

  test("thresholds that change are in force with the next look", async () => {
    await using folder = await temporaryFolder();
    const clock = new FakeClock(startMs);
    let celsius = 80;
    const watch = await AlertWatch.open({
      ...{ path: join(folder.path, "alerts.json"), clock, logger: createLogger("alerts") },
      thresholds: () => ({ ...thresholds, temperatureCelsius: celsius }),
      facts: async () => alertFacts({ system: { temperature_celsius: 70 } }, clock.wallMs()),
      onChange: () => undefined,
    });
    const looks = async () => {
      await watch.look();
      clock.advance(31_000);
      await watch.look();
      return watch.list().map(({ code }) => code);
    };
    expect(await looks()).toEqual([]);
    celsius = 65;
    expect(await looks()).toEqual(["temperature_high"]);
  });
});
