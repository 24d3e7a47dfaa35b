import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { archiveIdentityPath, picturePathOf } from "../../../../src/common/archive-path.ts";
import { archiveTestRun } from "../../../support/archived-run.ts";
import { openTestHub, type TestHub } from "../../../support/test-hub.ts";

setDefaultTimeout(60_000);

// A whole hub, which is told of videos and asked for nothing.

const startMs = Date.parse("2025-09-23T06:30:00Z");

let hub: TestHub;

beforeEach(async () => {
  hub = await openTestHub({ config: { previews: "background" }, isMachineBusy: () => false });
  // A folder that has videos before it has an identity is no archive of this hub's.
  await untilThere([join(hub.folder, "archive", archiveIdentityPath)]);
});
afterEach(() => hub[Symbol.asyncDispose]());

async function announce(startTimeMs: number, count: number): Promise<string[]> {
  const secondsPerVideo = Array.from({ length: count }, () => 1);
  const videos = await archiveTestRun(join(hub.folder, "archive"), { startTimeMs, secondsPerVideo });
  expect((await hub.announce(videos)).status).toBe(200);
  return videos.map(({ filePath }) => join(hub.folder, "archive", picturePathOf("previews", filePath)));
}

async function untilThere(paths: readonly string[]): Promise<void> {
  while (!(await Promise.all(paths.map((path) => Bun.file(path).exists()))).every(Boolean))
    await Bun.sleep(20);
}

test("previews of new videos are made without anybody asking, and only them", async () => {
  const paths = await announce(startMs, 3);
  await untilThere(paths);
  for (const path of paths)
    expect((await Bun.file(path).bytes()).subarray(0, 2)).toEqual(Uint8Array.of(255, 216));
  // A thumbnail is made when somebody looks at it.
  const made = await readdir(join(hub.folder, "archive/metadata/thumbnails"), { recursive: true });
  expect(made.filter((name) => name.endsWith(".jpg")).length).toBe(3);
});

test("previews that are gone are made again for who asks", async () => {
  const [path = ""] = await announce(startMs, 1);
  await untilThere([path]);
  await Bun.file(path).delete();
  const { videos } = (await (await hub.get("/api/videos")).json()) as { videos: { video_id: string }[] };
  const answer = await hub.get(`/api/videos/${videos[0]?.video_id}/previews.jpg`);
  expect(answer.status).toBe(200);
  await answer.bytes();
  expect(await Bun.file(path).exists()).toBe(true);
});
