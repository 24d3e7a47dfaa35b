import { expect, test } from "bun:test";
import fc from "fast-check";
import { type UploadOrder, UploadPlan } from "../../../src/edge/uploader/upload-plan.ts";

const segments = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    videoId: `v${i}`,
    cameraId: "cam01",
    startTimeMs: i,
    sizeBytes: 1,
  }));

const nothing = () => false;

/** Takes what is next until nothing is. */
function drain(plan: UploadPlan, count: number, nowMs = 0): string[] {
  let waiting = segments(count);
  const taken: string[] = [];
  for (;;) {
    const { next } = plan.next(waiting, nowMs, nothing);
    if (!next) return taken;
    taken.push(next.videoId);
    waiting = waiting.filter(({ videoId }) => videoId !== next.videoId);
  }
}

test("follows the order that was asked for", () => {
  expect(drain(new UploadPlan("oldest_first"), 4)).toEqual(["v0", "v1", "v2", "v3"]);
  expect(drain(new UploadPlan("newest_first"), 4)).toEqual(["v3", "v2", "v1", "v0"]);
});

test("what is held back comes last, in the order it was held back, and not before its time", () => {
  const plan = new UploadPlan("oldest_first");
  plan.holdBack("v2", "cancelled", 1000);
  plan.holdBack("v0", "cancelled", 1000);
  expect(drain(plan, 4, 1000)).toEqual(["v1", "v3"]);
  plan.holdBack("v2", "cancelled", 1000);
  plan.holdBack("v0", "cancelled", 1000);
  expect(plan.next(segments(1), 1000, nothing)).toEqual({ next: undefined, inMs: 60_000 });
  plan.holdBack("v2", "cancelled", 1000);
  plan.holdBack("v0", "cancelled", 1000);
  expect(drain(plan, 4, 61_000)).toEqual(["v1", "v3", "v2", "v0"]);
});

test.each(["oldest_first", "newest_first"] as const)(
  "what is under way is not next, %s, and keeps why it was held",
  (order) => {
    const plan = new UploadPlan(order);
    const [last, first] = order === "oldest_first" ? ["v2", "v0"] : ["v0", "v2"];
    expect(plan.next(segments(3), 0, (id) => id === first).next?.videoId).toBe("v1");
    expect(plan.next(segments(3), 0, (id) => id !== last).next?.videoId).toBe(last);
    plan.holdBack(first, "cancelled", 0);
    expect(plan.next(segments(3), 0, (id) => id === first).next?.videoId).toBe("v1");
    expect(plan.next(segments(3), 0, nothing).next?.videoId).toBe("v1");
    expect(plan.lastErrorOf(first)).toBe("cancelled");
  },
);

test("what is released has its place again", () => {
  const plan = new UploadPlan("oldest_first");
  plan.holdBack("v0", "cancelled", 0);
  plan.release("v0");
  expect(drain(plan, 2)).toEqual(["v0", "v1"]);
});

test("remembers why, and forgets what no longer waits", () => {
  const plan = new UploadPlan("oldest_first");
  plan.holdBack("v1", "disk error", 0);
  expect(plan.lastErrorOf("v1")).toBe("disk error");
  plan.next(segments(1), 0, nothing);
  expect(plan.lastErrorOf("v1")).toBeUndefined();
});

test("sooner or later takes every segment once, whatever was held back", () => {
  const order = fc.constantFrom<UploadOrder>("oldest_first", "newest_first");
  fc.assert(
    fc.property(order, fc.nat(30), fc.array(fc.nat(29)), (uploadOrder, count, held) => {
      const plan = new UploadPlan(uploadOrder);
      for (const i of held) plan.holdBack(`v${i}`, "x", 0);
      expect(drain(plan, count, 60_000).sort()).toEqual(
        segments(count)
          .map(({ videoId }) => videoId)
          .sort(),
      );
    }),
  );
});

test("what somebody waits for is next in any order, and behind it all is as before", () => {
  for (const order of ["oldest_first", "newest_first"] as const) {
    const plan = new UploadPlan(order, () => ["v2", "v9", "v1"]);
    const rest = order === "oldest_first" ? ["v0", "v3"] : ["v3", "v0"];
    expect(drain(plan, 4)).toEqual(["v2", "v1", ...rest]);
    expect(plan.order(segments(4)).map(({ videoId }) => videoId)).toEqual(["v2", "v1", ...rest]);
  }
  // One that fails for itself delays nobody, whoever waits for it.
  const plan = new UploadPlan("oldest_first", () => ["v2"]);
  plan.holdBack("v2", "it fails", 0);
  expect(drain(plan, 4, 61_000)).toEqual(["v0", "v1", "v3", "v2"]);
});
