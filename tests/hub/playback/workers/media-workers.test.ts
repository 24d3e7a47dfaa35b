import { describe, expect, setDefaultTimeout } from "bun:test";
import { systemClock } from "../../../../src/common/clock.ts";
import { createLogger } from "../../../../src/common/log.ts";
import type { Video } from "../../../../src/hub/db/catalog.ts";
import { MediaWorkers } from "../../../../src/hub/playback/workers/media-workers.ts";
import { createWorkerMediaSource } from "../../../../src/hub/playback/workers/worker-media-source.ts";
import { archiveTestVideo, writeTestArchiveIdentity } from "../../../support/archived-video.ts";
import { canHang, cannotHang, openHangingFolder } from "../../../support/hanging-folder.ts";
import { processesWith } from "../../../support/processes-with.ts";
import { hubCommand } from "../../../support/test-hub.ts";
import { testIf } from "../../../support/test-if.ts";

setDefaultTimeout(60_000);
const whereItCanHang = testIf(canHang, cannotHang);

async function setUp({ deadlineMs = 2_500, readBytesPerSecond = 0 } = {}) {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await openHangingFolder({ readBytesPerSecond }));
  await writeTestArchiveIdentity(folder.real);
  const video: Video = await archiveTestVideo(folder.real, {
    ...{ startTimeMs: Date.UTC(2025, 8, 23, 6, 30), seconds: 2, width: 160, height: 90 },
  });
  const common = { clock: systemClock, logger: createLogger("test") };
  const options = { selfCommand: hubCommand, root: folder.path, ...common };
  const workers = stack.use(new MediaWorkers({ ...options, deadlineMs, retryMs: 200 }));
  const media = createWorkerMediaSource({ workers, archiveId: () => undefined, ...common });
  // Starts the first worker, which may take its time.
  await untilItReads({ media, video });
  const resources = stack.move();
  return { folder, workers, media, video, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

async function untilItReads({ media, video }: Pick<Awaited<ReturnType<typeof setUp>>, "media" | "video">) {
  const read = () => media.readRange(video.filePath, { start: 0, end: 1 });
  while ((await read().catch(() => undefined)) === undefined) await Bun.sleep(50);
}

describe("an archive that hangs", () => {
  whereItCanHang("is refused, however often it is asked for, and leaves few processes", async () => {
    await using at = await setUp();
    const { folder, workers, media, video } = at;
    folder.hang();
    for (let round = 0; round < 3; round++) {
      const calls = Array.from({ length: 200 }, (_, i) =>
        i % 2 === 0 ? media.readRange(video.filePath, { start: 0, end: 1 }) : media.readIndex(video.filePath),
      );
      for (const result of await Promise.allSettled(calls)) {
        expect(result).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
      }
      expect(workers.processCount).toBeLessThanOrEqual(6);
      await Bun.sleep(250);
    }
    folder.resume();
    await untilItReads(at);
    // Those that were given up end when the archive answers.
    while (workers.processCount > 4) await Bun.sleep(20);
  });

  whereItCanHang("ends a body in its middle", async () => {
    await using at = await setUp();
    const { folder, media, video } = at;
    const sizeBytes = 64 * 1024 * 1024;
    await Bun.write(`${folder.real}/${video.filePath}`, new Uint8Array(sizeBytes));
    const body = await media.body(video.filePath, { start: 0, end: sizeBytes });
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    expect((await reader.read()).done).toBe(false);
    folder.hang();
    const rest = async () => {
      for (let read = 0; ; ) {
        const { done, value } = await reader.read();
        if (done) return read;
        read += value.length;
      }
    };
    await expect(rest()).rejects.toMatchObject({ code: "unavailable" });
    folder.resume();
    await untilItReads(at);
  });
});

whereItCanHang("a slow archive is not taken for one that hangs, however many wait", async () => {
  const deadlineMs = 3_000;
  await using at = await setUp({ deadlineMs, readBytesPerSecond: 4_000_000 });
  const { folder, media, video } = at;
  const [sizeBytes, readBytes] = [15_000_000, 125_000];
  await Bun.write(`${folder.real}/${video.filePath}`, new Uint8Array(sizeBytes).fill(7));
  const startedAtMs = performance.now();
  // From the end on: else the kernel reads ahead, more than is asked for.
  const reads = Array.from({ length: sizeBytes / readBytes }, (_, i) => {
    const end = sizeBytes - i * readBytes;
    return media.readRange(video.filePath, { start: end - readBytes, end });
  });
  for (const bytes of await Promise.all(reads)) expect(bytes.every((byte) => byte === 7)).toBe(true);
  // Else nobody waited for longer than what is tried here.
  expect(performance.now() - startedAtMs).toBeGreaterThan(deadlineMs);
});

whereItCanHang("a worker that is killed is replaced", async () => {
  await using at = await setUp({ deadlineMs: 20_000 });
  const { folder, media, video } = at;
  const pids = await processesWith("media-worker", folder.path);
  expect(pids.length).toBe(1);
  for (const pid of pids) process.kill(pid, "SIGKILL");
  // What was asked in that moment may fail; nothing after it.
  await untilItReads(at);
  await media.readIndex(video.filePath);
});

whereItCanHang("a player that pauses for longer than Bun waits by itself is not cut off", async () => {
  await using at = await setUp({ deadlineMs: 20_000 });
  const { folder, media, video } = at;
  const sizeBytes = 64 * 1024 * 1024;
  await Bun.write(`${folder.real}/${video.filePath}`, new Uint8Array(sizeBytes));
  const body = await media.body(video.filePath, { start: 0, end: sizeBytes });
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  let read = (await reader.read()).value?.length ?? 0;
  await Bun.sleep(13_000);
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) read += chunk.value.length;
  expect(read).toBe(sizeBytes);
});

whereItCanHang("no worker stays when the hub ends, however it ends", async () => {
  const at = await setUp();
  const path = at.folder.path;
  await at[Symbol.asyncDispose]();
  while ((await processesWith("media-worker", path)).length > 0) await Bun.sleep(20);
});
