import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";
import { ReportedAlert } from "../../../src/common/protocol/alert.ts";
import { AlertBook } from "../../../src/edge/health/alert-book.ts";
import type { Condition } from "../../../src/edge/health/alert-rules.ts";

const startMs = Date.parse("2025-09-23T06:00:00Z");
const at = (ms: number) => ({ wallMs: startMs + ms, monotonicMs: ms });
const condition = (holds: boolean | undefined, more: Partial<Condition> = {}): Condition => ({
  ...{ code: "temperature_high", cameraId: null, severity: "warning", holds, message: "hot", params: {} },
  ...{ raiseAfterMs: 0, clearAfterMs: 0 },
  ...more,
});

describe("what the hub has not heard of", () => {
  test("is kept after its end, and is one however often it came", () => {
    const book = new AlertBook();
    for (let i = 0; i < 5; i++) {
      book.update([condition(true)], at(i * 10_000));
      book.update([condition(false)], at(i * 10_000 + 5_000));
    }
    const told = book.list();
    expect(told).toMatchObject([
      { count: 5, raised_at: "2025-09-23T06:00:00.000Z", cleared_at: "2025-09-23T06:00:45.000Z" },
    ]);
    expect(book.heard(told)).toBe(true);
    expect(book.list()).toEqual([]);
    book.update([condition(true)], at(60_000));
    expect(book.list()).toMatchObject([{ count: 1, cleared_at: null }]);
    expect(book.list()[0]?.alert_id).not.toBe(told[0]?.alert_id as string);
  });

  test("is not taken for heard when it went on, came again or ended after it was told", () => {
    const book = new AlertBook();
    book.update([condition(true)], at(0));
    const whileItGoesOn = book.list();
    book.update([condition(false)], at(1_000));
    expect(book.heard(whileItGoesOn)).toBe(false);
    const ended = book.list();
    book.update([condition(true)], at(2_000));
    expect(book.heard(ended)).toBe(false);
    expect(book.list()).toMatchObject([{ count: 2, cleared_at: null, alert_id: ended[0]?.alert_id }]);
    book.update([condition(false)], at(3_000));
    expect(book.heard(ended)).toBe(false);
    expect(book.heard(book.list())).toBe(true);
  });

  test("survives a restart, also what goes on", () => {
    const book = new AlertBook();
    const other = { code: "throttled" } as const;
    book.update([condition(true), condition(true, other)], at(0));
    book.update([condition(false), condition(true, other)], at(1_000));
    const again = new AlertBook(JSON.parse(JSON.stringify(book.memory())));
    expect(again.list()).toEqual(book.list());
    again.update([condition(false), condition(true, other)], at(9_000));
    expect(again.list()).toMatchObject([
      { code: "throttled", cleared_at: null, count: 1 },
      { code: "temperature_high", cleared_at: "2025-09-23T06:00:01.000Z" },
    ]);
  });
});

test("what nobody can tell stays as it was", () => {
  const book = new AlertBook();
  book.update([condition(undefined)], at(0));
  expect(book.list()).toEqual([]);
  book.update([condition(true)], at(1));
  book.update([condition(undefined)], at(100_000));
  expect(book.list()).toMatchObject([{ cleared_at: null }]);
});

test("what a camera had ends with the camera", () => {
  const book = new AlertBook();
  book.update([condition(true, { code: "camera_down", cameraId: "cam02" })], at(0));
  const { cleared } = book.update([], at(1_000));
  expect(cleared).toMatchObject([{ camera_id: "cam02", cleared_at: "2025-09-23T06:00:01.000Z" }]);
});

test("a loss while the process was down is told by the next one", () => {
  const counting = (count: number) => [
    condition(undefined, { code: "segments_lost", counter: { count, quietMs: 1e6 } }),
  ];
  const book = new AlertBook();
  expect(book.update(counting(3), at(0)).isChanged).toBe(true);
  const again = new AlertBook(book.memory());
  again.update(counting(4), at(0));
  expect(again.list()).toMatchObject([{ code: "segments_lost", cleared_at: null }]);
});

test("the words of what goes on are brought up to date, but not all the time", () => {
  const book = new AlertBook();
  const hot = (celsius: number) => [condition(true, { params: { celsius } })];
  book.update(hot(81), at(0));
  book.update(hot(82), at(59_000));
  expect(book.list()).toMatchObject([{ params: { celsius: 81 } }]);
  book.update(hot(83), at(60_000));
  expect(book.list()).toMatchObject([{ params: { celsius: 83 }, count: 1 }]);
});

test("foreign words are fit for the wire, and the gravest of too many are told", () => {
  const book = new AlertBook();
  const hostile = `\u001b[31m<b>\u0000\r\n${"한".repeat(2000)}`;
  book.update(
    Array.from({ length: 300 }, (_, i) =>
      condition(true, {
        ...{ code: "camera_down", cameraId: `c${i}`, message: hostile, params: { error: hostile } },
        severity: i === 299 ? "critical" : "warning",
      }),
    ),
    at(0),
  );
  const told = book.list();
  expect(told.length).toBeGreaterThan(20);
  expect(told.length).toBeLessThanOrEqual(200);
  expect(Buffer.byteLength(JSON.stringify(told))).toBeLessThan(100 * 1024);
  expect(told[0]).toMatchObject({ camera_id: "c299" });
  for (const alert of told) expect(v.is(ReportedAlert, alert)).toBe(true);
});

test("nothing that was ever raised is lost, whatever comes, goes and is heard of", () => {
  const step = fc.record({
    holds: fc.constantFrom(true, false, undefined),
    hears: fc.boolean(),
    restarts: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let book = new AlertBook();
      let raised = 0;
      /** By id, what a hub would have. */
      const hub = new Map<string, number>();
      steps.forEach(({ holds, hears, restarts }, i) => {
        raised += book.update([condition(holds)], at(i * 1000)).raised.length;
        if (hears) {
          const told = book.list();
          for (const { alert_id, count } of told) hub.set(alert_id, count);
          book.heard(told);
        }
        if (restarts) book = new AlertBook(JSON.parse(JSON.stringify(book.memory())));
      });
      for (const { alert_id, count } of book.list()) hub.set(alert_id, count);
      expect([...hub.values()].reduce((sum, count) => sum + count, 0)).toBe(raised);
    }),
  );
});
