import { expect, test } from "bun:test";
import { newUuidV7 } from "../../../../src/common/ids.ts";
import type { ArchivedFile } from "../../../../src/common/mp4/archive-file.ts";
import type { Gap, GapQuery, NodeRow, Video } from "../../../../src/hub/db/catalog.ts";
import { createCameraPlaylists } from "../../../../src/hub/playback/hls/camera-playlists.ts";
import type { EdgeSegment } from "../../../../src/hub/playback/hls/edge-parts.ts";
import { MediaIndexes } from "../../../../src/hub/playback/hls/media-indexes.ts";
import { PlayableParts } from "../../../../src/hub/playback/hls/playable-parts.ts";
import { readHlsMaster, readHlsPlaylist } from "../../../support/hls-validator.ts";
import { sampleVideo } from "../../../support/sample-videos.ts";

const startMs = Date.UTC(2025, 8, 23);
const dayMs = 86_400_000;

/** Segment number `i` as it is on the edge, of one fragment; without its index when the node did not tell. */
function onEdge(i: number, videoId?: string, isTold = true): EdgeSegment {
  const startTimeMs = startMs + i * 8_000;
  const { runId, codec, width, height } = sampleVideo({ startTimeMs, durationMs: 8_000, sequence: i });
  const id = videoId ?? newUuidV7(startTimeMs);
  const fragment = { offset: 700, sizeBytes: 10, startTicks: i * 8, durationTicks: 8 };
  return {
    video: {
      ...{
        videoId: id,
        runId,
        startTimeMs,
        codec,
        width,
        height,
        fps: 0,
        fileSizeBytes: 710,
        durationMs: 8_000,
      },
    },
    endTimeMs: startTimeMs + 8_000,
    uri: `/edge/${id}.mp4`,
    file: isTold
      ? {
          ...{ initOffset: 0, initSizeBytes: 700, timescale: 1 },
          fragments: [{ ...fragment, startsWithKeyframe: true, closed: true }],
        }
      : undefined,
  };
}

function setUp(options: {
  videos: number;
  gaps?: number;
  segmentSeconds?: number;
  mock?: number;
  onEdge?: (videos: readonly Video[]) => EdgeSegment[];
}) {
  const videos = Array.from(
    { length: options.videos },
    (_, i): Video => ({
      ...sampleVideo({ startTimeMs: startMs + i * 8_000, durationMs: 8_000, sequence: i }),
      ...{ createdAtMs: i, status: "available", notes: "" },
      ...(i === options.mock && { isMock: true }),
    }),
  );
  const gaps = Array.from(
    { length: options.gaps ?? 0 },
    (_, i): Gap => ({
      ...{
        gapId: newUuidV7(startMs + i * 1_000),
        cameraId: "cam01",
        nodeId: "node01",
        createdAtMs: 0,
        detail: "",
      },
      ...{ fromMs: startMs + i * 1_000, toMs: startMs + i * 1_000 + 500, cause: "paused" },
      missing: [{ fromMs: startMs + i * 1_000, toMs: startMs + i * 1_000 + 500 }],
    }),
  );
  const byPath = new Map(videos.map((video, i) => [video.filePath, { video, startTicks: i * 8 }]));
  const catalog = {
    findVideos: async ({ limit }: { limit: number }) => videos.slice(0, limit),
    async findGaps({ after, limit }: GapQuery) {
      const start = after === undefined ? 0 : gaps.findIndex(({ gapId }) => gapId === after.videoId) + 1;
      return gaps.slice(start, start + limit);
    },
    listCameras: async () => [{ cameraId: "cam01", nodeId: "node01", name: "cam01", source: "test" }],
    listNodes: async () => [{ nodeId: "node01", segmentSeconds: options.segmentSeconds ?? 600 } as NodeRow],
  };
  const indexes = new MediaIndexes({
    async readIndex(filePath) {
      const { video, startTicks } = byPath.get(filePath) as { video: Video; startTicks: number };
      const fragment = {
        offset: 900,
        sizeBytes: 10,
        startTicks,
        durationTicks: 8,
        startsWithKeyframe: true,
        closed: true,
      };
      return {
        ...{
          identity: video,
          sizeBytes: video.fileSizeBytes,
          initOffset: 100,
          initSizeBytes: 800,
          timescale: 1,
        },
        fragments: [fragment],
      } as unknown as ArchivedFile;
    },
  });
  const asked: unknown[] = [];
  let nowMs = startMs + 2 * dayMs;
  const playlists = createCameraPlaylists({
    catalog,
    parts: new PlayableParts({
      videos: { updateVideoStatus: async () => undefined },
      media: { sizeOf: async () => 0, salvageIndex: () => Promise.reject(new Error("not asked for")) },
      indexes,
    }),
    clock: { wallMs: () => nowMs },
    canTranscode: async () => true,
    findOnEdge: async (cameraId, range) => {
      asked.push({ cameraId, ...range });
      return options.onEdge?.(videos) ?? [];
    },
  });
  return { playlists, asked, setNow: (ms: number) => (nowMs = ms) };
}
const day = { cameraId: "cam01", fromMs: startMs, toMs: startMs + dayMs };

