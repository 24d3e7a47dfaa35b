import { expect, test } from "bun:test";
import { systemClock } from "../../../src/common/clock.ts";
import { AppError } from "../../../src/common/errors.ts";
import { createLogger } from "../../../src/common/log.ts";
import type { ArchiveDestination, PutResult } from "../../../src/edge/uploader/archive-destination.ts";
import type { UploadQueue, WaitingSegment } from "../../../src/edge/uploader/upload-queue.ts";
import { Uploader, type UploaderOptions } from "../../../src/edge/uploader/uploader.ts";
import { sampleStart } from "../../support/sample-recording.ts";

interface Put {
  videoId: string;
  signal: AbortSignal;
  send(): void;
  succeed(): void;
  fail(error: AppError): void;
}

/** Segments `v0`, `v1`, … that wait, and a destination whose every put is decided by the test. */
class Scene implements UploadQueue {
  segments: WaitingSegment[];
  readonly archived: string[] = [];
  readonly puts: Put[] = [];
  readonly uploader: Uploader;
  readonly controller = new AbortController();
  readonly running: Promise<void>;

  constructor(count: number, options: Partial<UploaderOptions> = {}) {
    this.segments = Array.from({ length: count }, (_, i) => ({
      ...{ videoId: `v${i}`, cameraId: "cam01", startTimeMs: i, sizeBytes: 100 },
    }));
    const destination: ArchiveDestination = {
      check: async () => ({ ok: false, reason: "not asked" }),
      put: (request, { onProgress, signal } = {}) => {
        const { promise, resolve, reject } = Promise.withResolvers<PutResult>();
        signal?.addEventListener("abort", () => reject(new AppError("cancelled", "cancelled")));
        this.puts.push({
          videoId: request.sourcePath,
          signal: signal as AbortSignal,
          send: () => onProgress?.(200, 200),
          succeed: () =>
            resolve({ archiveId: "", filePath: "", fileSizeBytes: 200, fileSha256: "", alreadyThere: false }),
          fail: reject,
        });
        return promise;
      },
    };
    this.uploader = new Uploader({
      queue: this,
      destination,
      order: "oldest_first",
      expectedArchiveId: () => undefined,
      clock: systemClock,
      logger: createLogger("uploader"),
      backoff: { firstMs: 1, maxMs: 1 },
      graceMs: 0,
      ...options,
    });
    this.running = this.uploader.run(this.controller.signal);
  }

  readonly #preferred: string[] = [];
  preferred = () => this.#preferred;
  prefer = async (videoId: string) => this.#preferred.unshift(videoId) > 0;

  waiting = () => this.segments;
  isWaiting = (videoId: string) => this.segments.some((segment) => segment.videoId === videoId);
  onWaiting = () => undefined;

  async load(videoId: string) {
    const identity = { ...sampleStart(), endTimeMs: 0, durationMs: 0, fps: 0, recordedSha256: "" };
    return { sourcePath: videoId, identity };
  }

  /** Thrown once by the next `markArchived`. */
  markFault: Error | undefined;

  async markArchived(videoId: string) {
    const fault = this.markFault;
    this.markFault = undefined;
    if (fault) throw fault;
    this.archived.push(videoId);
    await this.setAside(videoId);
  }

  async setAside(videoId: string) {
    this.segments = this.segments.filter((segment) => segment.videoId !== videoId);
  }

  /** The puts so far, once nothing more happens by itself. */
  async begun(): Promise<string[]> {
    await Bun.sleep(20);
    return this.puts.map(({ videoId }) => videoId);
  }

  async [Symbol.asyncDispose]() {
    this.controller.abort();
    await this.running;
  }
}

