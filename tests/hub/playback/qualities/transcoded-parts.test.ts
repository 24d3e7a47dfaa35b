import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../../src/common/clock.ts";
import type { Video } from "../../../../src/hub/db/catalog.ts";
import { createDirectoryMediaSource } from "../../../../src/hub/playback/directory-media-source.ts";
import { type MediaParts, planParts } from "../../../../src/hub/playback/hls/media-parts.ts";
import { noPartCache, type PartCache } from "../../../../src/hub/playback/qualities/part-cache.ts";
import { TranscodedParts } from "../../../../src/hub/playback/qualities/transcoded-parts.ts";
import { Transcoder } from "../../../../src/hub/playback/qualities/transcoder.ts";
import { archiveTestRun } from "../../../support/archived-run.ts";
import { writeTestArchiveIdentity } from "../../../support/archived-video.ts";

setDefaultTimeout(60_000);

let root: string;
let video: Video;
let parts: MediaParts;

/** Thirty seconds: five parts. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "livecam-qualities-"));
  await writeTestArchiveIdentity(root);
  const recipe = { startTimeMs: Date.UTC(2025, 8, 23), secondsPerVideo: [30], size: "640x360" };
  [video] = (await archiveTestRun(root, recipe)) as [Video];
  parts = planParts(await createDirectoryMediaSource({ root }).readIndex(video.filePath));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const rangeOf = (index: number) => {
  const start = parts.sizesBytes.slice(0, index).reduce((sum, size) => sum + size, parts.firstOffset);
  return { start, end: start + (parts.sizesBytes[index] ?? 0) };
};

function setUp(options: { ffmpeg?: string; cache?: PartCache; deadlineMs?: number; atOnce?: number } = {}) {
  const { ffmpeg, cache = noPartCache, deadlineMs, atOnce = 2 } = options;
  return new TranscodedParts({
    media: createDirectoryMediaSource({ root }),
    partsOf: async () => [parts],
    transcoder: new Transcoder({ clock: systemClock, ...(ffmpeg !== undefined && { ffmpeg }) }),
    ...{ cache, atOnce, ...(deadlineMs !== undefined && { deadlineMs }) },
  });
}
const forEver = () => new AbortController().signal;

/** A program that says it is ffmpeg, notes the process that it is, and then does as `script` says. */
async function fakeFfmpeg(name: string, script: string) {
  const path = join(root, name);
  const log = `${path}.log`;
  await writeFile(
    path,
    `#!/bin/sh\n[ "$1" = -version ] && { echo "ffmpeg version fake"; echo "--enable-libx264"; exit; }\n` +
      `echo $$ >> ${log}\n${script}\n`,
  );
  await chmod(path, 0o755);
  await writeFile(log, "");
  const pids = async () => (await readFile(log, "utf8")).split("\n").slice(0, -1);
  return {
    path,
    starts: async () => (await pids()).length,
    running: async () => (await pids()).filter((pid) => existsSync(`/proc/${pid}`)),
  };
}
const until = async (holds: () => boolean | Promise<boolean>) => {
  for (let i = 0; i < 2_000 && !(await holds()); i++) await Bun.sleep(10);
  expect(await holds()).toBe(true);
};

describe("many who ask", () => {
  test("for the same part: one ffmpeg makes it", async () => {
    const ffmpeg = await fakeFfmpeg("once", 'exec ffmpeg "$@"');
    const transcoded = setUp({ ffmpeg: ffmpeg.path });
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => transcoded.get(video, "240p", rangeOf(0), forEver())),
    );
    expect(new Set(answers.map(({ tag }) => tag)).size).toBe(1);
    expect(answers[49]?.bytes).toBe(answers[0]?.bytes as Uint8Array);
    expect(await ffmpeg.starts()).toBe(1);
    expect(transcoded.figures).toMatchObject({ running: 0, waiting: 0, made: 1, cacheMisses: 1 });
  });

  test("and all go: no process is left, and the next who asks gets it", async () => {
    const ffmpeg = await fakeFfmpeg("hangs", "exec sleep 600");
    const transcoded = setUp({ ffmpeg: ffmpeg.path });
    const askers = Array.from({ length: 600 }, () => new AbortController());
    const answers = askers.map(({ signal }, i) =>
      transcoded.get(video, "240p", rangeOf(i % 5), signal).catch((error: { code: string }) => error.code),
    );
    await until(async () => (await ffmpeg.starts()) === 2);
    expect(transcoded.figures).toMatchObject({ running: 2, waiting: 3 });
    for (const asker of askers) asker.abort();
    expect(new Set(await Promise.all(answers))).toEqual(new Set(["cancelled"]));
    await until(() => transcoded.figures.running === 0);
    expect(transcoded.figures).toMatchObject({ waiting: 0, cancelled: 2, failed: 0, made: 0 });
    expect(await ffmpeg.starts()).toBe(2);
    expect(await ffmpeg.running()).toEqual([]);
  });

  test("for more than can be made soon: they are refused", async () => {
    const ffmpeg = await fakeFfmpeg("busy", "exec sleep 600");
    const transcoded = setUp({ ffmpeg: ffmpeg.path, atOnce: 1 });
    const asker = new AbortController();
    // One runs and 16 wait, each for another video.
    const codes = Array.from({ length: 20 }, (_, i) =>
      transcoded
        .get({ ...video, videoId: `${video.videoId}${i}` }, "240p", rangeOf(0), asker.signal)
        .catch((error: { code: string }) => error.code),
    );
    expect(await Promise.race(codes)).toBe("unavailable");
    await until(() => transcoded.figures.waiting === 16);
    asker.abort();
    const all = await Promise.all(codes);
    expect([all.filter((code) => code === "unavailable").length, all.length]).toEqual([3, 20]);
    await until(() => transcoded.figures.running === 0);
  });
});

