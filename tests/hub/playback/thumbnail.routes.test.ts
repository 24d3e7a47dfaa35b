import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { picturePathOf } from "../../../src/common/archive-path.ts";
import { runChild } from "../../../src/common/child-process.ts";
import { AppError } from "../../../src/common/errors.ts";
import type { Video } from "../../../src/hub/db/catalog.ts";
import { isJpeg } from "../../../src/hub/playback/jpeg.ts";
import { archiveTestVideo } from "../../support/archived-video.ts";
import { startPlaybackServer } from "./playback-server.ts";

type Server = Awaited<ReturnType<typeof startPlaybackServer>>;
let server: Server;
let day = 0;
beforeAll(async () => {
  server = await startPlaybackServer();
});
afterAll(() => server[Symbol.asyncDispose]());

async function addVideo(recipe: Partial<Parameters<typeof archiveTestVideo>[1]> = {}, on: Server = server) {
  const startTimeMs = Date.UTC(2025, 8, 23, 6, 30) + ++day * 86_400_000;
  const video = await archiveTestVideo(on.root, { seconds: 1, startTimeMs, ...recipe });
  on.add(video);
  return video;
}

const urlOf = (video: Video) => `/api/videos/${video.videoId}/thumbnail`;
const keptPathOf = (video: Video, on: Server = server) =>
  join(on.root, picturePathOf("thumbnail", video.filePath));

async function sizeOf(jpeg: Uint8Array): Promise<string> {
  const exit = await runChild({
    argv: [
      "ffprobe",
      "-loglevel",
      "error",
      "-show_entries",
      "stream=codec_name,width,height",
      "-of",
      "csv=p=0",
      "-f",
      "mjpeg",
      "-",
    ],
    stdin: jpeg,
    timeoutMs: 20_000,
  });
  return new TextDecoder().decode(exit.stdout).trim();
}

describe("the picture", () => {
  for (const [codec, width, height, expected] of [
    ["h264", 640, 360, "mjpeg,320,180"],
    ["h265", 640, 480, "mjpeg,320,240"],
    ["h264", 360, 642, "mjpeg,320,570"],
  ] as const) {
    test(`of ${codec} ${width}x${height} is made and kept`, async () => {
      const video = await addVideo({ codec, width, height });
      const response = await server.get(urlOf(video));
      const jpeg = Buffer.from(await response.arrayBuffer());
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-type": "image/jpeg",
        "content-length": String(jpeg.length),
        "cache-control": "private, max-age=31536000, immutable",
      });
      expect(await sizeOf(jpeg)).toBe(expected);
      expect(jpeg.equals(await readFile(keptPathOf(video)))).toBe(true);
      expect((await readdir(dirname(keptPathOf(video)))).filter((name) => name.includes("tmp"))).toEqual([]);
    });
  }

  test("shows the first frame of the video", async () => {
    const video = await addVideo({ picture: "color=c=red" });
    const jpeg = await (await server.get(urlOf(video))).bytes();
    const { stdout } = await runChild({
      argv: [
        "ffmpeg",
        "-loglevel",
        "error",
        "-f",
        "mjpeg",
        "-i",
        "-",
        "-vf",
        "scale=1:1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
      ],
      stdin: jpeg,
      timeoutMs: 20_000,
    });
    const [red = 0, green = 255, blue = 255] = stdout;
    expect(red > 200 && green < 60 && blue < 60).toBe(true);
  });

  test("is answered with 304 and HEAD by its headers", async () => {
    const video = await addVideo();
    const first = await server.get(urlOf(video));
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toStartWith('W/"');
    expect((await server.get(urlOf(video), { "if-none-match": etag })).status).toBe(304);
    expect((await server.get(urlOf(video), { "if-none-match": 'W/"x"' })).status).toBe(200);
    const head = await server.get(urlOf(video), {}, "HEAD");
    expect([head.status, head.headers.get("content-length")]).toEqual([
      200,
      first.headers.get("content-length"),
    ]);
  });

  test("is not made again when it is kept, and is when the kept one is not whole", async () => {
    const video = await addVideo();
    const jpeg = await (await server.get(urlOf(video))).bytes();
    const other = await addVideo();
    const mark = await (await server.get(urlOf(other))).bytes();
    await writeFile(keptPathOf(video), mark);
    expect(await (await server.get(urlOf(video))).bytes()).toEqual(mark);
    await truncate(keptPathOf(video), 100);
    expect(await (await server.get(urlOf(video))).bytes()).toEqual(jpeg);
    expect(isJpeg(await readFile(keptPathOf(video)))).toBe(true);
  });
});

