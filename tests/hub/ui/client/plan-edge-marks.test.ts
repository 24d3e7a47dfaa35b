import { expect, test } from "bun:test";
import { planEdgeMarks } from "../../../../src/hub/ui/client/player/plan-edge-marks.ts";
import type { OnEdge } from "../../../../src/hub/ui/client/player/timeline-data.ts";

const view = { fromMs: 0, toMs: 1_000 };
const words = { waiting: "on the edge", uploading: (share: number) => `uploading ${share * 100} %` };
const plan = (onEdge: OnEdge[], widthPx = 1_000, within = view) =>
  planEdgeMarks(onEdge, within, widthPx, { words, widthOf: (text) => text.length * 7 });
const video = (fromMs: number, toMs: number, status: OnEdge["status"], progress = 0): OnEdge => ({
  ...{ fromMs, toMs, status, progress },
});

test("wide bars are labelled themselves, and one that is sent shows how far it is", () => {
  const { bars, labels } = plan([
    video(100, 300, "uploading", 0.43),
    video(300, 400, "on_edge"),
    video(400, 500, "recording"),
  ]);
  expect(bars).toEqual([
    { x: 100, width: 200, done: 0.43 },
    { x: 300, width: 200, done: 0 },
  ]);
  expect(labels).toEqual([
    { text: "uploading 43 %", x: 106, width: 98, isBeside: false },
    { text: "on the edge", x: 306, width: 77, isBeside: false },
  ]);
});

test("what has no room on narrow bars stands beside them: behind, or before where the line ends", () => {
  const videos = [video(500, 510, "uploading", 0.43), video(510, 540, "on_edge")];
  expect(plan(videos).labels).toEqual([
    { text: "uploading 43 % · on the edge", x: 546, width: 196, isBeside: true },
  ]);
  expect(plan(videos, 1_000, { fromMs: -450, toMs: 550 }).labels[0]).toMatchObject({
    x: 748,
    isBeside: true,
  });
  expect(plan(videos, 100).labels[0]?.x).toBe(6);
});

test("what of an upload is done is that of what is seen of it", () => {
  const [half] = plan([video(-1_000, 1_000, "uploading", 0.75)]).bars;
  expect(half).toEqual({ x: 0, width: 1_000, done: 0.5 });
  expect(plan([video(-1_000, 1_000, "uploading", 0.25)]).bars[0]?.done).toBe(0);
  expect(plan([video(2_000, 3_000, "uploading", 0.5)])).toEqual({ bars: [], labels: [] });
});

test("a thousand that wait are one bar with one label", () => {
  const many = Array.from({ length: 1_000 }, (_, i) => video(i, i + 1, "on_edge"));
  expect(plan(many).bars).toHaveLength(1);
  expect(plan(many).labels).toHaveLength(1);
});
