import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { open, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import type { ArchiveLayout } from "../../../src/common/mp4/archive-file.ts";
import { RegularFile } from "../../../src/common/mp4/regular-file.ts";
import { RateLimit } from "../../../src/edge/rate-limit.ts";
import { SpoolChecksum } from "../../../src/edge/spool-checksum.ts";
import { type ArchivePass, runArchivePass } from "../../../src/edge/uploader/archive-pass.ts";
import { HashThread } from "../../../src/edge/uploader/hash-thread.ts";
import { HashedSource, pageBytes, passBytes } from "../../../src/edge/uploader/hashed-source.ts";
import { proofOf } from "../../../src/edge/uploader/segment-proof.ts";
import { sampleStart, temporaryFolder } from "../../support/sample-recording.ts";
import { canMount, mountSmallDisk } from "../../support/small-disk.ts";
import { testIf } from "../../support/test-if.ts";

const mib = 1024 * 1024;
const sha256 = (...parts: Uint8Array[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

/** The pass does not look into the bytes, so any will do. */
function layoutOf(source: Uint8Array, initSize: number): ArchiveLayout {
  const front = Buffer.from("front matter");
  const sidx = Buffer.from("sidx");
  const initOffset = front.length;
  const sidxOffset = initOffset + initSize;
  const fragmentsOffset = sidxOffset + sidx.length;
  const fragmentsSizeBytes = source.length - initSize;
  const totalSizeBytes = fragmentsOffset + fragmentsSizeBytes;
  const initBytes = source.subarray(0, initSize);
  return {
    front,
    initBytes,
    sidx,
    initOffset,
    sidxOffset,
    fragmentsOffset,
    fragmentsSizeBytes,
    totalSizeBytes,
  };
}

/** As the spool would know the segment, by one proof or by the other. */
function proofFor(recorded: Uint8Array, by: "checksum" | "sha256" = "checksum") {
  const checksum = new SpoolChecksum();
  checksum.update(recorded);
  return proofOf({
    sourcePath: "",
    identity: {
      ...sampleStart(),
      endTimeMs: 0,
      durationMs: 0,
      fps: 0,
      recordedSha256: by === "sha256" ? sha256(recorded) : "",
    },
    spoolChecksum: by === "checksum" ? checksum.digest() : undefined,
  });
}

type Rest = Omit<ArchivePass, "source"> & { hashThread?: HashThread };

async function runPass(opened: RegularFile, { hashThread, ...rest }: Rest) {
  await using source = await HashedSource.open(opened, rest.layout, hashThread);
  return await runArchivePass({ source, ...rest });
}

async function pass(folder: string, source: Uint8Array, initSize: number, options: object = {}) {
  await writeFile(join(folder, "source"), source);
  await using opened = await RegularFile.open(join(folder, "source"));
  const target = await open(join(folder, "target"), "w");
  try {
    const layout = layoutOf(source, initSize);
    return {
      layout,
      result: await runPass(opened, { layout, proof: proofFor(source), target, ...options }),
    };
  } finally {
    await target.close();
  }
}

const pseudoRandom = (size: number) => {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i += 997) bytes[i] = i * 31;
  return bytes;
};

test.each(["this thread", "a thread of its own"])(
  "writes front, init segment, sidx and fragments, and tells the hash of all of it, hashed on %s",
  async (where) => {
    await using folder = await temporaryFolder();
    using hashThread = new HashThread(passBytes);
    const options = where === "this thread" ? {} : { hashThread };
    const sizes = fc.constantFrom(1, 2, 1000, mib - 1, mib, mib + 1, 3 * mib + 5, 16 * mib + 7);
    await fc.assert(
      fc.asyncProperty(sizes, fc.constantFrom(0, 1, 700), async (fragments, initSize) => {
        const source = pseudoRandom(initSize + fragments);
        const { layout, result } = await pass(folder.path, source, initSize, options);
        const expected = [layout.front, layout.initBytes, layout.sidx, source.subarray(initSize)];
        const written = await readFile(join(folder.path, "target"));
        expect(Buffer.compare(written, Buffer.concat(expected))).toBe(0);
        expect(result).toEqual({ fileSha256: sha256(...expected) });
      }),
      { numRuns: 30 },
    );
  },
);

test.each([undefined, 150_000, 2 * mib])(
  "no page of the target is written to twice, but for those of the head (limit: %p)",
  async (bytesPerSecond) => {
    await using folder = await temporaryFolder();
    const source = pseudoRandom(6 * mib + 7);
    await writeFile(join(folder.path, "source"), source);
    await using opened = await RegularFile.open(join(folder.path, "source"));
    const layout = layoutOf(source, 700);
    const ends: number[] = [];
    const target = {
      async write(_bytes: Uint8Array, _offset: number, length: number, position: number) {
        if (position >= layout.fragmentsOffset) ends.push(position + length);
        return { bytesWritten: length };
      },
      datasync: async () => undefined,
      sync: async () => undefined,
    };
    const limit = bytesPerSecond && new RateLimit({ bytesPerSecond, pause: async () => undefined });
    await runPass(opened, { layout, proof: proofFor(source), target, ...(limit && { limit }) });
    expect(ends.length).toBeGreaterThan(5);
    expect(ends.at(-1)).toBe(layout.totalSizeBytes);
    expect(ends.slice(0, -1).filter((end) => end % pageBytes !== 0)).toEqual([]);
  },
);

test("reads and writes each byte once", async () => {
  await using folder = await temporaryFolder();
  const source = pseudoRandom(24 * mib);
  await writeFile(join(folder.path, "source"), source);
  await using opened = await RegularFile.open(join(folder.path, "source"));
  await using target = await open(join(folder.path, "target"), "w");
  const counters = async () => {
    const text = await readFile("/proc/self/io", "utf8");
    const get = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(text)?.[1]);
    return { read: get("rchar"), written: get("wchar") };
  };
  const before = await counters();
  await runPass(opened, { layout: layoutOf(source, 700), proof: proofFor(source), target });
  const after = await counters();
  expect((after.read - before.read) / source.length).toBeCloseTo(1, 2);
  expect((after.written - before.written) / source.length).toBeCloseTo(1, 2);
});

test.each(["checksum", "sha256"] as const)(
  "bytes that no longer have their %s end the pass, not synced",
  async (by) => {
    await using folder = await temporaryFolder();
    const source = pseudoRandom(3 * mib);
    let syncs = 0;
    const target = {
      write: async (_bytes: Uint8Array, _offset: number, length: number) => ({ bytesWritten: length }),
      datasync: async () => undefined,
      sync: async () => void syncs++,
    };
    await writeFile(join(folder.path, "source"), source);
    const path = join(folder.path, "source");
    const run = async () => {
      await using opened = await RegularFile.open(path);
      return await runPass(opened, {
        layout: layoutOf(source, 10),
        proof: proofFor(source, by),
        target,
      });
    };
    await run();
    expect(syncs).toBe(1);
    for (const at of [10, 1_500_000, source.length - 1]) {
      const other = source.slice();
      other[at]! ^= 1;
      await writeFile(path, other);
      await expect(run()).rejects.toMatchObject({ code: "corrupt_file", details: { side: "spool" } });
    }
    expect(syncs).toBe(1);
  },
);

test("stops where it is cancelled", async () => {
  await using folder = await temporaryFolder();
  const controller = new AbortController();
  const options = { signal: controller.signal, onProgress: () => controller.abort() };
  await expect(pass(folder.path, pseudoRandom(20 * mib), 10, options)).rejects.toMatchObject({
    code: "cancelled",
  });
  expect((await stat(join(folder.path, "target"))).size).toBeLessThan(4 * mib);
});

test("a source that got shorter is no segment any more", async () => {
  await using folder = await temporaryFolder();
  const source = pseudoRandom(3 * mib);
  await writeFile(join(folder.path, "source"), source);
  await using opened = await RegularFile.open(join(folder.path, "source"));
  await truncate(join(folder.path, "source"), 2 * mib);
  await using target = await open(join(folder.path, "target"), "w");
  const layout = layoutOf(source, 10);
  await expect(runPass(opened, { layout, proof: proofFor(source), target })).rejects.toMatchObject({
    code: "corrupt_file",
  });
});

testIf(canMount, "mounting needs root")("a full archive is told with its errno", async () => {
  await using folder = await temporaryFolder();
  await using disk = await mountSmallDisk(4 * mib);
  const source = pseudoRandom(12 * mib);
  await writeFile(join(folder.path, "source"), source);
  await using opened = await RegularFile.open(join(folder.path, "source"));
  await using target = await open(join(disk.path, "target"), "w");
  const layout = layoutOf(source, 10);
  await expect(runPass(opened, { layout, proof: proofFor(source), target })).rejects.toMatchObject({
    code: "io",
    details: { side: "archive", errno: "ENOSPC" },
  });
});

test("the kernel is asked to begin sending, in order, each written byte once at most and none before it is written", async () => {
  await using folder = await temporaryFolder();
  const source = pseudoRandom(40 * mib);
  await writeFile(join(folder.path, "source"), source);
  await using opened = await RegularFile.open(join(folder.path, "source"));
  let writtenBytes = 0;
  let begunBytes = 0;
  const target = {
    write: async (_bytes: Uint8Array, _offset: number, length: number) => {
      writtenBytes += length;
      return { bytesWritten: length };
    },
    startWriteback: (offset: number, length: number) => {
      expect(offset).toBe(begunBytes);
      begunBytes += length;
      expect(begunBytes).toBeLessThanOrEqual(writtenBytes);
    },
    datasync: async () => undefined,
    sync: async () => undefined,
  };
  await runPass(opened, { layout: layoutOf(source, 10), proof: proofFor(source), target });
  expect(begunBytes).toBeGreaterThan(30 * mib);
});

test("reads and hashes as far ahead as there is memory before anybody takes a block", async () => {
  using hashThread = new HashThread(passBytes);
  const bytes = pseudoRandom(40 * mib);
  const layout = layoutOf(bytes, 10);
  const read: number[] = [];
  const file = {
    path: "",
    sizeBytes: bytes.length,
    readInto: async (target: Uint8Array, offset: number) => {
      read.push(offset);
      target.set(bytes.subarray(offset, offset + target.length));
      return target.length;
    },
  };
  await using source = await HashedSource.open(file, layout, hashThread);
  await source.filled();
  await Bun.sleep(20);
  // The first is shorter, so that it ends with a page of the archive file.
  const headBytes = source.head.reduce((sum, { length }) => sum + length, 0);
  const offsets = Array.from({ length: 41 }, (_, i) => (i === 0 ? 10 : 10 + i * mib - headBytes));
  expect(read).toEqual(offsets.slice(0, 8));
  const taken: Uint8Array[] = [];
  for (let block = await source.next(); block; block = await source.next()) taken.push(block.slice());
  expect(Buffer.compare(Buffer.concat(taken), bytes.subarray(10))).toBe(0);
  expect(await source.digest()).toBe(sha256(...source.head, bytes.subarray(10)));
  expect(read).toEqual(offsets);
});

test("the next file gets the memory when the one before is written, and does not wait until it is synced", async () => {
  await using folder = await temporaryFolder();
  using hashThread = new HashThread(passBytes);
  const bytes = pseudoRandom(3 * mib);
  await writeFile(join(folder.path, "source"), bytes);
  await using opened = await RegularFile.open(join(folder.path, "source"));
  const layout = layoutOf(bytes, 10);
  const gates = { write: Promise.withResolvers<void>(), sync: Promise.withResolvers<void>() };
  const reached = { write: Promise.withResolvers<void>(), sync: Promise.withResolvers<void>() };
  const target = {
    async write(_bytes: Uint8Array, _offset: number, length: number, position: number) {
      if (position + length === layout.totalSizeBytes) {
        reached.write.resolve();
        await gates.write.promise;
      }
      return { bytesWritten: length };
    },
    datasync: async () => undefined,
    async sync() {
      reached.sync.resolve();
      await gates.sync.promise;
    },
  };
  const first = runPass(opened, { layout, proof: proofFor(bytes), target, hashThread });
  await reached.write.promise;
  let isOpen = false;
  const second = HashedSource.open(opened, layout, hashThread).then((source) => {
    isOpen = true;
    return source;
  });
  await Bun.sleep(50);
  expect(isOpen).toBe(false);
  gates.write.resolve();
  await reached.sync.promise;
  await using _next = await second;
  gates.sync.resolve();
  expect((await first).fileSha256).toBe(
    sha256(layout.front, layout.initBytes, layout.sidx, bytes.subarray(10)),
  );
});

test("a reader that is given up in its middle lets the thread and the memory go", async () => {
  using hashThread = new HashThread(passBytes);
  const layout = layoutOf(new Uint8Array(40 * mib), 10);
  const file = { path: "", sizeBytes: 40 * mib, readInto: async (target: Uint8Array) => target.length };
  for (let i = 0; i < 3; i++) {
    await using source = await HashedSource.open(file, layout, hashThread);
    await source.next();
  }
  const failing = { ...file, readInto: () => Promise.reject(new Error("a disk that fails")) };
  await using source = await HashedSource.open(failing, layout, hashThread);
  await expect(source.next()).rejects.toThrow("a disk that fails");
});
