import { expect, test } from "bun:test";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, systemClock } from "../../../src/common/clock.ts";
import { AppError } from "../../../src/common/errors.ts";
import { createLogger, type Logger } from "../../../src/common/log.ts";
import type { ArchiveDestination } from "../../../src/edge/uploader/archive-destination.ts";
import { PathDestination } from "../../../src/edge/uploader/path-destination.ts";
import { UploadWindows } from "../../../src/edge/uploader/upload-windows.ts";
import { Uploader, type UploaderOptions } from "../../../src/edge/uploader/uploader.ts";
import { makeArchive, testArchiveId } from "../../contract/archive-destination.contract.ts";
import {
  recordSample,
  sampleRecording,
  sampleStart,
  temporaryFolder,
} from "../../support/sample-recording.ts";
import { openTestSpool } from "../../support/test-spool.ts";

/** A real spool and archive; `wrap` stands between the uploader and the archive. */
async function setUp(
  { realPauses, ...options }: Partial<UploaderOptions> & { realPauses?: boolean } = {},
  wrap: (real: ArchiveDestination) => Partial<ArchiveDestination> = () => ({}),
) {
  const folder = await temporaryFolder();
  const archive = join(folder.path, "videos");
  await makeArchive(archive);
  const spool = await openTestSpool(join(folder.path, "spool"));
  const real = new PathDestination({ path: archive });
  const destination = { put: real.put.bind(real), check: real.check.bind(real), ...wrap(real) };
  const uploader = new Uploader({
    queue: spool.uploads,
    destination,
    order: "oldest_first",
    expectedArchiveId: () => testArchiveId,
    clock: systemClock,
    logger: createLogger("uploader"),
    ...(!realPauses && { backoff: { firstMs: 1, maxMs: 5 } }),
    ...options,
  });
  const controller = new AbortController();
  let running: Promise<void> | undefined;
  return {
    spool,
    archive,
    uploader,
    controller,
    start: () => {
      running = uploader.run(controller.signal);
    },
    record: async (count: number, from = 0) => {
      const ids: string[] = [];
      for (let sequence = from; sequence < from + count; sequence++) {
        ids.push((await recordSample(spool.sink, { sequence })).start.videoId);
      }
      return ids;
    },
    archived: (count: number) => until(() => spool.announcements.pending().length >= count),
    stopped: () => running,
    async [Symbol.asyncDispose]() {
      controller.abort();
      await running;
      spool[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(5);
}

const videosIn = async (archive: string) =>
  (await readdir(archive, { recursive: true })).filter((name) => name.endsWith(".mp4")).sort();

test.each(["oldest_first", "newest_first"] as const)("delivers what waits, %s", async (order) => {
  const put: string[] = [];
  await using at = await setUp({ order }, (real) => ({
    put: (request, options) => {
      put.push(request.identity.videoId);
      return real.put(request, options);
    },
  }));
  const ids = await at.record(4);
  at.start();
  await at.archived(4);
  expect(put).toEqual(order === "oldest_first" ? ids : ids.toReversed());
  expect(await videosIn(at.archive)).toHaveLength(4);
  const announced = await at.spool.announcements.load(ids[0]!);
  expect(announced?.file_path).toBe("cam01/2025-09-23/cam01_20250923_153000.mp4");
  const sha = new Bun.CryptoHasher("sha256").update(
    await readFile(join(at.archive, announced?.file_path ?? "")),
  );
  expect(announced?.file_sha256).toBe(sha.digest("hex"));
});

test("takes up a segment that is closed while nothing waits", async () => {
  await using at = await setUp();
  at.start();
  await at.record(1);
  await at.archived(1);
});

test("goes on in order when the archive is back, which is not mounted at first", async () => {
  const put: string[] = [];
  await using at = await setUp({}, (real) => ({
    put: (request, options) => {
      put.push(request.identity.videoId);
      return real.put(request, options);
    },
  }));
  await rm(join(at.archive, "metadata"), { recursive: true });
  const ids = await at.record(3);
  at.start();
  expect(at.uploader.status()).toMatchObject({ lastError: undefined, etaSeconds: undefined });
  await until(() => put.length >= 4);
  expect(at.uploader.status()).toMatchObject({ lastError: expect.stringContaining("no archive") });
  expect(new Set(put)).toEqual(new Set([ids[0]!]));
  expect(await readdir(at.archive)).toEqual([]);
  await makeArchive(at.archive);
  await at.archived(3);
  expect(put.filter((id, i) => id !== put[i - 1])).toEqual(ids);
  expect(at.uploader.status()).toMatchObject({ state: "idle", etaSeconds: 0, lastError: undefined });
});

test("a check finds that the archive is back, long before the next try", async () => {
  let checks = 0;
  await using at = await setUp(
    { backoff: { firstMs: 3_600_000, maxMs: 3_600_000 }, checkSchedule: (wallMs) => wallMs + 5 },
    (real) => ({
      check: () => {
        checks++;
        return real.check();
      },
    }),
  );
  await rm(join(at.archive, "metadata"), { recursive: true });
  await at.record(2);
  at.start();
  await until(() => checks >= 3);
  expect(at.uploader.status()).toMatchObject({ state: "retrying" });
  await makeArchive(at.archive);
  await at.archived(2);
});

test("ends at once while a check hangs", async () => {
  const { promise: hanging, resolve: checked } = Promise.withResolvers<void>();
  await using at = await setUp(
    { checkSchedule: (wallMs) => wallMs + 1, backoff: { firstMs: 20, maxMs: 20 } },
    () => ({
      check: () => {
        checked();
        return new Promise(() => undefined);
      },
      put: async () => {
        throw new AppError("timeout", "the archive made no progress for 60 s");
      },
    }),
  );
  await at.record(1);
  at.start();
  await hanging;
  at.controller.abort();
  await at.stopped();
});

test("a full archive is not tried more often for being there", async () => {
  let checks = 0;
  let puts = 0;
  await using at = await setUp(
    { backoff: { firstMs: 3_600_000, maxMs: 3_600_000 }, checkSchedule: (wallMs) => wallMs + 1 },
    (real) => ({
      check: () => {
        checks++;
        return real.check();
      },
      put: async () => {
        puts++;
        throw new AppError("io", "full", { details: { side: "archive", errno: "ENOSPC" } });
      },
    }),
  );
  await at.record(1);
  at.start();
  await until(() => checks >= 5);
  expect(puts).toBe(1);
});

test("sets a damaged segment aside and goes on with the others", async () => {
  await using at = await setUp();
  const [damaged = "", whole = ""] = await at.record(2);
  const { sourcePath } = await at.spool.uploads.load(damaged);
  const bytes = await readFile(sourcePath);
  bytes[bytes.length - 20]! ^= 1;
  await writeFile(sourcePath, bytes);
  at.start();
  await at.archived(1);
  expect(at.spool.announcements.pending()).toEqual([whole]);
  expect(at.spool.status()).toMatchObject({ waiting_segments: 0, quarantined_segments: 1 });
});

test("a segment that fails for itself holds nobody up", async () => {
  let failing = "";
  await using at = await setUp({}, (real) => ({
    put: (request, options) => {
      if (request.identity.videoId === failing)
        throw new AppError("internal", "the upload worker ended with 132");
      return real.put(request, options);
    },
  }));
  const [first = "", ...others] = await at.record(3);
  failing = first;
  at.start();
  await at.archived(2);
  expect(at.spool.announcements.pending()).toEqual(others);
  const held = { videoId: first, state: "held_back", lastError: "the upload worker ended with 132" };
  expect(at.uploader.list()).toMatchObject([held]);
  failing = "";
  expect(at.uploader.retry(first)).toBe(true);
  await at.archived(3);
});

test("tells progress, cancels the running upload, and takes it up again after the others", async () => {
  const order: string[] = [];
  const { promise: underWay, resolve: halfDone } = Promise.withResolvers<void>();
  let nowMs = 0;
  const clock: Clock = { wallMs: systemClock.wallMs, monotonicMs: () => nowMs };
  await using at = await setUp({ clock }, (real) => ({
    put: async (request, options) => {
      order.push(request.identity.videoId);
      if (order.length > 1) return real.put(request, options);
      options?.onProgress?.(50, 200);
      halfDone();
      await new Promise((resolve) => options?.signal?.addEventListener("abort", resolve));
      throw new AppError("cancelled", "the upload was cancelled");
    },
  }));
  const [first = "", second = ""] = await at.record(2);
  at.start();
  await underWay;
  nowMs = 1000;
  expect(at.uploader.uploadProgress(first)).toBe(0.25);
  expect(at.uploader.uploadProgress(second)).toBe(0);
  expect(at.uploader.uploadProgress("unknown")).toBeUndefined();
  expect(at.uploader.list()).toMatchObject([
    { videoId: first, state: "uploading", progress: 0.25, etaSeconds: expect.closeTo(3) },
    { videoId: second, state: "waiting", progress: 0, etaSeconds: expect.closeTo(7, 1) },
  ]);
  expect(at.uploader.status()).toMatchObject({ state: "uploading", etaSeconds: expect.closeTo(7, 1) });
  expect(at.uploader.cancel("unknown")).toBe(false);
  expect(at.uploader.cancel(first)).toBe(true);
  await at.archived(1);
  expect(order).toEqual([first, second]);
  expect(at.uploader.list()).toMatchObject([{ videoId: first, state: "held_back", lastError: "cancelled" }]);
  nowMs = 61_001;
  await at.record(1, 5);
  await at.archived(3);
  expect(order[2]).not.toBe(first);
  expect(order[3]).toBe(first);
});

test("waits for its window, and starts by itself when it opens", async () => {
  const openMs = Date.parse("2026-06-10T22:00:00Z");
  let aheadMs = -3_600_000;
  const clock: Clock = { wallMs: () => openMs + aheadMs, monotonicMs: systemClock.monotonicMs };
  const put: string[] = [];
  const windows = new UploadWindows(["22:00-23:00"], "UTC");
  await using at = await setUp({ clock, windows }, (real) => ({
    put: (request, options) => {
      put.push(request.identity.videoId);
      return real.put(request, options);
    },
  }));
  at.start();
  await at.record(2);
  expect(at.uploader.mayUpload).toBe(false);
  expect(at.uploader.status()).toMatchObject({ state: "outside_window" });
  await Bun.sleep(30);
  expect(put).toEqual([]);
  // The uploader sees its window 50 ms away once it is woken, and nothing wakes it after that.
  aheadMs = -50;
  await at.record(1, 2);
  await Bun.sleep(10);
  expect(put).toEqual([]);
  aheadMs = 0;
  await at.archived(3);
  expect(at.uploader.mayUpload).toBe(true);
});

test("gives a running upload its time at the end, and then stops it", async () => {
  const { promise: underWay, resolve: started } = Promise.withResolvers<void>();
  let cancelled = false;
  await using at = await setUp({ graceMs: 20 }, () => ({
    put: async (_request, options) => {
      started();
      await new Promise((resolve) => options?.signal?.addEventListener("abort", resolve));
      cancelled = true;
      throw new AppError("cancelled", "the upload was cancelled");
    },
  }));
  await at.record(2);
  at.start();
  await underWay;
  at.controller.abort();
  await at.stopped();
  expect(cancelled).toBe(true);
  expect(at.spool.uploads.waiting()).toHaveLength(2);
});

test("says what it reaches", async () => {
  await using at = await setUp();
  expect(await at.uploader.checkConnection()).toMatchObject({ ok: true, archiveId: testArchiveId });
});

test("what somebody waits for goes first, also while a backlog is drained, and is known after a restart", async () => {
  let isAway = true;
  const order: string[] = [];
  await using at = await setUp({}, (real) => ({
    put: (request, options) => {
      if (isAway) return Promise.reject(new AppError("unavailable", "the archive is away"));
      order.push(request.identity.videoId);
      return real.put(request, options);
    },
  }));
  const ids = (await at.record(6)) as [string, string, string, string, string, string];
  at.start();
  expect(await at.uploader.prioritise(ids[3])).toBe(true);
  expect(await at.uploader.prioritise(ids[4])).toBe(true);
  expect(await at.uploader.prioritise("01997000-0000-7000-8000-000000000099")).toBe(false);
  expect(at.uploader.list().map(({ videoId }) => videoId)).toEqual([
    ...[ids[4], ids[3]],
    ...[ids[0], ids[1], ids[2], ids[5]],
  ]);
  const state = JSON.parse(await readFile(join(at.spool.layout.root, "state.json"), "utf8"));
  expect(state.upload_first).toEqual([ids[4], ids[3]]);
  isAway = false;
  await at.archived(6);
  expect(order).toEqual([ids[4], ids[3], ids[0], ids[1], ids[2], ids[5]]);
  expect(at.spool.uploads.preferred()).toEqual([]);
});

test("one that is still being recorded can be waited for", async () => {
  await using at = await setUp();
  const { init, fragments } = await sampleRecording();
  const start = sampleStart();
  const segment = await at.spool.sink.open(start, init.bytes);
  expect(await at.uploader.prioritise(start.videoId)).toBe(true);
  await segment.append(fragments[0] as Uint8Array);
  const end = { endTimeMs: start.startTimeMs + 400, durationMs: 400, fps: 10, clockState: "synced" } as const;
  await segment.close({ ...end, endReason: "boundary" });
  expect(at.spool.uploads.preferred()).toEqual([start.videoId]);
});

test.each([
  ["the archive that is away", new AppError("unavailable", "not mounted"), 60_000],
  ["the segment, or what carries it", new AppError("internal", "the upload worker ended"), 10_000],
])("a failure for %s is tried again before long, however often it was", async (_whose, error, atMostMs) => {
  const pauses: number[] = [];
  const silent = () => undefined;
  const logger = {
    ...{ debug: silent, info: silent },
    error: (_message: string, about: { retry_in_ms: number }) => pauses.push(about.retry_in_ms),
  } as unknown as Logger;
  let puts = 0;
  await using at = await setUp({ realPauses: true, logger }, () => ({
    put: async () => {
      puts++;
      throw error;
    },
  }));
  const [videoId = ""] = await at.record(1);
  at.start();
  for (let n = 1; n <= 12; n++) {
    await until(() => pauses.length >= n);
    while (puts === n) {
      at.uploader.retry(videoId);
      await Bun.sleep(1);
    }
  }
  expect(Math.max(...pauses)).toBeLessThanOrEqual(atMostMs);
  expect(Math.max(...pauses)).toBeGreaterThan(atMostMs / 2);
});
