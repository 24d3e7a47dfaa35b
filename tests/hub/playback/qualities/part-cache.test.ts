import { describe, expect, test } from "bun:test";
import { mkdir, readdir, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../../../src/common/clock.ts";
import { createLogger } from "../../../../src/common/log.ts";
import { openDirectoryPartCache } from "../../../../src/hub/playback/qualities/directory-part-cache.ts";
import { temporaryFolder } from "../../../support/sample-recording.ts";

const logger = createLogger("test");
const bytesOf = (byte: number, size = 1000) => new Uint8Array(size).fill(byte);
const openIn = (folder: string, maxBytes = 10_000, minFreeBytes = 0) =>
  openDirectoryPartCache({
    folder: join(folder, "cache"),
    maxBytes,
    minFreeBytes,
    clock: systemClock,
    logger,
  });
const equal = (a: Uint8Array | undefined, b: Uint8Array) => a !== undefined && Buffer.from(a).equals(b);

describe("what was written", () => {
  test("is read again, also by the next hub", async () => {
    await using folder = await temporaryFolder();
    const cache = await openIn(folder.path);
    expect(await cache.read("a")).toBeUndefined();
    await cache.write("a", bytesOf(1));
    expect(equal(await cache.read("a"), bytesOf(1))).toBe(true);
    const next = await openIn(folder.path);
    expect(equal(await next.read("a"), bytesOf(1))).toBe(true);
    expect(next.sizeBytes).toBe(1032);
  });

  test("makes room for what comes, what was not asked for for longest first", async () => {
    await using folder = await temporaryFolder();
    const cache = await openIn(folder.path, 3_200);
    for (const name of ["a", "b", "c"]) await cache.write(name, bytesOf(1));
    await cache.read("a");
    await cache.write("d", bytesOf(1));
    const kept = async () => (await readdir(join(folder.path, "cache"))).sort();
    expect(await kept()).toEqual(["a.part", "c.part", "d.part"]);
    // The order outlives the process, and so does a smaller limit.
    await utimes(join(folder.path, "cache/c.part"), new Date(), new Date(Date.now() + 60_000));
    await utimes(join(folder.path, "cache/a.part"), new Date(), new Date(Date.now() + 120_000));
    const next = await openIn(folder.path, 2_100);
    expect(await kept()).toEqual(["a.part", "c.part"]);
    expect(next.sizeBytes).toBe(2_064);
  });

  test("and asked for lately is known to the next hub", async () => {
    await using folder = await temporaryFolder();
    const cache = await openIn(folder.path);
    for (const name of ["a", "b"]) await cache.write(name, bytesOf(1));
    await utimes(join(folder.path, "cache/a.part"), 1_000, 1_000);
    await utimes(join(folder.path, "cache/b.part"), 2_000, 2_000);
    await cache.read("a");
    await openIn(folder.path, 1_100);
    expect(await readdir(join(folder.path, "cache"))).toEqual(["a.part"]);
  });

  test("takes the place of what was there, and is counted once", async () => {
    await using folder = await temporaryFolder();
    const cache = await openIn(folder.path);
    await cache.write("a", bytesOf(1));
    await cache.write("a", bytesOf(2, 500));
    expect([cache.sizeBytes, equal(await cache.read("a"), bytesOf(2, 500))]).toEqual([532, true]);
  });

  test("is not kept when it is larger than all that may be, or leaves the disk no room", async () => {
    await using folder = await temporaryFolder();
    const cache = await openIn(folder.path);
    await cache.write("a", bytesOf(1, 20_000));
    const full = await openIn(folder.path, 10_000, Number.MAX_SAFE_INTEGER);
    await full.write("b", bytesOf(1));
    expect([cache.sizeBytes, full.sizeBytes, await full.read("b")]).toEqual([0, 0, undefined]);
  });
});

describe("what others do to it", () => {
  const harms: [what: string, harm: (path: string) => Promise<unknown>][] = [
    ["a changed bit", (path) => writeFile(path, Buffer.concat([bytesOf(9, 32), bytesOf(1)]))],
    ["a cut", (path) => truncate(path, 500)],
    ["nothing left", (path) => truncate(path, 0)],
    ["removed", (path) => rm(path)],
    ["a link in its place", (path) => rm(path).then(() => symlink("/etc/passwd", path))],
    ["a folder in its place", (path) => rm(path).then(() => mkdir(path))],
    ["a huge hole", (path) => truncate(path, 1_000_000_000_000)],
  ];
  for (const [what, harm] of harms) {
    test(`${what}: it is as if it were not there`, async () => {
      await using folder = await temporaryFolder();
      const cache = await openIn(folder.path);
      await cache.write("a", bytesOf(1));
      await harm(join(folder.path, "cache/a.part"));
      expect(await cache.read("a")).toBeUndefined();
      expect(cache.sizeBytes).toBe(0);
    });
  }

  test("the whole folder gone, while it is used: it is made anew", async () => {
    await using folder = await temporaryFolder();
    const cache = await openIn(folder.path);
    await cache.write("a", bytesOf(1));
    await rm(join(folder.path, "cache"), { recursive: true });
    expect(await cache.read("a")).toBeUndefined();
    await cache.write("b", bytesOf(2));
    expect(equal(await cache.read("b"), bytesOf(2))).toBe(true);
  });

  test("a file in place of the folder: nothing is kept, and nothing is thrown", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "cache"), "");
    const cache = await openIn(folder.path);
    await cache.write("a", bytesOf(1));
    expect([await cache.read("a"), cache.sizeBytes]).toEqual([undefined, 0]);
  });

  test("foreign files stay, what a crash left goes, and neither counts", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "cache/sub.part"), { recursive: true });
    for (const name of ["note.txt", "UPPER.part", "a.1234.part.tmp"]) {
      await writeFile(join(folder.path, "cache", name), "x");
    }
    await symlink("/etc/passwd", join(folder.path, "cache/link.part"));
    const cache = await openIn(folder.path);
    const left = await readdir(join(folder.path, "cache"));
    expect(left.sort()).toEqual(["UPPER.part", "link.part", "note.txt", "sub.part"]);
    expect([cache.sizeBytes, await cache.read("link"), await cache.read("../../etc/passwd")]).toEqual([
      ...[0, undefined, undefined],
    ]);
    await cache.write("../escape", bytesOf(1));
    expect(await readdir(folder.path)).toEqual(["cache"]);
  });
});
