import { describe, expect, test } from "bun:test";
import { mkdir, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import { type FragmentRange, readArchiveFile } from "../../src/common/mp4/archive-file.ts";
import type { Video } from "../../src/hub/db/catalog.ts";
import type { MediaSource } from "../../src/hub/playback/media-source.ts";
import { archiveTestVideo, writeTestArchiveIdentity } from "../support/archived-video.ts";
import { temporaryFolder } from "../support/sample-recording.ts";

export interface MediaSourceUnderTest extends AsyncDisposable {
  media: MediaSource;
}

/** What every {@link MediaSource} must do, whoever reads the disk for it. */
export function testMediaSource(
  name: string,
  open: (options: { root: string; archiveId: () => string | undefined }) => MediaSourceUnderTest,
): void {
  async function setUp(options: { width?: number; height?: number } = {}) {
    await using stack = new AsyncDisposableStack();
    const root = stack.use(await temporaryFolder()).path;
    const archiveId = await writeTestArchiveIdentity(root);
    const expected = { archiveId: archiveId as string | undefined };
    const video: Video = await archiveTestVideo(root, {
      ...{ startTimeMs: Date.UTC(2025, 8, 23, 6, 30), seconds: 2, width: 160, height: 90 },
      ...options,
    });
    const { media } = stack.use(open({ root, archiveId: () => expected.archiveId }));
    const path = join(root, video.filePath);
    const bytes = await Bun.file(path).bytes();
    const resources = stack.move();
    return {
      ...{ root, media, video, path, bytes, expected },
      [Symbol.asyncDispose]: () => resources.disposeAsync(),
    };
  }
  const bodyOf = async (body: Promise<Blob | ReadableStream<Uint8Array>>) => new Response(await body).bytes();

  describe(name, () => {
    test("finds what is whole of a file that is cut off, or has something else in its middle", async () => {
      await using at = await setUp();
      const { media, video, bytes, path } = at;
      const [first, second] = (await readArchiveFile(path)).fragments as [FragmentRange, FragmentRange];
      expect((await media.salvageIndex(video.filePath)).stretches).toEqual([[first, second]]);
      await truncate(path, bytes.length - 1);
      expect(await media.salvageIndex(video.filePath)).toMatchObject({
        sizeBytes: bytes.length - 1,
        stretches: [[first]],
      });
      // Zeros in the place of samples, as a crash leaves them.
      bytes.fill(0, first.offset + 2_000, first.offset + first.sizeBytes);
      await writeFile(path, bytes);
      expect((await media.salvageIndex(video.filePath)).stretches).toEqual([[second]]);
      await truncate(path, 1_000);
      await expect(media.salvageIndex(video.filePath)).rejects.toMatchObject({ code: "corrupt_file" });
      await rm(path);
      await expect(media.salvageIndex(video.filePath)).rejects.toMatchObject({ code: "not_found" });
    });

    test("reads size, index, ranges and bodies as they are", async () => {
      await using at = await setUp();
      const { media, video, bytes, path } = at;
      expect(await media.sizeOf(video.filePath)).toBe(bytes.length);
      expect(await media.readIndex(video.filePath)).toEqual(await readArchiveFile(path));
      for (const [start, end] of [
        [0, 1],
        [0, bytes.length],
        [100, 5_000],
        [bytes.length - 1, bytes.length],
      ] as const) {
        expect(await media.readRange(video.filePath, { start, end })).toEqual(bytes.slice(start, end));
        expect(await bodyOf(media.body(video.filePath, { start, end }))).toEqual(bytes.slice(start, end));
      }
      await using file = await media.open(video.filePath);
      const target = new Uint8Array(2_000);
      await file.readInto(target, 1_234);
      expect(target).toEqual(bytes.slice(1_234, 3_234));
    });

    test("bodies of any size are whole, as many as are asked for at once", async () => {
      await using at = await setUp({ width: 1280, height: 720 });
      const { media, video, bytes } = at;
      await writeFile(at.path, Buffer.concat(Array.from({ length: 20 }, () => bytes)));
      const whole = await Bun.file(at.path).bytes();
      const ranges = Array.from({ length: 12 }, (_, i) => ({
        start: i * 777,
        end: whole.length - i * 100_003,
      }));
      const bodies = await Promise.all(ranges.map((range) => bodyOf(media.body(video.filePath, range))));
      for (const [i, { start, end }] of ranges.entries()) {
        expect(Bun.hash(bodies[i]!)).toBe(Bun.hash(whole.subarray(start, end)));
      }
    });

    test("a file that ends too early, is no video or is another one is corrupt", async () => {
      await using at = await setUp();
      const { media, video, bytes, path } = at;
      const corrupt = { code: "corrupt_file" };
      const beyond = { start: 0, end: bytes.length + 1 };
      await expect(media.readRange(video.filePath, beyond)).rejects.toMatchObject(corrupt);
      await truncate(path, bytes.length - 1);
      await expect(media.readIndex(video.filePath)).rejects.toMatchObject(corrupt);
      await writeFile(path, "<html>");
      await expect(media.readIndex(video.filePath)).rejects.toMatchObject(corrupt);
    });

    const plants: [what: string, plant: (path: string) => Promise<unknown>][] = [
      ["a folder", (path) => mkdir(path)],
      [
        "a link to another file",
        (path) => writeFile(`${path}.real`, "x").then(() => symlink(`${path}.real`, path)),
      ],
      ["a link to nowhere", (path) => symlink("/nowhere", path)],
      ["a pipe", (path) => runChild({ argv: ["mkfifo", path], timeoutMs: 5_000 })],
    ];
    for (const [what, plant] of plants) {
      test(`${what} in its place is corrupt, and nothing hangs`, async () => {
        await using at = await setUp();
        const { media, video, path } = at;
        await rm(path);
        await plant(path);
        const calls = [
          () => media.sizeOf(video.filePath),
          () => media.readRange(video.filePath, { start: 0, end: 1 }),
          () => media.readIndex(video.filePath),
          () => media.open(video.filePath),
        ];
        for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "corrupt_file" });
      });
    }

    test("a folder that is a link is not followed", async () => {
      await using at = await setUp();
      const folder = dirname(at.path);
      await rename(folder, `${folder}-elsewhere`);
      await symlink(`${folder}-elsewhere`, folder);
      await expect(at.media.sizeOf(at.video.filePath)).rejects.toMatchObject({ code: "corrupt_file" });
    });

    test("a file that is gone is told from an archive that is gone, or is another one", async () => {
      await using at = await setUp();
      const { media, video, root, path, expected } = at;
      const calls = [
        () => media.sizeOf(video.filePath),
        () => media.readRange(video.filePath, { start: 0, end: 1 }),
        () => media.readIndex(video.filePath),
        () => media.open(video.filePath),
      ];
      const all = async (code: string) => {
        for (const call of calls) await expect(call()).rejects.toMatchObject({ code });
      };
      await rm(path);
      await all("not_found");
      expected.archiveId = undefined;
      await all("not_found");
      expected.archiveId = crypto.randomUUID();
      await all("unavailable");
      await rm(join(root, "metadata"), { recursive: true });
      await all("unavailable");
    });

    test("what is read on stays the file that was opened", async () => {
      await using at = await setUp();
      const { media, video, bytes, path } = at;
      await using file = await media.open(video.filePath);
      await writeFile(
        `${path}.new`,
        bytes.map((byte) => byte ^ 0xff),
      );
      await rename(`${path}.new`, path);
      const target = new Uint8Array(100);
      const read = await file.readInto(target, 500).then(
        () => "same",
        (error: { code: string }) => error.code,
      );
      expect(read === "corrupt_file" || Buffer.from(target).equals(bytes.subarray(500, 600))).toBe(true);
    });
  });
}
