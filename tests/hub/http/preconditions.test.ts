import { describe, expect, test } from "bun:test";
import {
  type ConditionalHeaders,
  checkPreconditions,
  formatHttpDate,
  ifRangeHolds,
  parseHttpDate,
} from "../../../src/hub/http/preconditions.ts";

const known = { etag: '"abc"', lastModifiedMs: Date.UTC(2025, 8, 23, 6, 30, 0, 750) };
const at = "Tue, 23 Sep 2025 06:30:00 GMT";
const before = "Tue, 23 Sep 2025 06:29:59 GMT";
const after = "Tue, 23 Sep 2025 06:30:01 GMT";
const none: ConditionalHeaders = {
  ifMatch: undefined,
  ifNoneMatch: undefined,
  ifModifiedSince: undefined,
  ifUnmodifiedSince: undefined,
  ifRange: undefined,
};

describe("checkPreconditions", () => {
  const table: [Partial<ConditionalHeaders>, "proceed" | "not_modified" | "failed"][] = [
    [{}, "proceed"],
    [{ ifMatch: '"abc"' }, "proceed"],
    [{ ifMatch: '"x", "abc"' }, "proceed"],
    [{ ifMatch: "*" }, "proceed"],
    [{ ifMatch: 'W/"abc"' }, "failed"],
    [{ ifMatch: '"x"' }, "failed"],
    [{ ifMatch: "abc" }, "failed"],
    [{ ifMatch: '"abc"', ifUnmodifiedSince: before }, "proceed"],
    [{ ifUnmodifiedSince: at }, "proceed"],
    [{ ifUnmodifiedSince: before }, "failed"],
    [{ ifUnmodifiedSince: "yesterday" }, "proceed"],
    [{ ifNoneMatch: '"abc"' }, "not_modified"],
    [{ ifNoneMatch: 'W/"abc"' }, "not_modified"],
    [{ ifNoneMatch: '"x",W/"abc"' }, "not_modified"],
    [{ ifNoneMatch: "*" }, "not_modified"],
    [{ ifNoneMatch: '"x"' }, "proceed"],
    [{ ifNoneMatch: '"x"', ifModifiedSince: at }, "proceed"],
    [{ ifModifiedSince: at }, "not_modified"],
    [{ ifModifiedSince: after }, "not_modified"],
    [{ ifModifiedSince: before }, "proceed"],
    [{ ifModifiedSince: "" }, "proceed"],
    [{ ifMatch: '"x"', ifNoneMatch: '"abc"' }, "failed"],
  ];
  for (const [headers, expected] of table) {
    test(`${JSON.stringify(headers)}: ${expected}`, () => {
      expect(checkPreconditions({ ...none, ...headers }, known)).toBe(expected);
    });
  }
});

test("If-Range holds for the very same tag or date only", () => {
  const holds = (value: string | undefined) => ifRangeHolds(value, known);
  expect([undefined, '"abc"', at].map(holds)).toEqual([true, true, true]);
  expect(['W/"abc"', '"x"', "abc", "", before, after, "*"].map(holds)).toEqual(Array(7).fill(false));
});

test("dates in the three forms of RFC 9110 section 5.6.7", () => {
  const expected = Date.UTC(1994, 10, 6, 8, 49, 37);
  expect(parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT")).toBe(expected);
  expect(parseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT")).toBe(expected);
  expect(parseHttpDate("Sun Nov  6 08:49:37 1994")).toBe(expected);
  expect(parseHttpDate(formatHttpDate(expected))).toBe(expected);
  for (const text of [
    "",
    "1994-11-06",
    "Sun, 31 Feb 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 25:49:37 GMT",
    "0",
  ]) {
    expect(parseHttpDate(text)).toBeUndefined();
  }
});
