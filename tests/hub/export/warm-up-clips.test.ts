import { expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { VideoQuery } from "../../../src/hub/db/catalog.ts";
import { warmUpClips } from "../../../src/hub/export/warm-up-clips.ts";
import { createDirectoryMediaSource } from "../../../src/hub/playback/directory-media-source.ts";
import { archiveTestRun } from "../../support/archived-run.ts";
import { startExportServer } from "./export-server.ts";

const startTimeMs = Date.parse("2025-09-23T06:30:00.000Z");

test("a start plans a clip of what is newest, marks nothing that it cannot read, and needs no video", async () => {
  await using server = await startExportServer();
  const read: string[] = [];
  const directory = createDirectoryMediaSource({ root: server.root });
  const media: typeof directory = {
    ...directory,
    readIndex: (path) => {
      read.push(path);
      return directory.readIndex(path);
    },
  };
  const asked: VideoQuery[] = [];
  const catalog = {
    async findVideos(query: VideoQuery) {
      asked.push(query);
      const rows = [...server.rows.values()].sort((a, b) => a.startTimeMs - b.startTimeMs);
      return query.order === "newest_first" ? rows.reverse().slice(0, query.limit) : rows;
    },
  };
  await warmUpClips({ catalog, media });
  expect(read).toEqual([]);

  const videos = await archiveTestRun(server.root, { startTimeMs, secondsPerVideo: [2, 2] });
  server.add(...videos);
  await warmUpClips({ catalog, media });
  expect(read).toEqual(videos.map(({ filePath }) => filePath));
  expect(asked.every(({ statuses }) => statuses?.join() === "available")).toBe(true);

  await rm(join(server.root, videos[1]!.filePath));
  await expect(warmUpClips({ catalog, media })).rejects.toThrow("export again to go without it");
  expect([...server.rows.values()].map(({ status }) => status)).toEqual(["available", "available"]);
}, 60_000);
