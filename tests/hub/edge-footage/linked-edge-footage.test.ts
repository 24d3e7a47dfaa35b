import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { systemClock } from "../../../src/common/clock.ts";
import { AppError } from "../../../src/common/errors.ts";
import { newUuidV7 } from "../../../src/common/ids.ts";
import { createLogger } from "../../../src/common/log.ts";
import { type NodeSegment, SegmentListRequest } from "../../../src/common/protocol/footage.ts";
import { formatWireTime } from "../../../src/common/protocol/wire.ts";
import { LinkedEdgeFootage } from "../../../src/hub/edge-footage/linked-edge-footage.ts";

const atMs = Date.parse("2025-09-23T06:30:00.000Z");
const minuteMs = 60_000;
const hour = { fromMs: atMs - 30 * minuteMs, toMs: atMs + 30 * minuteMs };

function segmentAt(startTimeMs: number, more: Partial<NodeSegment> = {}): NodeSegment {
  return {
    video_id: newUuidV7(startTimeMs),
    camera_id: "cam01",
    run_id: "6f1c1d3e-52d8-4f0e-9a43-0c5d2b7f8e11",
    sequence: 0,
    start_time: formatWireTime(startTimeMs),
    end_time: formatWireTime(startTimeMs + 10 * minuteMs),
    size_bytes: 1000,
    codec: "avc1.64001f",
    width: 640,
    height: 360,
    clock_state: "synced",
    state: "waiting",
    progress: 0,
    ...more,
  };
}

const listOf = (...segments: unknown[]) => ({ segments, has_more: false });

/** A node that answers what the test says, and how often it was asked. */
function setUp(answer: (params: { after?: string }, n: number) => unknown) {
  const clock = { ...systemClock, monotonicMs: () => world.monotonicMs, wallMs: () => atMs };
  const world = {
    monotonicMs: 0,
    isConnected: true,
    sinceMs: 1,
    asked: [] as unknown[],
    known: new Set<string>(),
    footage: undefined as unknown as LinkedEdgeFootage,
  };
  world.footage = new LinkedEdgeFootage({
    links: {
      stateOf: () => ({ isConnected: world.isConnected, sinceMs: world.sinceMs }),
      request: async (_node, method, params) => {
        world.asked.push([method, params]);
        return answer(params as { after?: string }, world.asked.length);
      },
    },
    nodeOfCamera: async (cameraId) => {
      if (cameraId !== "cam01") throw new AppError("not_found", "there is no such camera");
      return "node01";
    },
    isKnown: async (videoId) => world.known.has(videoId),
    clock,
    logger: createLogger("test"),
    patienceMs: 30,
  });
  return world;
}