test("ten thousand videos are one playlist without a discontinuity, one more is refused", async () => {
  const { parts } = readHlsPlaylist(await setUp({ videos: 10_000 }).playlists.playlistOf(day));
  expect(parts.length).toBe(10_000);
  expect(parts.some(({ isDiscontinuous }) => isDiscontinuous)).toBe(false);
  await expect(setUp({ videos: 10_001 }).playlists.playlistOf(day)).rejects.toMatchObject({
    ...{
      code: "invalid_input",
      issues: [{ path: "to", message: "expected a range of at most 10000 videos" }],
    },
  });
});

test("every gap is told, however many there are", async () => {
  const { gaps } = readHlsPlaylist(await setUp({ videos: 1, gaps: 1_234 }).playlists.playlistOf(day));
  expect(gaps.length).toBe(1_234);
});

test("a playlist that grows promises a part in the time a segment takes, and never another", async () => {
  const target = async (segmentSeconds: number, videos: number) => {
    const { playlists, setNow } = setUp({ videos, segmentSeconds });
    setNow(startMs + 60_000);
    return readHlsPlaylist(await playlists.playlistOf({ cameraId: "cam01", fromMs: startMs })).targetSeconds;
  };
  expect([await target(600, 1), await target(600, 5)]).toEqual([400, 400]);
  expect(await target(30, 2)).toBe(20);
  // No less than its longest part.
  expect(await target(6, 1)).toBe(8);
});

test("it ends when its time has passed", async () => {
  const { playlists, setNow } = setUp({ videos: 1 });
  setNow(day.toMs - 1);
  expect(readHlsPlaylist(await playlists.playlistOf(day)).isEnded).toBe(false);
  setNow(day.toMs);
  expect(readHlsPlaylist(await playlists.playlistOf(day)).isEnded).toBe(true);
});

test("the picture in place of a camera is no footage", async () => {
  const { parts } = readHlsPlaylist(await setUp({ videos: 3, mock: 1 }).playlists.playlistOf(day));
  expect(parts.map(({ dateMs }) => (dateMs - startMs) / 1000)).toEqual([0, 16]);
  await expect(setUp({ videos: 1, mock: 0 }).playlists.playlistOf(day)).rejects.toMatchObject({
    code: "not_found",
  });
});

test("what is on the edge is in its place where it is asked for, and the playlist then does not grow", async () => {
  // The first two are archived, the second is still told by the node; the third is away; the fifth was not told in time.
  const { playlists, asked, setNow } = setUp({
    videos: 2,
    onEdge: (videos) => [onEdge(1, videos[1]?.videoId), onEdge(3), onEdge(4, undefined, false), onEdge(5)],
  });
  setNow(startMs + 60_000);
  const growing = { cameraId: "cam01", fromMs: startMs };
  const without = readHlsPlaylist(await playlists.playlistOf(growing));
  expect([without.isEnded, without.parts.length, asked.length]).toEqual([false, 2, 0]);

  const text = await playlists.playlistOf({ ...growing, withEdge: true });
  const { parts, gaps, isEnded } = readHlsPlaylist(text);
  expect(isEnded).toBe(true);
  expect(asked).toEqual([{ cameraId: "cam01", fromMs: startMs, toMs: startMs + 60_000 }]);
  expect(
    parts.map(({ uri, dateMs }) => `${/^\/(edge|api)/.exec(uri)?.[1]} ${(dateMs - startMs) / 8_000}`),
  ).toEqual(["api 0", "api 1", "edge 3", "edge 5"]);
  // Where nothing is missing between them, the edge's parts follow the archive's: one run, one time line.
  expect(parts.map(({ isDiscontinuous }) => isDiscontinuous)).toEqual([false, false, true, true]);
  expect(gaps.map((gap) => gap.get("X-CAUSE"))).toEqual(['"on_edge"']);
  const seamless = setUp({ videos: 2, onEdge: () => [onEdge(2), onEdge(3)] });
  const all = readHlsPlaylist(await seamless.playlists.playlistOf({ ...day, withEdge: true }));
  expect(all.parts.map(({ isDiscontinuous }) => isDiscontinuous)).toEqual([false, false, false, false]);

  // One that is on the edge alone is footage, too; and there is no other quality of it.
  const alone = setUp({ videos: 0, onEdge: () => [onEdge(0)] }).playlists;
  expect(readHlsPlaylist(await alone.playlistOf({ ...day, withEdge: true })).parts).toHaveLength(1);
  await expect(alone.playlistOf(day)).rejects.toMatchObject({ code: "not_found" });
  const master = readHlsMaster(await alone.masterOf({ ...day, withEdge: true }));
  expect(master.variants).toMatchObject([{ uri: expect.stringContaining("edge=1") }]);
});
