import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { ReportedAlert } from "../../../src/common/protocol/alert.ts";
import { AlertBook } from "../../../src/edge/health/alert-book.ts";
import {
  type AlertCode,
  type AlertFacts,
  alertCodes,
  conditionsOf,
} from "../../../src/edge/health/alert-rules.ts";
import { alertThresholdsOf } from "../../../src/edge/health-config.ts";
import { alertFacts, cameraStatus, type FactChanges } from "../../support/alert-facts.ts";

const health = {
  alerts: {
    camera_failures: 5,
    horizon_hours: 3,
    uploads_failing_minutes: 10,
    waiting_minutes: 60,
    paused_hours: 12,
    temperature_celsius: 80,
  },
};
const thresholds = alertThresholdsOf({ health, upload: {} });
const second = 1000;
const minute = 60_000;
const throttled = (name: string) => {
  const none = {
    under_voltage: false,
    frequency_capped: false,
    throttled: false,
    soft_temperature_limit: false,
  };
  return {
    system: { throttling: { now: { ...none, ...(name && { [name]: true }) }, since_boot: none } },
  };
};
const clock = (state: "synced" | "unsynced" | "unknown", ahead: number | null = 0) => ({
  system: { clock: { state, source: null, ahead_of_hub_ms: ahead } },
});
const camera = (more: Parameters<typeof cameraStatus>[0]) => ({ cameras: [cameraStatus(more)] });

/** Looks every second for so long, as the watch does. */
class Watched {
  readonly book = new AlertBook();
  #nowMs = Date.parse("2025-09-23T06:00:00Z");