describe("what is on the edge", () => {
  test("is what the node tells of the range, by start", async () => {
    // Dated anew when the clock was set: its id is of another time.
    const dated = segmentAt(atMs - 20 * minuteMs, {
      video_id: newUuidV7(atMs + 1),
      clock_state: "corrected",
    });
    const [uploading, before] = [
      segmentAt(atMs, { state: "uploading", progress: 0.43 }),
      segmentAt(atMs - 50 * minuteMs),
    ];
    const { footage, asked } = setUp(() => listOf(before, uploading, dated));
    const { videos, asOfMs, isCut } = await footage.list("cam01", hour);
    expect({ asOfMs, isCut }).toEqual({ asOfMs: atMs, isCut: false });
    expect(videos).toMatchObject([
      { videoId: dated.video_id, nodeId: "node01", status: "on_edge", isMock: false },
      { videoId: uploading.video_id, status: "uploading", progress: 0.43, startTimeMs: atMs },
    ]);
    expect(asked).toMatchObject([
      ["segments", { camera_id: "cam01", from: "2025-09-23T06:00:00.000Z", to: "2025-09-23T07:00:00.000Z" }],
    ]);
    await expect(footage.list("cam99", hour)).rejects.toMatchObject({ code: "not_found" });
  });

  test("is asked for within the years that can be written, whatever the range", async () => {
    const { footage, asked } = setUp(() => listOf(segmentAt(atMs)));
    const toMs = Date.parse("9999-12-31T23:59:59.999Z");
    const { videos } = await footage.list("cam01", { fromMs: Date.parse("0000-01-01T00:00:00Z"), toMs });
    expect(videos).toHaveLength(1);
    expect(asked).toMatchObject([
      ["segments", { from: "0000-01-01T00:00:00.000Z", to: "9999-12-31T23:00:00.000Z" }],
    ]);
    expect(v.is(SegmentListRequest, (asked[0] as unknown[])[1])).toBe(true);
    expect((await footage.list("cam01", { fromMs: toMs - 1, toMs })).videos).toEqual([]);
  });

  test("is asked for page by page, and not without end", async () => {
    let startTimeMs = atMs;
    const { footage, asked } = setUp(() => {
      startTimeMs += 1000;
      return { ...listOf(segmentAt(startTimeMs)), has_more: true };
    });
    const { videos, isCut } = await footage.list("cam01", hour);
    expect(asked).toHaveLength(10);
    expect(asked[1]).toMatchObject(["segments", { after: videos[0]?.videoId }]);
    expect(isCut).toBe(true);
  });

  test("is asked for once by those who ask at the same time, and again after two seconds", async () => {
    const world = setUp(() => listOf(segmentAt(atMs)));
    const { footage, asked } = world;
    await Promise.all([
      footage.list("cam01", hour),
      footage.list("cam01", { ...hour, fromMs: hour.fromMs + 1 }),
    ]);
    await footage.list("cam01", { ...hour, toMs: atMs + minuteMs });
    expect(asked).toHaveLength(1);
    world.monotonicMs += 2_000;
    await footage.list("cam01", hour);
    expect(asked).toHaveLength(2);
  });

  test("leaves out what the catalog has, whose acknowledgement the node did not hear", async () => {
    const [one, two] = [segmentAt(atMs, { state: "archived" }), segmentAt(atMs + 1, { state: "archived" })];
    const { footage, known } = setUp(() => listOf(one, two));
    known.add(one.video_id);
    expect((await footage.list("cam01", hour)).videos).toMatchObject([{ videoId: two.video_id }]);
  });

  test("is nothing while the node is away, and what another link told is not believed", async () => {
    const hangs = new Promise(() => undefined);
    const world = setUp((_, n) => (n === 1 ? listOf(segmentAt(atMs)) : hangs));
    expect((await world.footage.list("cam01", hour)).videos).toHaveLength(1);
    world.isConnected = false;
    expect(await world.footage.list("cam01", hour)).toEqual({ videos: [], asOfMs: undefined, isCut: false });
    Object.assign(world, { isConnected: true, sinceMs: 2 });
    expect((await world.footage.list("cam01", hour)).asOfMs).toBeUndefined();
  });

  test("a node that does not answer is waited for once; then it is what it told last", async () => {
    const late = Promise.withResolvers<unknown>();
    const world = setUp((_, n) => (n === 1 ? listOf(segmentAt(atMs)) : late.promise));
    const { footage } = world;
    await footage.list("cam01", hour);
    world.monotonicMs += 5_000;
    expect((await footage.list("cam01", hour)).videos).toHaveLength(1);
    // Another hour: not known, and not waited for.
    const other = { fromMs: hour.fromMs - 60 * minuteMs, toMs: hour.fromMs };
    expect((await footage.list("cam01", other)).asOfMs).toBeUndefined();
    late.resolve(listOf());
    await late.promise;
    await Bun.sleep(0);
    expect(await footage.list("cam01", hour)).toEqual({ videos: [], asOfMs: atMs, isCut: false });
  });

  test("a node that has two lists to make is asked for no more", async () => {
    const { footage, asked } = setUp(() => new Promise(() => undefined));
    const hours = Array.from({ length: 20 }, (_, i) => ({
      fromMs: i * 3_600_000,
      toMs: (i + 1) * 3_600_000,
    }));
    await Promise.all(hours.map((range) => footage.list("cam01", range)));
    expect(asked).toHaveLength(2);
  });

  const [first, second] = [segmentAt(atMs), segmentAt(atMs + minuteMs)];
  const wrong: [string, unknown][] = [
    ["nothing", undefined],
    ["a text", "segments"],
    ["no list", { has_more: false }],
    ["a segment of another camera", listOf(first, { ...second, camera_id: "cam02" })],
    ["out of order", listOf(second, first)],
    ["the same twice", listOf(first, first)],
    ["more without an end", { segments: [], has_more: true }],
    ["ten thousand", listOf(...Array.from({ length: 10_000 }, (_, i) => segmentAt(atMs + i)))],
    ["a segment that ends before it starts", listOf({ ...first, end_time: formatWireTime(atMs - 1) })],
    ["a segment of a day", listOf({ ...first, end_time: formatWireTime(atMs + 86_400_000) })],
    ["a negative size", listOf({ ...first, size_bytes: -1 })],
    ["a progress past all", listOf({ ...first, progress: 1e9 })],
    ["an id that is a path", listOf({ ...first, video_id: "../../etc/passwd" })],
    ["control characters", listOf({ ...first, codec: "avc1\r\n" })],
  ];
  for (const [name, answer] of wrong) {
    test(`a node that answers with ${name} has told nothing`, async () => {
      const { footage } = setUp(() => answer);
      expect(await footage.list("cam01", hour)).toEqual({ videos: [], asOfMs: undefined, isCut: false });
    });
  }
});
