import { expect, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { RegularFile } from "../../src/common/mp4/regular-file.ts";
import { RateLimit } from "../../src/edge/rate-limit.ts";
import { runArchivePass } from "../../src/edge/uploader/archive-pass.ts";
import { HashedSource } from "../../src/edge/uploader/hashed-source.ts";
import type { ArchiveTarget } from "../../src/edge/uploader/synced-writer.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { temporaryFolder } from "../support/sample-recording.ts";

const startMs = Date.UTC(2026, 0, 5);

/** Time passes only while the limit waits, and `lateMs` more, as timers are. */
function fakeLimit(bytesPerSecond: number, lateMs: () => number = () => 0) {
  const clock = new FakeClock(startMs);
  const pauses: number[] = [];
  const limit = new RateLimit({
    bytesPerSecond,
    clock,
    pause: async (ms) => {
      pauses.push(ms);
      clock.advance(ms + lateMs());
    },
  });
  return { clock, limit, pauses };
}

test("no span of time sees more than the limit, a step and what a late timer is owed", async () => {
  const steps = fc.array(
    fc.record({ share: fc.double({ min: 0.01, max: 1, noNaN: true }), idleMs: fc.nat(900) }),
    {
      minLength: 2,
      maxLength: 60,
    },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 100, max: 50_000_000 }),
      steps,
      fc.nat(200),
      async (rate, list, lateMs) => {
        const { clock, limit } = fakeLimit(rate, () => lateMs);
        const sent: { atMs: number; bytes: number }[] = [];
        for (const { share, idleMs } of list) {
          const bytes = Math.max(1, Math.floor(limit.stepBytes * share));
          await limit.take(bytes);
          sent.push({ atMs: clock.monotonicMs(), bytes });
          clock.advance(idleMs > 600 ? idleMs : 0);
        }
        for (let from = 0; from < sent.length; from++) {
          let bytes = 0;
          for (let to = from; to < sent.length; to++) {
            bytes += sent[to]!.bytes;
            const spanMs = sent[to]!.atMs - sent[from]!.atMs;
            expect(bytes).toBeLessThanOrEqual((rate * (spanMs + 250)) / 1000 + limit.stepBytes + 1);
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("the limit is reached with timers that come late", async () => {
  const { clock, limit } = fakeLimit(1_000_000, () => 60);
  const beganMs = clock.monotonicMs();
  for (let i = 0; i < 800; i++) await limit.take(limit.stepBytes);
  expect((800 * limit.stepBytes) / (clock.monotonicMs() - beganMs)).toBeGreaterThan(990);
});

test("what was not used is not saved up", async () => {
  const { clock, limit, pauses } = fakeLimit(1000);
  await limit.take(limit.stepBytes);
  clock.advance(3_600_000);
  for (let i = 0; i < 10; i++) await limit.take(limit.stepBytes);
  expect(pauses.length).toBeGreaterThanOrEqual(7);
});

const layoutOf = (size: number) => {
  const front = Buffer.from("front matter");
  const sidx = Buffer.from("sidx");
  return {
    ...{ front, sidx, initBytes: new Uint8Array(0), initOffset: front.length, sidxOffset: front.length },
    ...{ fragmentsOffset: front.length + sidx.length, fragmentsSizeBytes: size },
    totalSizeBytes: front.length + sidx.length + size,
  };
};

/** Keeps what it is given, and what it was asked to make durable. */
class MemoryTarget implements ArchiveTarget {
  readonly writes: { position: number; length: number }[] = [];
  readonly bytes: Uint8Array;
  /** Bytes that came before each sync. */
  readonly syncs: number[] = [];
  #written = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  async write(bytes: Uint8Array, offset: number, length: number, position: number) {
    this.writes.push({ position, length });
    this.bytes.set(bytes.subarray(offset, offset + length), position);
    this.#written += length;
    return { bytesWritten: length };
  }

  async datasync() {
    this.syncs.push(this.#written);
  }

  async sync() {
    this.syncs.push(this.#written);
  }
}

async function limitedPass(size: number, limit: RateLimit, signal?: AbortSignal) {
  await using folder = await temporaryFolder();
  const source = new Uint8Array(size);
  for (let i = 0; i < size; i += 997) source[i] = i * 31;
  await writeFile(join(folder.path, "source"), source);
  await using opened = await RegularFile.open(join(folder.path, "source"));
  const layout = layoutOf(size);
  const target = new MemoryTarget(layout.totalSizeBytes);
  const progress: number[] = [];
  await using hashed = await HashedSource.open(opened, layout);
  const pass = {
    source: hashed,
    layout,
    proof: { update: () => undefined, check: () => undefined },
    target,
    limit,
    signal,
    onProgress: (written: number) => progress.push(written),
  };
  const outcome = await runArchivePass(pass).catch((error: unknown) => ({ error }));
  return { source: await readFile(join(folder.path, "source")), layout, target, progress, outcome };
}

test("a limited pass writes the same file in even steps, tells each, and never lets much gather", async () => {
  const mib = 1024 * 1024;
  const { clock, limit } = fakeLimit(2 * mib);
  const beganMs = clock.monotonicMs();
  const { source, layout, target, progress } = await limitedPass(9 * mib + 5, limit);
  expect(Buffer.compare(target.bytes, Buffer.concat([layout.front, layout.sidx, source]))).toBe(0);
  expect(Math.max(...target.writes.map(({ length }) => length))).toBe(limit.stepBytes);
  expect(progress.length).toBeGreaterThanOrEqual(target.writes.length);
  expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  expect(progress.at(-1)).toBe(layout.totalSizeBytes);
  const gathered = target.syncs.map((bytes, i) => bytes - (target.syncs[i - 1] ?? 0));
  expect(Math.max(...gathered)).toBeLessThanOrEqual(3 * mib);
  const seconds = (clock.monotonicMs() - beganMs) / 1000;
  expect(seconds).toBeGreaterThan(4);
  expect(seconds).toBeLessThan(5);
});

test("is cancelled while it waits for its turn", async () => {
  const controller = new AbortController();
  const limit = new RateLimit({ bytesPerSecond: 1, pause: async () => controller.abort() });
  const { outcome, target } = await limitedPass(1000, limit, controller.signal);
  expect(outcome).toMatchObject({ error: { code: "cancelled" } });
  expect(target.writes.length).toBeLessThan(3);
});