  during(changes: FactChanges, ms: number): AlertCode[] {
    for (let elapsedMs = 0; elapsedMs <= ms; elapsedMs += second) {
      this.#nowMs += second;
      const facts: AlertFacts = alertFacts(changes, this.#nowMs);
      const conditions = conditionsOf(facts, thresholds, (code, id) => this.book.isActive(code, id));
      this.book.update(conditions, { wallMs: this.#nowMs, monotonicMs: this.#nowMs - 1e12 });
    }
    return this.active();
  }

  active(): AlertCode[] {
    return this.book
      .list()
      .flatMap(({ code, cleared_at }) => (cleared_at === null ? [code as AlertCode] : []));
  }
}

test("a node that is well has nothing to tell", () => {
  const watched = new Watched();
  watched.during({}, 10 * minute);
  expect(watched.book.list()).toEqual([]);
});

/** What is wrong, how long it is not told yet, and what ends it. */
const rules: [string, AlertCode, FactChanges, number, FactChanges, number][] = [
  [
    "a camera that failed five times",
    "camera_down",
    camera({ state: "retrying", failures_in_row: 5 }),
    0,
    {},
    10 * second,
  ],
  [
    "a camera whose picture is replaced",
    ...([
      "camera_down",
      camera({ state: "starting", fallback_since: "2025-09-23T05:00:00.000Z" }),
      0,
    ] as const),
    ...([{}, 10 * second] as const),
  ],
  [
    "a camera that never starts",
    "camera_down",
    camera({ state: "starting", fps: null }),
    90 * second,
    {},
    10 * second,
  ],
  [
    "a camera that hangs",
    "camera_down",
    camera({ state: "stalled", fps: null }),
    90 * second,
    {},
    10 * second,
  ],
  [
    "a camera of few frames",
    "camera_slow",
    camera({ fps: 17, fps_asked: 30 }),
    minute,
    camera({ fps: 23, fps_asked: 30 }),
    minute,
  ],
  [
    "a camera that was paused long ago",
    "camera_paused",
    camera({ state: "paused", fps: null, paused_since: "2025-09-22T18:00:00.000Z" }),
    0,
    {},
    0,
  ],
  [
    "a camera that is paused since nobody knows when",
    "camera_paused",
    camera({ state: "paused", fps: null, paused_since: null }),
    0,
    {},
    0,
  ],
  [
    "a disk that takes nothing",
    "spool_failing",
    camera({ state: "retrying", spool_failing: true }),
    0,
    {},
    10 * second,
  ],
  ["a disk that fills", "spool_compressed", { spool: { pressure: "compressed" } }, 0, {}, 0],
  ["a disk that is full", "spool_full", { spool: { pressure: "stopped" } }, 0, {}, 0],
  [
    "a short horizon",
    "horizon_short",
    { spool: { horizon_seconds: 10_799 } },
    minute,
    { spool: { horizon_seconds: 12_961 } },
    minute,
  ],
  ["damaged segments", "segments_quarantined", { spool: { quarantined_segments: 1 } }, 0, {}, 0],
  [
    "segments that the hub will not have",
    "segments_conflicting",
    { spool: { conflicting_segments: 2 } },
    0,
    {},
    0,
  ],
  [
    "uploads that fail",
    "uploads_failing",
    { uploads: { failing_since: "2025-09-23T05:00:00.000Z", last_error: "gone" } },
    10 * minute,
    {},
    0,
  ],
  [
    "a segment that waits long",
    ...([
      "waiting_long",
      { spool: { waiting_segments: 9, oldest_waiting_at: "2025-09-23T04:00:00.000Z" } },
      minute,
    ] as const),
    ...([{}, minute] as const),
  ],
  [
    "another archive",
    "archive_mismatch",
    { uploads: { archive: "other_archive" } },
    0,
    { uploads: { archive: "reachable" } },
    0,
  ],
  ["a clock that is not set", "clock_unsynced", clock("unsynced"), 5 * minute, clock("synced"), 0],
  ["a clock that is ahead", "clock_off", clock("synced", 5_001), minute, clock("synced", 2_999), minute],
  ["a clock that is behind", "clock_off", clock("unknown", -9_000), minute, clock("unknown", -1), minute],
  ["a weak power supply", "under_voltage", throttled("under_voltage"), 0, throttled(""), 10 * minute],
  [
    "a processor that is slowed down",
    "throttled",
    throttled("throttled"),
    30 * second,
    throttled(""),
    10 * minute,
  ],
  ["a capped clock", "throttled", throttled("frequency_capped"), 30 * second, throttled(""), 10 * minute],
  [
    "heat that the firmware limits",
    "throttled",
    throttled("soft_temperature_limit"),
    30 * second,
    throttled(""),
    10 * minute,
  ],
  [
    "heat",
    "temperature_high",
    { system: { temperature_celsius: 80 } },
    30 * second,
    { system: { temperature_celsius: 74.9 } },
    minute,
  ],
  ["a config that is refused", "config_refused", { configError: "cameras.0.id: expected" }, 0, {}, 0],
];

describe("told in time, and over in time:", () => {
  test.each(rules)("%s is %s", (_what, code, wrong, raiseAfterMs, right, clearAfterMs) => {
    const watched = new Watched();
    watched.during({}, 5 * second);
    if (raiseAfterMs > 0) expect(watched.during(wrong, raiseAfterMs - 2 * second)).toEqual([]);
    expect(watched.during(wrong, 2 * second)).toEqual([code]);
    if (clearAfterMs > 0) expect(watched.during(right, clearAfterMs - 2 * second)).toEqual([code]);
    expect(watched.during(right, 2 * second)).toEqual([]);
    for (const alert of watched.book.list()) {
      expect(v.is(ReportedAlert, alert)).toBe(true);
      expect(alert).toMatchObject({ code, count: 1, cleared_at: expect.any(String) });
    }
  });

  test("every code has a rule", () => {
    const tried = new Set<AlertCode>([...rules.map(([, code]) => code), "segments_lost", "node_id_taken"]);
    expect([...tried].sort()).toEqual([...alertCodes].sort());
  });
});

describe("hysteresis: a figure between the two thresholds", () => {
  test.each([
    ["camera_slow", camera({ fps: 17, fps_asked: 30 }), camera({ fps: 22, fps_asked: 30 })],
    ["horizon_short", { spool: { horizon_seconds: 10_000 } }, { spool: { horizon_seconds: 12_959 } }],
    ["clock_off", clock("synced", 6_000), clock("synced", 4_000)],
    ["temperature_high", { system: { temperature_celsius: 85 } }, { system: { temperature_celsius: 76 } }],
  ] as [AlertCode, FactChanges, FactChanges][])("%s stays as it was", (code, wrong, between) => {
    const watched = new Watched();
    expect(watched.during(between, 20 * minute)).toEqual([]);
    expect(watched.during(wrong, 2 * minute)).toEqual([code]);
    expect(watched.during(between, 20 * minute)).toEqual([code]);
  });

  test("and a flutter is one alert at most", () => {
    const watched = new Watched();
    for (let i = 0; i < 100; i++) {
      watched.during({ system: { temperature_celsius: 81 } }, 20 * second);
      watched.during({ system: { temperature_celsius: 60 } }, 20 * second);
    }
    expect(watched.book.list()).toEqual([]);
    for (let i = 0; i < 100; i++) {
      watched.during(throttled("under_voltage"), second);
      watched.during(throttled(""), minute);
    }
    expect(watched.book.list()).toMatchObject([{ code: "under_voltage", count: 1 }]);
  });
});

describe("no alert", () => {
  const fine: [string, FactChanges][] = [
    [
      "a camera that is paused",
      camera({ state: "paused", fps: null, failures_in_row: 9, paused_since: "2025-09-22T20:00:00.000Z" }),
    ],
    ["a camera that was stopped", camera({ state: "stopped", fps: null })],
    ["a camera of which nobody asks a rate", camera({ fps: 3, fps_asked: null })],
    ["a camera that failed, but not so often", camera({ state: "retrying", failures_in_row: 4 })],
    ["a horizon that nobody knows", { spool: { horizon_seconds: null } }],
    [
      "segments that wait outside the windows",
      { uploads: { state: "outside_window" }, spool: { oldest_waiting_at: "2025-09-20T00:00:00.000Z" } },
    ],
    [
      "a machine that tells nothing",
      { system: { throttling: null, temperature_celsius: null, clock: undefined } },
    ],
    [
      "a node of an older release",
      { uploads: undefined, spool: { pressure: undefined, horizon_seconds: undefined } },
    ],
  ];
  test.each(fine)("of %s", (_what, changes) => {
    expect(new Watched().during(changes, minute)).toEqual([]);
  });

  test("of a day's backlog, where uploads have windows", () => {
    const changes = { spool: { oldest_waiting_at: "2025-09-22T12:00:00.000Z" } };
    expect(new Watched().during(changes, 5 * minute)).toEqual(["waiting_long"]);
    const facts = alertFacts(changes, Date.parse("2025-09-23T06:00:00Z"));
    const withWindows = alertThresholdsOf({ health, upload: { windows: ["22:00-06:00"] } });
    const holds = (limits: typeof thresholds) =>
      conditionsOf(facts, limits, () => false).find(({ code }) => code === "waiting_long")?.holds;
    expect([holds(thresholds), holds(withWindows)]).toEqual([true, false]);
  });
});

test("a second node of the same id is told for as long as the two take the link from each other", () => {
  const watched = new Watched();
  expect(watched.during({ displaced: 0 }, minute)).toEqual([]);
  for (let times = 1; times < 5; times++)
    expect(watched.during({ displaced: times }, 2 * minute)).toEqual(["node_id_taken"]);
  expect(watched.during({ displaced: 4 }, 8 * minute)).toEqual([]);
  // A restart counts anew.
  expect(watched.during({ displaced: 0 }, minute)).toEqual([]);
  expect(watched.during({ displaced: 1 }, minute)).toEqual(["node_id_taken"]);
});

describe("loss", () => {
  test("is told when it happens, for an hour, and not for what was lost before", () => {
    const watched = new Watched();
    expect(watched.during({ spool: { lost_segments: 7 } }, minute)).toEqual([]);
    expect(watched.during({ spool: { lost_segments: 8 } }, 0)).toEqual(["segments_lost"]);
    expect(watched.during({ spool: { lost_segments: 8 } }, 59 * minute)).toEqual(["segments_lost"]);
    expect(watched.during({ spool: { lost_segments: 8 } }, 2 * minute)).toEqual([]);
  });
});