describe("the making", () => {
  const jpeg = Uint8Array.of(0xff, 0xd8, 1, 2, 0xff, 0xd9);

  test("happens once for a hundred askers, and two at a time", async () => {
    let running = 0;
    let most = 0;
    const made: string[] = [];
    await using busy = await startPlaybackServer({
      make: async (_media, { filePath }) => {
        made.push(filePath);
        most = Math.max(most, ++running);
        await Bun.sleep(5);
        running--;
        return jpeg;
      },
    });
    const videos = [await addVideo({}, busy), await addVideo({}, busy), await addVideo({}, busy)];
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => (await busy.get(urlOf(videos[i % 3] as Video))).status),
    );
    expect(answers).toEqual(Array(100).fill(200));
    expect(made.sort()).toEqual(videos.map(({ filePath }) => filePath).sort());
    expect(most).toBe(2);
  });

  test("refuses more than can wait, and goes on afterwards", async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    await using busy = await startPlaybackServer({ make: () => gate.then(() => jpeg) });
    const video = await addVideo({}, busy);
    const many = Array.from({ length: 250 }, (_, i) => {
      const videoId = video.videoId.slice(0, -3) + String(i).padStart(3, "0");
      return { ...video, videoId };
    });
    for (const one of many) busy.add(one);
    const answers = many.map(async (one) => (await busy.get(urlOf(one))).status);
    // The refused come at once, the others when the gate opens.
    const first = await Promise.race(answers);
    expect(first).toBe(503);
    open();
    const all = await Promise.all(answers);
    expect(all.filter((status) => status === 200).length).toBe(202);
    expect(all.filter((status) => status === 503).length).toBe(48);
    expect((await busy.get(urlOf(video))).status).toBe(200);
  });

  test("is not tried again at once for a video that shows nothing", async () => {
    let tries = 0;
    await using broken = await startPlaybackServer({
      make: () => {
        tries++;
        return Promise.reject(new AppError("corrupt_file", "no picture"));
      },
    });
    const video = await addVideo({}, broken);
    for (let i = 0; i < 5; i++) expect((await broken.get(urlOf(video))).status).toBe(404);
    expect(tries).toBe(1);
  });
});

describe("what shows nothing", () => {
  async function addSpoilt(spoil: (bytes: Buffer) => void): Promise<Video> {
    const video = await addVideo();
    const file = join(server.root, video.filePath);
    const bytes = await readFile(file);
    spoil(bytes);
    await writeFile(file, bytes);
    return video;
  }
  const cases: [string, (bytes: Buffer) => void][] = [
    ["random bytes", (bytes) => crypto.getRandomValues(bytes.subarray(0, 60_000))],
    ["zeros", (bytes) => bytes.fill(0)],
    ["text", (bytes) => bytes.fill("#EXTM3U\nfile:///etc/passwd\n")],
    ["media data of zeros", (bytes) => bytes.fill(0, bytes.indexOf("moof") + 400)],
  ];
  for (const [name, spoil] of cases) {
    test(`${name}: 404 for programs, a drawing for pages`, async () => {
      const video = await addSpoilt(spoil);
      const response = await server.get(urlOf(video));
      expect(response.status).toBe(404);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      const image = await server.get(urlOf(video), { accept: "image/avif,image/webp,*/*;q=0.8" });
      expect([image.status, image.headers.get("content-type")]).toEqual([404, "image/svg+xml"]);
      expect(image.headers.get("cache-control")).toBe("no-store");
      expect(await Bun.file(keptPathOf(video)).exists()).toBe(false);
    });
  }
});

describe("an archive that keeps nothing", () => {
  const serves = async (video: Video) => isJpeg(await (await server.get(urlOf(video))).bytes());

  test("without its own folder serves all the same and makes none", async () => {
    await using bare = await startPlaybackServer();
    const video = await addVideo({}, bare);
    await rm(join(bare.root, "metadata"), { recursive: true });
    expect(isJpeg(await (await bare.get(urlOf(video))).bytes())).toBe(true);
    expect(await readdir(bare.root)).toEqual(["cam01"]);
  });

  test("links that lead out of it are not followed", async () => {
    const outside = join(server.root, "..", `${crypto.randomUUID()}-outside`);
    await mkdir(outside);
    try {
      const video = await addVideo({ cameraId: "linked" });
      await mkdir(join(server.root, "metadata/thumbnails"), { recursive: true });
      await symlink(outside, join(server.root, "metadata/thumbnails/linked"));
      expect(await serves(video)).toBe(true);
      expect(await readdir(outside)).toEqual([]);

      const other = await addVideo({ cameraId: "planted" });
      await mkdir(dirname(keptPathOf(other)), { recursive: true });
      await writeFile(join(outside, "secret"), Uint8Array.of(0xff, 0xd8, 7, 7, 7, 0xff, 0xd9));
      await symlink(join(outside, "secret"), keptPathOf(other));
      expect((await (await server.get(urlOf(other))).bytes()).length).toBeGreaterThan(7);
      expect((await readFile(join(outside, "secret"))).length).toBe(7);
    } finally {
      await rm(outside, { recursive: true });
    }
  });

  test("a folder or a pipe in its place does no harm", async () => {
    const video = await addVideo({ cameraId: "folder" });
    await mkdir(keptPathOf(video), { recursive: true });
    expect(await serves(video)).toBe(true);
    const other = await addVideo({ cameraId: "pipe" });
    await mkdir(dirname(keptPathOf(other)), { recursive: true });
    await runChild({ argv: ["mkfifo", keptPathOf(other)], timeoutMs: 5_000 });
    expect(await serves(other)).toBe(true);
  });

  test("an unreadable one is made anew", async () => {
    const video = await addVideo({ cameraId: "locked" });
    expect(await serves(video)).toBe(true);
    await chmod(keptPathOf(video), 0);
    expect(await serves(video)).toBe(true);
  });
});

describe("the newest picture of a camera", () => {
  test("is the thumbnail of its newest video", async () => {
    await addVideo({ cameraId: "cam09" });
    const newest = await addVideo({ cameraId: "cam09" });
    const response = await server.get("/api/cameras/cam09/snapshot");
    expect([
      response.status,
      response.headers.get("location"),
      response.headers.get("cache-control"),
    ]).toEqual([302, urlOf(newest), "no-store"]);
  });

  test("404 without a video, 400 for what is no camera", async () => {
    expect((await server.get("/api/cameras/cam99/snapshot")).status).toBe(404);
    for (const id of ["..", "%2e%2e%2fmetadata", "CAM01", "metadata"]) {
      const { status } = await server.get(`/api/cameras/${id}/snapshot`);
      expect(status).toBe(id === ".." ? 404 : 400);
    }
  });
});
