import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, readdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { picturePathOf } from "../../../../src/common/archive-path.ts";
import { runChild } from "../../../../src/common/child-process.ts";
import { readArchiveFile } from "../../../../src/common/mp4/archive-file.ts";
import type { Video } from "../../../../src/hub/db/catalog.ts";
import { makeSprite } from "../../../../src/hub/playback/previews/make-sprite.ts";
import { removePicturesOf } from "../../../../src/hub/playback/video-pictures.ts";
import { archiveTestVideo } from "../../../support/archived-video.ts";
import { startPlaybackServer } from "../playback-server.ts";

setDefaultTimeout(60_000);

type Server = Awaited<ReturnType<typeof startPlaybackServer>>;
let server: Server;
let day = 0;
beforeAll(async () => {
  server = await startPlaybackServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Every ten seconds its grey gets brighter by this, from this on. */
const step = 25;
const greySteps = `geq=lum='${step}+floor(T/10)*${step}':cb=128:cr=128`;

async function addVideo(recipe: Partial<Parameters<typeof archiveTestVideo>[1]> = {}) {
  const startTimeMs = Date.UTC(2025, 8, 23, 6, 30) + ++day * 86_400_000;
  const video = await archiveTestVideo(server.root, {
    ...{ seconds: 32, startTimeMs, width: 192, height: 108, picture: "color=c=black", filter: greySteps },
    ...recipe,
  });
  server.add(video);
  return video;
}

const jpgOf = (video: Video) => `/api/videos/${video.videoId}/previews.jpg`;
const vttOf = (video: Video) => `/api/videos/${video.videoId}/previews.vtt`;
const keptPathOf = (video: Video) => join(server.root, picturePathOf("previews", video.filePath));

/** The parts of a WebVTT file of previews. */
function cuesOf(vtt: string) {
  const pattern = /^(\S+) --> (\S+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm;
  return [...vtt.matchAll(pattern)].map(([, from, to, url, ...xywh]) => ({
    ...{ from, to, url },
    box: xywh.map(Number) as [x: number, y: number, width: number, height: number],
  }));
}

/** What a player shows for each cue, as the brightness of its middle. */
async function brightnessOf(vtt: string, jpeg: Uint8Array): Promise<number[]> {
  const { stdout, exitCode, stderrTail } = await runChild({
    argv: [
      "ffmpeg",
      "-loglevel",
      "error",
      "-f",
      "mjpeg",
      "-i",
      "-",
      "-f",
      "rawvideo",
      "-pix_fmt",
      "gray",
      "-",
    ],
    stdin: jpeg,
    timeoutMs: 20_000,
  });
  expect([exitCode, stderrTail]).toEqual([0, ""]);
  const cues = cuesOf(vtt);
  const width = Math.max(...cues.map(({ box: [x, , w] }) => x + w));
  const height = Math.max(...cues.map(({ box: [, y, , h] }) => y + h));
  expect(stdout.length).toBe(width * height);
  return cues.map(({ box: [x, y, w, h] }) => stdout[(y + h / 2) * width + x + w / 2]!);
}

/** JPEG has the full range of brightness, the video a narrower one. */
const greyOf = (cue: number) => ((step * (cue + 1) - 16) * 255) / 219;

async function previewsOf(video: Video) {
  const vtt = await (await server.get(vttOf(video))).text();
  const jpeg = await (await server.get(jpgOf(video))).bytes();
  return { vtt, jpeg, brightness: await brightnessOf(vtt, jpeg) };
}

function expectGreys(brightness: readonly number[], cues: readonly number[]): void {
  expect(brightness.length).toBe(cues.length);
  for (const [i, cue] of cues.entries()) {
    expect(Math.abs(brightness[i]! - greyOf(cue))).toBeLessThan(6);
  }
}

describe("the previews", () => {
  for (const codec of ["h264", "h265"] as const) {
    test(`of ${codec} show each ten seconds what was there then`, async () => {
      const video = await addVideo({ codec });
      const { vtt, brightness, jpeg } = await previewsOf(video);
      const url = jpgOf(video);
      expect(cuesOf(vtt)).toEqual([
        { from: "00:00:00.000", to: "00:00:10.000", url, box: [0, 0, 160, 90] },
        { from: "00:00:10.000", to: "00:00:20.000", url, box: [160, 0, 160, 90] },
        { from: "00:00:20.000", to: "00:00:30.000", url, box: [320, 0, 160, 90] },
        { from: "00:00:30.000", to: "00:00:32.000", url, box: [480, 0, 160, 90] },
      ]);
      expectGreys(brightness, [0, 1, 2, 3]);
      expect(jpeg).toEqual(await Bun.file(keptPathOf(video)).bytes());
    });
  }

  test("go on in a second row, each of its own time", async () => {
    const slow = `geq=lum='20+floor(T/10)*15':cb=128:cr=128`;
    const video = await addVideo({ seconds: 130, width: 32, height: 18, filter: slow });
    const { vtt, brightness } = await previewsOf(video);
    expect(cuesOf(vtt)[12]?.box).toEqual([320, 90, 160, 90]);
    const expected = Array.from({ length: 13 }, (_, i) => ((20 + i * 15 - 16) * 255) / 219);
    for (const [i, grey] of expected.entries()) expect(Math.abs(brightness[i]! - grey)).toBeLessThan(6);
  });

  test("of less than ten seconds, and of a picture in place of a camera, are one picture", async () => {
    const video = await addVideo({ seconds: 3, filter: greySteps });
    const { vtt, brightness } = await previewsOf(video);
    expect(cuesOf(vtt).map(({ from, to }) => [from, to])).toEqual([["00:00:00.000", "00:00:03.000"]]);
    expectGreys(brightness, [0]);
    const mock: Video = { ...(await addVideo()), isMock: true };
    server.add(mock);
    expectGreys((await previewsOf(mock)).brightness, [0]);
  });

  test("upright video keeps its shape", async () => {
    const video = await addVideo({ seconds: 2, width: 108, height: 192 });
    const { vtt, brightness } = await previewsOf(video);
    expect(cuesOf(vtt)[0]?.box).toEqual([0, 0, 160, 284]);
    expectGreys(brightness, [0]);
  });

  test("are answered as files that never change", async () => {
    const video = await addVideo({ seconds: 2 });
    for (const [url, type] of [
      [vttOf(video), "text/vtt; charset=utf-8"],
      [jpgOf(video), "image/jpeg"],
    ] as const) {
      const response = await server.get(url);
      const body = await response.bytes();
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-type": type,
        "content-length": String(body.length),
        "cache-control": "private, max-age=31536000, immutable",
      });
      const etag = response.headers.get("etag") ?? "";
      expect((await server.get(url, { "if-none-match": etag })).status).toBe(304);
      expect((await server.get(url, { "if-none-match": '"x"' })).status).toBe(200);
      const head = await server.get(url, {}, "HEAD");
      expect([head.status, head.headers.get("content-length")]).toEqual([200, String(body.length)]);
    }
  });

  test("are taken from what is kept, and made again when that is gone or not whole", async () => {
    const video = await addVideo({ seconds: 2 });
    const other = await addVideo({ seconds: 12 });
    const { jpeg } = await previewsOf(video);
    const mark = (await previewsOf(other)).jpeg;
    await writeFile(keptPathOf(video), mark);
    expect(Buffer.from(await (await server.get(jpgOf(video))).bytes()).equals(mark)).toBe(true);
    await truncate(keptPathOf(video), 100);
    expect(await (await server.get(jpgOf(video))).bytes()).toEqual(jpeg);
    await rm(keptPathOf(video));
    expect(await (await server.get(jpgOf(video))).bytes()).toEqual(jpeg);
    expect((await readFile(keptPathOf(video))).equals(jpeg)).toBe(true);
  });

  test("are made once for everybody who asks", async () => {
    const video = await addVideo();
    const { made } = server.previews.counts();
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => (await server.get(jpgOf(video))).bytes()),
    );
    for (const jpeg of answers) expect(jpeg).toEqual(answers[0]!);
    expect(server.previews.counts()).toMatchObject({ made: made + 1, waiting: 0 });
  });

  test("are refused by a hub that makes none", async () => {
    await using off = await startPlaybackServer({ previewsOff: true });
    const video = await archiveTestVideo(off.root, { startTimeMs: Date.UTC(2025, 8, 1), seconds: 1 });
    off.add(video);
    for (const url of [vttOf(video), jpgOf(video)]) expect((await off.get(url)).status).toBe(404);
    expect((await off.get(`/api/videos/${video.videoId}/thumbnail`)).status).toBe(200);
  });

  test("are of no video that is unknown or deleted", async () => {
    const video = { ...(await addVideo({ seconds: 1 })), status: "deleted" as const };
    server.add(video);
    const unknown = { ...video, videoId: video.videoId.replace(/^..../, "0000") };
    for (const url of [vttOf(video), jpgOf(video), vttOf(unknown), jpgOf(unknown)]) {
      expect((await server.get(url)).status).toBe(404);
    }
    for (const id of ["x", "..%2f..%2fetc", video.videoId.toUpperCase()]) {
      for (const name of ["vtt", "jpg"]) {
        expect((await server.get(`/api/videos/${id}/previews.${name}`)).status).toBe(400);
      }
    }
    expect((await server.get(`${vttOf(video)}?width=1`)).status).toBe(400);
  });
});

