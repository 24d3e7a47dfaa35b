import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../src/common/clock.ts";
import { createLogger } from "../../src/common/log.ts";
import { createDirectoryPictureStore } from "../../src/hub/playback/directory-picture-store.ts";
import type { PictureStore } from "../../src/hub/playback/picture-store.ts";
import { MediaWorkers } from "../../src/hub/playback/workers/media-workers.ts";
import { createWorkerPictureStore } from "../../src/hub/playback/workers/worker-media-source.ts";
import { temporaryFolder } from "../support/sample-recording.ts";
import { hubCommand } from "../support/test-hub.ts";

setDefaultTimeout(60_000);

const jpegOf = (...content: number[]) => Uint8Array.of(0xff, 0xd8, ...content, 0xff, 0xd9);
const video = (camera: string) => `${camera}/2025-09-23/${camera}_20250923_153000.mp4`;

const adapters: [name: string, open: (root: string, stack: AsyncDisposableStack) => PictureStore][] = [
  ["a folder of a local disk", (root) => createDirectoryPictureStore(root)],
  [
    "media workers",
    (root, stack) =>
      createWorkerPictureStore(
        stack.use(
          new MediaWorkers({
            ...{ selfCommand: hubCommand, root, clock: systemClock, logger: createLogger("test") },
            // Others use this machine, too.
            deadlineMs: 30_000,
          }),
        ),
      ),
  ],
];

for (const [name, open] of adapters) {
  describe(`pictures kept by ${name}`, () => {
    const stack = new AsyncDisposableStack();
    let root: string;
    let store: PictureStore;
    beforeAll(async () => {
      root = stack.use(await temporaryFolder()).path;
      store = open(root, stack);
      await mkdir(join(root, "metadata"));
    });
    afterAll(() => stack.disposeAsync());
    const namesIn = (camera: string) => readdir(join(root, `metadata/thumbnails/${camera}/2025-09-23`));

    test("are found again, each of its kind", async () => {
      const path = video("cam01");
      expect(await store.read("thumbnail", path)).toBeUndefined();
      expect(await store.has("previews", path)).toBe(false);
      await store.write("thumbnail", path, jpegOf(1));
      expect(await store.has("previews", path)).toBe(false);
      await store.write("previews", path, jpegOf(2));
      expect(await store.read("thumbnail", path)).toEqual(jpegOf(1));
      expect(await store.read("previews", path)).toEqual(jpegOf(2));
      expect(await store.has("previews", path)).toBe(true);
      expect(await namesIn("cam01")).toEqual([
        "cam01_20250923_153000.jpg",
        "cam01_20250923_153000.previews.jpg",
      ]);
    });

    test("that are not whole are none", async () => {
      const path = video("cam02");
      for (const bytes of [Uint8Array.of(), jpegOf(1, 2, 3).subarray(0, 5), new Uint8Array(100)]) {
        await store.write("previews", path, bytes);
        expect(await store.read("previews", path)).toBeUndefined();
      }
    });

    test("are removed together, and no others; again, it does nothing", async () => {
      const path = video("cam03");
      const second = path.replace(".mp4", "-2.mp4");
      for (const one of [path, second]) {
        for (const kind of ["thumbnail", "previews"] as const) await store.write(kind, one, jpegOf(7));
      }
      await store.remove(path);
      await store.remove(path);
      await store.remove(video("never"));
      expect(await namesIn("cam03")).toEqual([
        "cam03_20250923_153000-2.jpg",
        "cam03_20250923_153000-2.previews.jpg",
      ]);
    });

    test("are not removed through a link planted in their way", async () => {
      const outside = join(root, "outside");
      await mkdir(join(outside, "2025-09-23"), { recursive: true });
      const victim = join(outside, "2025-09-23/cam04_20250923_153000.jpg");
      await writeFile(victim, "precious");
      await mkdir(join(root, "metadata/thumbnails"), { recursive: true });
      await symlink(outside, join(root, "metadata/thumbnails/cam04"));
      await store.remove(video("cam04"));
      expect(await Bun.file(victim).text()).toBe("precious");
      await expect(store.write("thumbnail", video("cam04"), jpegOf(1))).rejects.toMatchObject({ code: "io" });
      expect(await readdir(join(outside, "2025-09-23"))).toEqual(["cam04_20250923_153000.jpg"]);
    });

    test("are not written into an empty mount point", async () => {
      await rm(join(root, "metadata"), { recursive: true });
      await expect(store.write("previews", video("cam05"), jpegOf(1))).rejects.toMatchObject({
        code: "unavailable",
      });
      expect(await readdir(root)).toEqual(["outside"]);
      expect(await store.read("previews", video("cam05"))).toBeUndefined();
      await store.remove(video("cam05"));
    });
  });
}
