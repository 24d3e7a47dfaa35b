import { expect, test } from "bun:test";
import { AppError } from "../../../src/common/errors.ts";
import { UploadTally } from "../../../src/edge/uploader/upload-tally.ts";

function tally() {
  let nowMs = 1_000;
  const counted = new UploadTally({ wallMs: () => nowMs, monotonicMs: () => 0 });
  return {
    counted,
    later: (ms: number) => {
      nowMs += ms;
    },
  };
}

test("uploads fail since the first that did, until one succeeds", () => {
  const { counted, later } = tally();
  expect(counted.counts()).toEqual({
    succeeded: 0,
    failed: 0,
    failingSinceMs: undefined,
    archive: "unknown",
  });
  counted.failed(new AppError("timeout", "no progress"));
  later(500);
  counted.failed(new AppError("unavailable", "gone"));
  expect(counted.counts()).toEqual({
    succeeded: 0,
    failed: 2,
    failingSinceMs: 1_000,
    archive: "unreachable",
  });
  counted.succeeded();
  expect(counted.counts()).toEqual({
    succeeded: 1,
    failed: 2,
    failingSinceMs: undefined,
    archive: "reachable",
  });
  counted.failed(new AppError("unavailable", "gone"));
  expect(counted.counts().failingSinceMs).toBe(1_500);
});

test.each([
  [
    "another archive",
    new AppError("unavailable", "", { details: { reason: "other_archive" } }),
    "other_archive",
  ],
  ["a full one", new AppError("io", "", { details: { side: "archive", errno: "ENOSPC" } }), "failing"],
  ["a spool that cannot be read", new AppError("io", ""), "reachable"],
  ["something unknown", new Error("?"), "reachable"],
] as const)("%s is told by its error", (_what, error, archive) => {
  const { counted } = tally();
  counted.succeeded();
  counted.failed(error);
  expect(counted.counts()).toMatchObject({ archive, failed: 1, failingSinceMs: 1_000 });
});

test("a damaged segment is no failing archive", () => {
  const { counted } = tally();
  counted.succeeded();
  counted.failed(new AppError("corrupt_file", "hash"));
  expect(counted.counts()).toEqual({
    succeeded: 1,
    failed: 1,
    failingSinceMs: undefined,
    archive: "reachable",
  });
});