describe("the making", () => {
  test("reads little more than the keyframes it needs", async () => {
    const video = await addVideo({
      picture: "testsrc2",
      filter: "noise=alls=20:allf=t",
      width: 640,
      height: 360,
    });
    let bytesRead = 0;
    await using counted = await startPlaybackServer({
      wrapMedia: () => ({
        ...server.media,
        readRange: (filePath, range) => {
          bytesRead += range.end - range.start;
          return server.media.readRange(filePath, range);
        },
      }),
    });
    await makeSprite(counted.media, video);
    const file = await readArchiveFile(join(server.root, video.filePath));
    // Ten pictures in each fragment, of which one is needed: the first, larger than the others.
    expect(bytesRead).toBeGreaterThan(0);
    expect(bytesRead).toBeLessThan(0.1 * file.sizeBytes);
  });

  test("keeps every picture in its place when one is damaged", async () => {
    for (const spoil of ["its media", "its moof", "the first", "the last"] as const) {
      const video = await addVideo();
      const path = join(server.root, video.filePath);
      const { fragments } = await readArchiveFile(path);
      const bytes = await readFile(path);
      const at = { "the first": 0, "the last": 30 }[spoil as string] ?? 10;
      const { offset, sizeBytes } = fragments[at]!;
      bytes.fill(0, spoil === "its moof" ? offset : bytes.indexOf("mdat", offset) + 4, offset + sizeBytes);
      await writeFile(path, bytes);
      const { brightness } = await previewsOf(video);
      const expected = { "the first": [1, 1, 2, 3], "the last": [0, 1, 2, 2] }[spoil as string] ?? [
        0, 0, 2, 3,
      ];
      expectGreys(brightness, expected);
    }
  });

  const spoilt: [string, (bytes: Buffer) => void][] = [
    ["random bytes", (bytes) => crypto.getRandomValues(bytes.subarray(0, 60_000))],
    ["zeros", (bytes) => bytes.fill(0)],
    ["text", (bytes) => bytes.fill("#EXTM3U\nfile:///etc/passwd\n")],
    ["media data of zeros", (bytes) => bytes.fill(0, bytes.indexOf("moof") + 400)],
    ["fragments of zeros", (bytes) => bytes.fill(0, bytes.indexOf("moof") - 4)],
  ];
  for (const [name, spoil] of spoilt) {
    test(`survives ${name}`, async () => {
      const video = await addVideo({ seconds: 3 });
      const path = join(server.root, video.filePath);
      const bytes = await readFile(path);
      spoil(bytes);
      await writeFile(path, bytes);
      const response = await server.get(jpgOf(video));
      expect([response.status, response.headers.get("content-type")]).toEqual([
        404,
        "application/problem+json",
      ]);
      expect((await server.get(vttOf(video))).status).toBe(200);
      expect(await Bun.file(keptPathOf(video)).exists()).toBe(false);
    });
  }

  test("makes nothing of another video's file", async () => {
    const video = await addVideo({ seconds: 2 });
    const other = await addVideo({ seconds: 2 });
    await writeFile(join(server.root, video.filePath), await readFile(join(server.root, other.filePath)));
    server.add({ ...video, fileSizeBytes: other.fileSizeBytes });
    expect((await server.get(jpgOf(video))).status).toBe(404);
  });

  test("leaves no temporary file, and takes away what a crash left", async () => {
    const video = await addVideo({ seconds: 2, cameraId: "crashed" });
    const folder = dirname(keptPathOf(video));
    await mkdir(folder, { recursive: true });
    const [old, young] = ["x.previews.jpg.tmp-1", "y.previews.jpg.tmp-2"].map((name) => join(folder, name));
    await writeFile(old!, "x");
    await utimes(old!, 1, 1);
    await writeFile(young!, "y");
    await previewsOf(video);
    expect((await readdir(folder)).filter((name) => name.includes("tmp"))).toEqual(["y.previews.jpg.tmp-2"]);
  });
});

describe("pictures of a video that goes", () => {
  test("go with it, those that are being made as well", async () => {
    const video = await addVideo({ cameraId: "going" });
    await server.get(`/api/videos/${video.videoId}/thumbnail`);
    const { made } = server.previews.counts();
    const asked = server.get(jpgOf(video));
    const hasBegun = () => server.previews.counts().waiting > 0 || server.previews.counts().made > made;
    while (!hasBegun()) await Bun.sleep(1);
    server.add({ ...video, status: "deleted" });
    const { store, thumbnails, previews } = server;
    await removePicturesOf(video, { store, pictures: [thumbnails, previews] });
    expect((await asked).status).toBe(200);
    expect(await readdir(dirname(keptPathOf(video)))).toEqual([]);
    // Again, and of one that never had any.
    await removePicturesOf(video, { store, pictures: [thumbnails, previews] });
    await removePicturesOf(await addVideo({ seconds: 1, cameraId: "never" }), {
      store,
      pictures: [previews],
    });
  });
});