test("the next one goes out while those before it are made durable, one at a time, and not too many", async () => {
  await using at = new Scene(8);
  expect(await at.begun()).toEqual(["v0"]);
  for (let i = 0; i < 5; i++) at.puts[i]?.send();
  expect(await at.begun()).toEqual(["v0", "v1"]);
  expect(
    at.uploader
      .list()
      .map(({ state }) => state)
      .slice(0, 3),
  ).toEqual(["uploading", "uploading", "waiting"]);
  at.puts[1]?.send();
  expect(await at.begun()).toEqual(["v0", "v1", "v2"]);
  // Three are being finished: the fourth waits for one of them.
  at.puts[2]?.send();
  expect(await at.begun()).toEqual(["v0", "v1", "v2"]);
  at.puts[1]?.succeed();
  expect(await at.begun()).toEqual(["v0", "v1", "v2", "v3"]);
  expect(at.archived).toEqual(["v1"]);
  for (let i = 0; i < 8; i++) {
    at.puts[i]?.send();
    at.puts[i]?.succeed();
    await at.begun();
  }
  expect(at.archived.toSorted()).toEqual(["v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7"]);
  expect(await at.begun()).toHaveLength(8);
  expect(at.uploader.status()).toMatchObject({ state: "idle", succeeded: 8, failed: 0 });
});

test("two that fail together are one failure, and both are tried again in order", async () => {
  await using at = new Scene(3, { backoff: { firstMs: 1, maxMs: 3_600_000, factor: 3_600_000 } });
  await at.begun();
  at.puts[0]?.send();
  expect(await at.begun()).toEqual(["v0", "v1"]);
  const gone = () => new AppError("timeout", "the archive made no progress");
  at.puts[0]?.fail(gone());
  // Nothing is begun beside what may fail in a moment.
  at.puts[1]?.send();
  expect(await at.begun()).toEqual(["v0", "v1"]);
  at.puts[1]?.fail(gone());
  // Two failures in a row would be an hour.
  expect(await at.begun()).toEqual(["v0", "v1", "v0"]);
  expect(at.uploader.status()).toMatchObject({
    failed: 2,
    lastError: expect.stringContaining("no progress"),
  });
});

test("one that succeeds tells that the archive is there, whatever failed before it", async () => {
  await using at = new Scene(3, { backoff: { firstMs: 3_600_000, maxMs: 3_600_000 } });
  await at.begun();
  at.puts[0]?.send();
  await at.begun();
  at.puts[0]?.fail(new AppError("internal", "it cannot be"));
  expect(await at.begun()).toEqual(["v0", "v1"]);
  at.puts[1]?.succeed();
  expect(await at.begun()).toEqual(["v0", "v1", "v2"]);
  expect(at.uploader.list().find(({ videoId }) => videoId === "v0")).toMatchObject({ state: "held_back" });
});

test("one that finds no room for its record on the node's full disk is tried again soon, in its place", async () => {
  await using at = new Scene(3);
  await at.begun();
  at.markFault = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  at.puts[0]?.succeed();
  expect(await at.begun()).toEqual(["v0", "v0"]);
  expect(at.uploader.list()[0]).toMatchObject({ videoId: "v0", state: "uploading", lastError: undefined });
  at.puts[1]?.succeed();
  await at.begun();
  expect(at.archived).toEqual(["v0"]);
});

test("one that is being finished can be cancelled, and the one that goes out beside it goes on", async () => {
  await using at = new Scene(2);
  await at.begun();
  at.puts[0]?.send();
  await at.begun();
  expect(at.uploader.cancel("v0")).toBe(true);
  at.puts[1]?.send();
  at.puts[1]?.succeed();
  expect(await at.begun()).toEqual(["v0", "v1"]);
  expect(at.archived).toEqual(["v1"]);
  expect(at.uploader.list()).toMatchObject([{ videoId: "v0", state: "held_back", lastError: "cancelled" }]);
});

test("at the end all that is under way gets its time, and is then stopped", async () => {
  const at = new Scene(3, { graceMs: 30 });
  await at.begun();
  at.puts[0]?.send();
  await at.begun();
  at.controller.abort();
  await Bun.sleep(10);
  at.puts[0]?.succeed();
  await at.running;
  expect(at.archived).toEqual(["v0"]);
  expect(at.puts.map(({ signal }) => signal.aborted)).toEqual([false, true]);
});
