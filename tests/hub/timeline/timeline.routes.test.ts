import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { newUuidV7 } from "../../../src/common/ids.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";
import { videoAt } from "../ui/page-data.ts";

setDefaultTimeout(60_000);

const startMs = Date.parse("2025-09-23T06:30:00Z");
const ms = (seconds: number) => startMs + seconds * 1000;
const at = (seconds: number) => new Date(ms(seconds)).toISOString();
const span = (from: number, to: number) => ({ from_time: at(from), to_time: at(to) });
const minutes = 60;

let hub: TestHub;

const get = async (query: Record<string, string>, cameraId = "cam01") => {
  const response = await hub.get(`/api/cameras/${cameraId}/timeline?${new URLSearchParams(query)}`);
  return {
    status: response.status,
    body: (await response.json()) as {
      issues?: unknown[];
      videos: { video_id: string }[] | null;
      to_time: string;
    },
  };
};

/** Two videos end to end, one an hour later that is gone, a "no signal" picture, and what the node told. */
const videos = [
  videoAt(ms(0)),
  videoAt(ms(600) + 300, { durationMs: 599_700 }),
  videoAt(ms(3600)),
  videoAt(ms(4200), { isMock: true }),
];

beforeAll(async () => {
  hub = await openTestHub();
  await hub.announce(videos);
  await hub.storage.catalog.updateVideoStatus(videos[2]?.videoId ?? "", "missing");
  const gap = (from: number, to: number, cause: string) => ({
    ...{ gap_id: newUuidV7(ms(from)), camera_id: "cam01", detail: "", cause },
    ...{ from_time: at(from), to_time: at(to) },
  });
  const gaps = [gap(1200, 1230, "paused"), gap(1230, 1260, "paused"), gap(4200, 4800, "camera_failed")];
  // Footage of this came after all.
  gaps.push(gap(300, 330, "node_down"));
  const told = await hub.post("/api/nodes/site-1/gaps", { protocol_version: 1, gaps }, hub.nodeKey);
  expect(told.status).toBe(200);
});
afterAll(() => hub[Symbol.asyncDispose]());

describe("the timeline of a camera", () => {
  test("has what is recorded, what is not and why, and the videos", async () => {
    const { status, body } = await get({ from: at(-60), to: at(120 * minutes) });
    const listed = [videos[0], videos[1], videos[3]].map((video) => ({
      ...{ video_id: video?.videoId, fps: video?.fps, codec: video?.codec },
      ...{
        start_time: new Date(video?.startTimeMs ?? 0).toISOString(),
        end_time: new Date(video?.endTimeMs ?? 0).toISOString(),
      },
    }));
    expect(status).toBe(200);
    expect(body).toEqual({
      camera_id: "cam01",
      ...span(-60, 120 * minutes),
      recorded: [span(0, 1200)],
      mock: [span(4200, 4800)],
      gaps: [
        { ...span(1200, 1260), cause: "paused" },
        { ...span(3600, 4200), cause: "missing" },
        { ...span(4200, 4800), cause: "camera_failed" },
      ],
      videos: listed,
    } as never);
  });

  test("is cut to the range, which without videos in it is empty", async () => {
    expect((await get({ from: at(300), to: at(900) })).body).toMatchObject({ recorded: [span(300, 900)] });
    expect((await get({ from: at(-900), to: at(-300) })).body).toMatchObject({
      ...{ recorded: [], mock: [], gaps: [], videos: [] },
    });
  });

  test("of more than two days is without a list of videos", async () => {
    const { body } = await get({ from: at(0), to: at(31 * 86_400) });
    expect(body.videos).toBeNull();
  });

  const bad: [query: Record<string, string>, path: string][] = [
    [{}, "from"],
    [{ from: at(0) }, "to"],
    [{ from: "yesterday", to: at(0) }, "from"],
    [{ from: at(0), to: at(0) }, "to"],
    [{ from: at(1), to: at(0) }, "to"],
    [{ from: at(0), to: at(31 * 86_400 + 1) }, "to"],
    [{ from: "0000-01-01T00:00:00Z", to: "9999-12-31T23:59:59Z" }, "to"],
    [{ from: at(0), to: at(60), limit: "1" }, "limit"],
  ];
  for (const [query, path] of bad) {
    test(`400: ${JSON.stringify(query)}`, async () => {
      const { status, body } = await get(query);
      expect(status).toBe(400);
      expect(body.issues).toContainEqual(expect.objectContaining({ path }));
    });
  }

  test("404 for a camera that is not known, 400 for what is no id", async () => {
    expect((await get({ from: at(0), to: at(60) }, "nowhere")).status).toBe(404);
    expect((await get({ from: at(0), to: at(60) }, "..%2fetc")).status).toBe(400);
  });
});
