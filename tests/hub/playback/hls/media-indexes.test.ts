import { expect, test } from "bun:test";
import { AppError } from "../../../../src/common/errors.ts";
import type { ArchivedFile } from "../../../../src/common/mp4/archive-file.ts";
import type { Video } from "../../../../src/hub/db/catalog.ts";
import { MediaIndexes } from "../../../../src/hub/playback/hls/media-indexes.ts";
import { sampleVideo } from "../../../support/sample-videos.ts";

const videoAt = (second: number): Video => ({
  ...sampleVideo({ startTimeMs: Date.UTC(2025, 8, 23) + second * 1000 }),
  ...{ createdAtMs: 0, status: "available", notes: "" },
});

function setUp(videos: readonly Video[], maxBytes?: number) {
  const asked: string[] = [];
  let failure: AppError | undefined;
  const media = {
    async readIndex(filePath: string): Promise<ArchivedFile> {
      asked.push(filePath);
      await Promise.resolve();
      if (failure) throw failure;
      const identity = videos.find((one) => one.filePath === filePath);
      const fragment = {
        offset: 900,
        sizeBytes: 10,
        startTicks: 0,
        durationTicks: 1,
        startsWithKeyframe: true,
        closed: true,
      };
      return {
        ...{
          identity,
          sizeBytes: identity?.fileSizeBytes,
          initOffset: 100,
          initSizeBytes: 800,
          timescale: 1,
        },
        fragments: [fragment],
      } as unknown as ArchivedFile;
    },
  };
  const indexes = new MediaIndexes(media, maxBytes);
  return { indexes, asked, fail: (error: AppError | undefined) => (failure = error) };
}

test("a file is read once, also by those who ask at the same time", async () => {
  const video = videoAt(0);
  const { indexes, asked } = setUp([video]);
  const [a, b] = await Promise.all([indexes.of(video), indexes.of(video)]);
  expect(a).toBe(b);
  expect(await indexes.of(video)).toBe(a);
  expect(a.lines).toBe(
    `#EXTINF:1.000000,\n#EXT-X-BYTERANGE:10@900\n/api/videos/${video.videoId}/stream.mp4\n`,
  );
  expect(asked.length).toBe(1);
});

test("an error is not remembered", async () => {
  const video = videoAt(0);
  const { indexes, fail } = setUp([video]);
  fail(new AppError("unavailable", "not now"));
  await expect(Promise.resolve(indexes.of(video))).rejects.toThrow("not now");
  fail(undefined);
  expect((await indexes.of(video)).parts.firstOffset).toBe(900);
});

test("memory is bounded, and what is used stays", async () => {
  const videos = Array.from({ length: 12 }, (_, i) => videoAt(i));
  // Ten of them: about 120 characters of lines, two arrays of one number each, and 500 for the rest.
  const { indexes, asked } = setUp(videos, 6_500);
  const [first] = videos as [Video];
  for (const video of videos) {
    await indexes.of(video);
    await indexes.of(first);
  }
  expect(asked.length).toBe(12);
  await indexes.of(first);
  expect(asked.length).toBe(12);
  await indexes.of(videos[1] as Video);
  expect(asked.length).toBe(13);
});

test("a file that is another video, or has another size, is damaged", async () => {
  const [video, other] = [videoAt(0), videoAt(1)];
  const { indexes } = setUp([video, other]);
  await expect(Promise.resolve(indexes.of({ ...video, filePath: other.filePath }))).rejects.toThrow(
    "not the file",
  );
  await expect(Promise.resolve(indexes.of({ ...video, fileSizeBytes: 1 }))).rejects.toThrow("not the file");
});
