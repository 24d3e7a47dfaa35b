import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { newUuidV7 } from "../../../src/common/ids.ts";
import { sampleVideo } from "../../support/sample-videos.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";

let hub: TestHub;
beforeAll(async () => {
  hub = await openTestHub();
});
afterAll(() => hub[Symbol.asyncDispose]());

const startMs = Date.parse("2025-09-23T06:00:00Z");
const gapOf = (minute: number, changes: Record<string, unknown> = {}) => ({
  gap_id: newUuidV7(startMs + minute * 60_000),
  camera_id: "cam01",
  from_time: new Date(startMs + minute * 60_000).toISOString(),
  to_time: new Date(startMs + minute * 60_000 + 30_500).toISOString(),
  cause: "disk_full",
  detail: "the disk of the spool is full",
  ...changes,
});
const report = (gaps: unknown, { node = "pi1", key = hub.nodeKey } = {}) =>
  hub.post(`/api/nodes/${node}/gaps`, { protocol_version: 1, gaps }, key);
const list = async (query = "") => {
  const response = await hub.get(`/api/gaps${query}`);
  return { status: response.status, ...((await response.json()) as Record<string, unknown>) } as {
    status: number;
    gaps: Record<string, unknown>[];
    next_cursor: string | null;
    issues?: { path: string }[];
  };
};

describe("a report of gaps", () => {
  test("is acknowledged, and answered the same way again and again", async () => {
    const gap = gapOf(0);
    expect(await (await report([gap, gapOf(1)])).json()).toEqual({ stored: 2, known: 0 });
    const changed = { ...gap, cause: "paused", detail: "" };
    const answers = await Promise.all(Array.from({ length: 20 }, () => report([changed])));
    for (const answer of answers) expect(await answer.json()).toEqual({ stored: 0, known: 1 });
    const { gaps } = await list("?order=oldest_first&limit=1");
    expect(gaps).toEqual([
      {
        ...{ ...gap, node_id: "pi1", duration: 30.5 },
        missing: [{ from_time: gap.from_time, to_time: gap.to_time }],
        created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ]);
  });

  test("comes from the node it is about", async () => {
    const key = await hub.makeKey("node", "pi7");
    expect((await report([gapOf(2)], { node: "pi7", key })).status).toBe(200);
    expect((await report([gapOf(2)], { node: "pi1", key })).status).toBe(403);
    expect((await report([gapOf(2)], { key: hub.clientKey })).status).toBe(403);
    expect((await hub.get("/api/gaps", { authorization: `Bearer ${hub.nodeKey}` })).status).toBe(403);
  });

  test("may tell a cause that only a newer release knows", async () => {
    const told = [gapOf(-5, { cause: "struck_by_lightning" }), gapOf(-4, { cause: "reconfigured" })];
    expect(await (await report(told)).json()).toEqual({ stored: 2, known: 0 });
    const { gaps } = await list(`?order=oldest_first&from=${gapOf(-5).from_time}&to=${gapOf(-3).from_time}`);
    expect(gaps.map(({ cause }) => cause)).toEqual(["unknown", "reconfigured"]);
  });

  const refused: [string, unknown, string][] = [
    ["no gaps", [], "gaps"],
    [
      "a gap without an end after its start",
      [gapOf(3), gapOf(3, { to_time: gapOf(3).from_time })],
      "gaps.1.to_time",
    ],
    ["a cause that is none", [gapOf(3, { cause: "gremlins; --" })], "gaps.0.cause"],
    ["control characters", [gapOf(3, { detail: "a\nb" })], "gaps.0.detail"],
    ["a camera's name that is a path", [gapOf(3, { camera_id: "../cam01" })], "gaps.0.camera_id"],
    ["an id that is none", [gapOf(3, { gap_id: "1' OR 1=1" })], "gaps.0.gap_id"],
    ["more than 500", Array.from({ length: 501 }, (_, i) => gapOf(i)), "gaps"],
  ];
  for (const [what, gaps, path] of refused) {
    test(`is refused whole for ${what}`, async () => {
      const response = await report(gaps);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: "invalid_input", issues: [{ path }] });
      expect((await list(`?from=${gapOf(3).from_time}`)).gaps).toEqual([]);
    });
  }
});

describe("the list of gaps", () => {
  test("tells what no video covers, and nothing of a gap that footage fills", async () => {
    const ofCamera = { camera_id: "cam09" };
    await report([40, 41].map((minute) => gapOf(minute, ofCamera)));
    const startTimeMs = startMs + 40 * 60_000 + 10_000;
    const video = { cameraId: "cam09", nodeId: "pi1", durationMs: 60_000 + 30_000 };
    expect((await hub.announce([sampleVideo({ ...video, startTimeMs })])).status).toBe(200);
    const { gaps } = await list("?camera_id=cam09&order=oldest_first");
    const { from_time, to_time } = gapOf(40);
    expect(gaps).toMatchObject([
      {
        from_time,
        to_time,
        missing: [{ from_time, to_time: new Date(startTimeMs).toISOString() }],
        duration: 10,
      },
    ]);
  });

  test("goes page by page with a cursor of its own", async () => {
    await report([10, 11, 12, 13].map((minute) => gapOf(minute, { camera_id: "cam02" })));
    const first = await list("?camera_id=cam02&limit=3");
    expect(first.gaps.map(({ from_time }) => from_time)).toEqual(
      [13, 12, 11].map((minute) => gapOf(minute).from_time),
    );
    const rest = await list(`?camera_id=cam02&cursor=${first.next_cursor}`);
    expect(rest.gaps.map(({ from_time }) => from_time)).toEqual([gapOf(10).from_time]);
    expect(rest.next_cursor).toBeNull();
    expect((await list(`?camera_id=cam01&cursor=${first.next_cursor}`)).status).toBe(400);
    const videos = await hub.get(`/api/videos?camera_id=cam02&cursor=${first.next_cursor}`);
    expect(videos.status).toBe(400);
  });

  test("takes a range, and refuses one that is empty or nonsense", async () => {
    await report([20, 21].map((minute) => gapOf(minute, { camera_id: "cam03" })));
    const inRange = await list(`?camera_id=cam03&from=${gapOf(20).to_time}&to=${gapOf(22).from_time}`);
    expect(inRange.gaps.map(({ from_time }) => from_time)).toEqual([gapOf(21).from_time]);
    const empty = await list(`?from=${gapOf(1).from_time}&to=${gapOf(1).from_time}`);
    expect(empty).toMatchObject({ status: 400, issues: [{ path: "to" }] });
    for (const query of ["?limit=0", "?limit=501", "?from=yesterday", "?camera_id=a%2Fb", "?status=missing"])
      expect((await list(query)).status).toBe(400);
  });
});
