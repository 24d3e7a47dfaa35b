import { expect, test } from "bun:test";
import { createRecentVideos } from "../../../src/hub/playback/recent-videos.ts";
import { videoAt } from "../ui/page-data.ts";

function setUp() {
  let nowMs = 0;
  const asked: string[] = [];
  const video = videoAt(Date.UTC(2025, 8, 23));
  const rows = new Map([[video.videoId, video]]);
  const recent = createRecentVideos(
    {
      findVideo: async (id) => {
        asked.push(id);
        return rows.get(id);
      },
      updateVideoStatus: async (id, status) => void rows.set(id, { ...video, status }),
    },
    { monotonicMs: () => nowMs },
  );
  return { recent, rows, asked, video, pass: (ms: number) => (nowMs += ms) };
}

test("the catalog is asked once a second for a video, and every time for what is not there", async () => {
  const { recent, asked, video, pass } = setUp();
  for (let i = 0; i < 10; i++) expect(await recent.findVideo(video.videoId)).toEqual(video);
  expect(asked.length).toBe(1);
  pass(1_000);
  await recent.findVideo(video.videoId);
  expect(asked.length).toBe(2);
  await recent.findVideo("nothing");
  await recent.findVideo("nothing");
  expect(asked.length).toBe(4);
});

test("a status set here counts at once", async () => {
  const { recent, video } = setUp();
  await recent.findVideo(video.videoId);
  await recent.updateVideoStatus(video.videoId, "missing");
  expect((await recent.findVideo(video.videoId))?.status).toBe("missing");
});

test("what is remembered is bounded", async () => {
  const { recent, rows, asked, video } = setUp();
  const ids = Array.from({ length: 257 }, (_, i) => `id-${i}`);
  for (const id of ids) rows.set(id, video);
  for (const id of ids) await recent.findVideo(id);
  await recent.findVideo("id-256");
  expect(asked.length).toBe(257);
  await recent.findVideo("id-0");
  expect(asked.length).toBe(258);
});
