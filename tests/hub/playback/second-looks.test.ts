import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../../src/common/errors.ts";
import { createLogger } from "../../../src/common/log.ts";
import type { Video, VideoQuery, VideoStatus } from "../../../src/hub/db/catalog.ts";
import { createDirectoryMediaSource } from "../../../src/hub/playback/directory-media-source.ts";
import { runSecondLooks } from "../../../src/hub/playback/second-looks.ts";
import { archiveTestRun } from "../../support/archived-run.ts";
import { writeTestArchiveIdentity } from "../../support/archived-video.ts";
import { FakeClock } from "../../support/fake-clock.ts";

let root: string;
let videos: readonly Video[];
let count = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "livecam-looks-"));
  await writeTestArchiveIdentity(root);
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Looks at `statuses.length` videos of a camera of their own, until stopped. */
async function startLooking(statuses: readonly VideoStatus[]) {
  const cameraId = `cam${++count}`;
  const startTimeMs = Date.UTC(2025, 8, 23, 6, 30);
  videos = await archiveTestRun(root, {
    ...{ cameraId, startTimeMs, size: "64x48", secondsPerVideo: statuses.map(() => 1) },
  });
  const rows = new Map(
    videos.map((video, i): [string, Video] => [video.videoId, { ...video, status: statuses[i]! }]),
  );
  const real = createDirectoryMediaSource({ root });
  const state = { opened: 0, rounds: 0, isThere: true };
  const clock = new FakeClock(Date.UTC(2025, 8, 23));
  const end = new AbortController();
  const isOver = runSecondLooks(
    {
      catalog: {
        async findVideos(query: VideoQuery) {
          state.rounds++;
          return [...rows.values()].filter(({ status }) => query.statuses?.includes(status));
        },
        findVideo: async (videoId) => rows.get(videoId),
        async updateVideoStatus(videoId, status) {
          rows.set(videoId, { ...rows.get(videoId)!, status });
        },
      },
      media: {
        async sizeOf(path) {
          if (!state.isThere) throw new AppError("unavailable", "the archive does not answer");
          return real.sizeOf(path);
        },
        open(path) {
          state.opened++;
          return real.open(path);
        },
      },
      isArchiveThere: () => true,
      clock,
      logger: createLogger("test"),
      intervalMs: 5,
    },
    end.signal,
  );
  return {
    state,
    clock,
    rows,
    statuses: () => [...rows.values()].map(({ status }) => status),
    /** Whole rounds from now on. */
    async rounds(more: number) {
      const wanted = state.rounds + more + 1;
      while (state.rounds < wanted) await Bun.sleep(2);
    },
    async [Symbol.asyncDispose]() {
      end.abort();
      await isOver;
    },
  };
}

const pathOf = (video: Video | undefined) => join(root, video!.filePath);

test("marked videos whose files are as they were recorded are unmarked, and no others", async () => {
  await using looks = await startLooking(["missing", "damaged", "deleted", "available"]);
  await looks.rounds(1);
  expect(looks.statuses()).toEqual(["available", "available", "deleted", "available"]);
});

test("a file is put back: its video is there again", async () => {
  await using looks = await startLooking(["available", "available"]);
  const [gone, cut] = videos;
  await rename(pathOf(gone), `${pathOf(gone)}.away`);
  const whole = await Bun.file(pathOf(cut)).bytes();
  await truncate(pathOf(cut), 1_000);
  looks.rows.set(gone!.videoId, { ...gone!, status: "missing" });
  looks.rows.set(cut!.videoId, { ...cut!, status: "damaged" });
  await looks.rounds(2);
  expect(looks.statuses()).toEqual(["missing", "damaged"]);
  await rename(`${pathOf(gone)}.away`, pathOf(gone));
  await writeFile(pathOf(cut), whole);
  await looks.rounds(2);
  expect(looks.statuses()).toEqual(["available", "available"]);
});

test("one changed bit keeps a video marked; its file is read again only after a rest", async () => {
  await using looks = await startLooking(["available"]);
  const path = pathOf(videos[0]);
  const whole = await Bun.file(path).bytes();
  const spoilt = whole.slice();
  spoilt[whole.length - 1]! ^= 1;
  await writeFile(path, spoilt);
  looks.rows.set(videos[0]!.videoId, { ...videos[0]!, status: "damaged" });
  await looks.rounds(5);
  expect([looks.statuses(), looks.state.opened]).toEqual([["damaged"], 1]);
  // Ten minutes, then twenty.
  looks.clock.advance(601_000);
  await looks.rounds(5);
  expect(looks.state.opened).toBe(2);
  looks.clock.advance(601_000);
  await looks.rounds(5);
  expect(looks.state.opened).toBe(2);
  await writeFile(path, whole);
  looks.clock.advance(601_000);
  await looks.rounds(2);
  expect(looks.statuses()).toEqual(["available"]);
});

test("an archive that does not answer proves nothing, and is asked once in a round", async () => {
  await using looks = await startLooking(["available", "available"]);
  looks.state.isThere = false;
  for (const video of videos) looks.rows.set(video.videoId, { ...video, status: "missing" });
  await looks.rounds(3);
  expect(looks.statuses()).toEqual(["missing", "missing"]);
  looks.state.isThere = true;
  await looks.rounds(1);
  expect(looks.statuses()).toEqual(["available", "available"]);
});