describe("an ffmpeg that", () => {
  test("is not there: unavailable", async () => {
    const transcoded = setUp({ ffmpeg: "/nowhere/ffmpeg" });
    expect(await transcoded.isAvailable()).toBe(false);
    await expect(transcoded.get(video, "240p", "init", forEver())).rejects.toMatchObject({
      ...{ code: "unavailable", message: "this hub has no ffmpeg that can make other qualities" },
    });
  });

  test("goes while the hub runs: unavailable, and the playlists know", async () => {
    const ffmpeg = await fakeFfmpeg("goes", 'exec ffmpeg "$@"');
    const transcoded = setUp({ ffmpeg: ffmpeg.path });
    expect(await transcoded.isAvailable()).toBe(true);
    await rm(ffmpeg.path);
    await expect(transcoded.get(video, "240p", "init", forEver())).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(await transcoded.isAvailable()).toBe(false);
  });

  test("cannot encode H.264: unavailable", async () => {
    const path = join(root, "poor");
    await writeFile(path, '#!/bin/sh\necho "ffmpeg version 5"\n');
    await chmod(path, 0o755);
    expect(await setUp({ ffmpeg: path }).isAvailable()).toBe(false);
  });

  test("hangs: it is killed at the deadline", async () => {
    const ffmpeg = await fakeFfmpeg("stuck", "trap '' INT TERM; while :; do sleep 1; done");
    const transcoded = setUp({ ffmpeg: ffmpeg.path, deadlineMs: 1_000 });
    await expect(transcoded.get(video, "240p", rangeOf(0), forEver())).rejects.toMatchObject({
      code: "timeout",
    });
    expect(transcoded.figures).toMatchObject({ running: 0, failed: 1 });
    expect(await ffmpeg.running()).toEqual([]);
  });

  const failures: [what: string, script: string][] = [
    ["fails", "cat > /dev/null; echo no >&2; exit 1"],
    ["reads nothing", "exit 0"],
    ["writes nothing", "cat > /dev/null"],
    ["writes something else", "cat > /dev/null; echo hello"],
  ];
  for (const [what, script] of failures) {
    test(`${what}: it cannot be had, and that is no proof of a damaged file`, async () => {
      const transcoded = setUp({ ffmpeg: (await fakeFfmpeg("fails", script)).path });
      await expect(transcoded.get(video, "240p", rangeOf(0), forEver())).rejects.toMatchObject({
        ...{ code: "not_supported", message: "this part cannot be had in another quality" },
      });
      expect(transcoded.figures).toMatchObject({ running: 0, failed: 1 });
    });
  }
});

describe("what is kept", () => {
  const kept = new Map<string, Uint8Array>();
  const cache: PartCache = {
    read: async (name) => kept.get(name),
    write: async (name, bytes) => void kept.set(name, bytes),
    sizeBytes: 7,
  };

  test("is not made again; of a damaged file nothing is kept", async () => {
    const transcoded = setUp({ cache });
    const first = await transcoded.get(video, "240p", rangeOf(4), forEver());
    const again = await transcoded.get(video, "240p", rangeOf(4), forEver());
    expect(again.bytes).toBe(first.bytes);
    expect(transcoded.figures).toMatchObject({ made: 1, cacheHits: 1, cacheMisses: 1, cacheBytes: 7 });
    const damaged = { ...video, status: "damaged" as const };
    expect((await transcoded.get(damaged, "240p", rangeOf(4), forEver())).bytes).not.toBe(first.bytes);
    expect(kept.size).toBe(1);
  });

  test("is told apart by video, quality, part and the ffmpeg that made it", async () => {
    const tags = new Set<string>();
    for (const range of ["init", rangeOf(3), rangeOf(4)] as const) {
      tags.add((await setUp().get(video, "240p", range, forEver())).tag);
    }
    const ffmpeg = await fakeFfmpeg("other", 'exec ffmpeg "$@"');
    tags.add((await setUp({ ffmpeg: ffmpeg.path }).get(video, "240p", "init", forEver())).tag);
    expect(tags.size).toBe(4);
    expect([...tags].every((tag) => /^[a-z0-9_-]{1,120}$/.test(tag))).toBe(true);
  });
});
