import { describe, expect, test } from "bun:test";
import { camerasInStep, planStart } from "../../../src/hub/ui/plan-player.ts";
import { cameraOf, videoAt } from "./page-data.ts";

const hour = 3_600_000;
const day = { fromMs: 24 * hour, toMs: 48 * hour };
const videos = [
  videoAt(day.fromMs - 60_000),
  videoAt(30 * hour),
  videoAt(31 * hour),
  videoAt(32 * hour, { isMock: true }),
  videoAt(33 * hour, { status: "missing" }),
];

describe("the player begins", () => {
  const start = (more: Partial<Parameters<typeof planStart>[0]>) =>
    planStart({ askedMs: undefined, day, isNewestDay: false, videos, ...more });

  test("at the moment asked for", () => {
    expect(start({ askedMs: 5, isNewestDay: true, videos: [] })).toBe(5);
  });

  test("of the newest day with its newest footage, of another one with the first, in that day", () => {
    expect(start({ isNewestDay: true })).toBe(31 * hour);
    expect(start({})).toBe(day.fromMs);
    expect(start({ videos: videos.slice(1) })).toBe(30 * hour);
  });

  test("nowhere where nothing can be played", () => {
    expect(start({ videos: videos.slice(3) })).toBeUndefined();
    expect(start({ videos: [] })).toBeUndefined();
  });
});

test("cameras beside it are those that are known, each once, and never itself", () => {
  const all = ["cam01", "cam02", "cam03"].map((id) => cameraOf(id));
  const own = cameraOf("cam02");
  const { cameras, others } = camerasInStep(own, ["cam03", "nowhere", "cam03", "cam02"], all);
  expect(cameras.map(({ cameraId }) => cameraId)).toEqual(["cam02", "cam03"]);
  expect(others.map(({ cameraId }) => cameraId)).toEqual(["cam01", "cam03"]);
});

test("a day that has nothing in the archive begins with what is on the edge", () => {
  const onEdge = [
    { startTimeMs: 30 * hour, isMock: true },
    { startTimeMs: 31 * hour, isMock: false },
  ];
  const start = { askedMs: undefined, day, isNewestDay: true, videos: [], onEdge };
  expect(planStart(start)).toBe(31 * hour);
  expect(planStart({ ...start, onEdge: [] })).toBeUndefined();
});
