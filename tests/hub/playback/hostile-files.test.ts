import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  copyFile,
  link,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { runChild } from "../../../src/common/child-process.ts";
import { AppError } from "../../../src/common/errors.ts";
import type { Video } from "../../../src/hub/db/catalog.ts";
import { archiveTestVideo, writeTestArchiveIdentity } from "../../support/archived-video.ts";
import { sendRaw, startPlaybackServer } from "./playback-server.ts";

let server: Awaited<ReturnType<typeof startPlaybackServer>>;
let whole: Video;
let count = 0;

beforeAll(async () => {
  server = await startPlaybackServer();
  whole = await archiveTestVideo(server.root, { startTimeMs: Date.UTC(2025, 8, 23, 6, 30), seconds: 2 });
});
afterAll(() => server[Symbol.asyncDispose]());

/** A video of its own day with a good file, to be spoilt. */
async function freshVideo(): Promise<{ video: Video; file: string }> {
  const day = `2025-10-${String(++count).padStart(2, "0")}`;
  const videoId = whole.videoId.slice(0, -2) + String(count).padStart(2, "0");
  const video = { ...whole, videoId, filePath: `cam01/${day}/cam01_${day.replaceAll("-", "")}_120000.mp4` };
  server.add(video);
  const file = join(server.root, video.filePath);
  await mkdir(dirname(file), { recursive: true });
  await copyFile(join(server.root, whole.filePath), file);
  return { video, file };
}

const statusOf = (video: Video) => server.rows.get(video.videoId)?.status;
const stream = (video: Video, headers = {}) => server.get(`/api/videos/${video.videoId}/stream`, headers);

describe("a file that is not what the catalog knows", () => {
  const cases: [string, (file: string) => Promise<unknown>, number, string][] = [
    ["is gone", (file) => rm(file), 404, "missing"],
    ["is gone with its folder", (file) => rm(dirname(file), { recursive: true }), 404, "missing"],
    ["shrank", (file) => truncate(file, 1000), 503, "damaged"],
    ["is empty", (file) => truncate(file, 0), 503, "damaged"],
    ["was replaced by HTML", (file) => writeFile(file, "<script>alert(1)</script>"), 503, "damaged"],
    ["is a folder", (file) => rm(file).then(() => mkdir(file)), 503, "damaged"],
    [
      "is a link to a file outside",
      (file) => rm(file).then(() => symlink("/etc/passwd", file)),
      503,
      "damaged",
    ],
    [
      "is a link to another video",
      (file) => rm(file).then(() => symlink(join(server.root, whole.filePath), file)),
      503,
      "damaged",
    ],
    ["is a link to nowhere", (file) => rm(file).then(() => symlink("nowhere", file)), 503, "damaged"],
    [
      "is a pipe",
      (file) => rm(file).then(() => runChild({ argv: ["mkfifo", file], timeoutMs: 5_000 })),
      503,
      "damaged",
    ],
    [
      "lies behind a linked folder",
      async (file) => {
        await rename(dirname(file), `${dirname(file)}-elsewhere`);
        await symlink(`${dirname(file)}-elsewhere`, dirname(file));
      },
      503,
      "damaged",
    ],
  ];
  for (const [name, spoil, expected, status] of cases) {
    test(`it ${name}: ${expected}, and the video is ${status}`, async () => {
      const { video, file } = await freshVideo();
      await spoil(file);
      for (const headers of [{}, { range: "bytes=0-99" }, { range: "bytes=0-9,5000-5009" }]) {
        const response = await stream(video, headers);
        expect(response.status).toBe(expected);
        expect(response.headers.get("content-type")).toBe("application/problem+json");
        const text = await response.text();
        expect(text).not.toContain(server.root);
        expect(text).not.toContain("root:");
      }
      expect(statusOf(video)).toBe(status as Video["status"]);
      expect((await server.get(`/api/videos/${video.videoId}/thumbnail`)).status).toBe(expected);
    });
  }

  test("it lost its end: what is there, with a word about it, and never for the whole", async () => {
    const startTimeMs = Date.UTC(2025, 10, 1);
    const video = await archiveTestVideo(server.root, { startTimeMs, seconds: 2 });
    server.add(video);
    const file = join(server.root, video.filePath);
    const tag = `"${video.fileSha256}"`;
    const bytes = await readFile(file);
    const size = bytes.length - 5_000;
    await truncate(file, size);
    const response = await stream(video);
    const headers = {
      "content-length": String(size),
      "cache-control": "private, no-cache",
      "livecam-integrity": `damaged;bytes=${size};recorded-bytes=${bytes.length}`,
    };
    expect([response.status, Object.fromEntries(response.headers)]).toEqual([
      ...[200, expect.objectContaining(headers)],
    ]);
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes.subarray(0, size))).toBe(true);
    expect(response.headers.has("last-modified")).toBe(false);
    expect(statusOf(video)).toBe("damaged");

    const damagedTag = response.headers.get("etag") ?? "";
    expect(damagedTag).toStartWith('W/"damaged-');
    expect((await stream(video, { "if-none-match": damagedTag })).status).toBe(304);
    // A client that has the whole has it.
    expect((await stream(video, { "if-none-match": tag })).status).toBe(304);
    expect((await stream(video, { "if-match": tag, range: "bytes=0-9" })).status).toBe(412);
    expect((await stream(video, { "if-range": tag, range: "bytes=0-9" })).status).toBe(200);
    const part = await stream(video, { range: `bytes=${size - 10}-` });
    expect([part.status, part.headers.get("content-range")]).toEqual([
      ...[206, `bytes ${size - 10}-${size - 1}/${size}`],
    ]);
    const beyond = await stream(video, { range: `bytes=${size}-` });
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, `bytes */${size}`]);
  });

  test("another video in its place is not served", async () => {
    const { video, file } = await freshVideo();
    await writeFile(file, Buffer.concat([await readFile(file), Buffer.alloc(9)]));
    server.add({ ...video, videoId: `${video.videoId.slice(0, -2)}ff` });
    const other = { ...video, videoId: `${video.videoId.slice(0, -2)}ff` };
    expect((await stream(other)).status).toBe(503);
    expect(statusOf(other)).toBe("damaged");
  });

  test("a hard link is the file itself", async () => {
    const { video, file } = await freshVideo();
    await rm(file);
    await link(join(server.root, whole.filePath), file);
    expect((await stream(video)).status).toBe(200);
  });

  test("one that comes back is available again", async () => {
    const { video, file } = await freshVideo();
    await rename(file, `${file}.away`);
    expect((await stream(video)).status).toBe(404);
    await rename(`${file}.away`, file);
    expect((await stream(video)).status).toBe(200);
    expect(statusOf(video)).toBe("available");
  });
});

test("without the archive's identity nothing is called missing: the disk may not be mounted", async () => {
  const { video, file } = await freshVideo();
  await rename(file, `${file}.away`);
  const identity = join(server.root, "metadata/archive.json");
  await rm(identity);
  expect((await stream(video)).status).toBe(503);
  await writeFile(identity, "not json");
  expect((await stream(video)).status).toBe(503);
  // Reading it would not end.
  await rm(identity);
  await runChild({ argv: ["mkfifo", identity], timeoutMs: 10_000 });
  expect((await stream(video)).status).toBe(503);
  await rm(identity);
  expect(statusOf(video)).toBe("available");
  await writeTestArchiveIdentity(server.root);
  expect((await stream(video)).status).toBe(404);
  expect(statusOf(video)).toBe("missing");
});

describe("a file that changes while it is sent", () => {
  test("gone between the look at it and its opening: 503", async () => {
    await using other = await startPlaybackServer({
      wrapMedia: (media) => ({ ...media, sizeOf: async () => whole.fileSizeBytes }),
    });
    other.add(whole);
    const response = await other.get(`/api/videos/${whole.videoId}/stream`);
    expect([response.status, response.headers.get("content-type")]).toEqual([
      503,
      "application/problem+json",
    ]);
  });

  test("clients that go away in the middle leave no open file behind", async () => {
    await using other = await startPlaybackServer();
    const fileSizeBytes = 32 * 1024 * 1024;
    const video = { ...whole, fileSizeBytes };
    other.add(video);
    const file = join(other.root, video.filePath);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, Buffer.alloc(fileSizeBytes, 1));
    const openFiles = async () => {
      const links = await readdir("/proc/self/fd");
      const targets = await Promise.all(
        links.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => "")),
      );
      return targets.filter((target) => target === file).length;
    };
    const ranges = ["", "Range: bytes=1000-\r\n", "Range: bytes=0-9000000,20000000-30000000\r\n"];
    const request = (i: number) =>
      `GET /api/videos/${video.videoId}/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n${ranges[i % 3]}\r\n`;
    for (let round = 0; round < 5; round++) {
      await Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          sendRaw(other.port, request(i), async (socket) => {
            socket.destroy();
          }),
        ),
      );
    }
    while ((await openFiles()) > 0) await Bun.sleep(10);
    expect((await other.get(`/api/videos/${video.videoId}/stream`)).status).toBe(200);
  });

  test("several ranges: the connection ends before the last chunk and the video is marked", async () => {
    let reads = 0;
    await using other = await startPlaybackServer({
      wrapMedia: (media) => ({
        ...media,
        readRange: async (filePath, range) => {
          if (++reads === 2) await truncate(join(other.root, filePath), 1000);
          return media.readRange(filePath, range);
        },
      }),
    });
    const video = await archiveTestVideo(other.root, {
      startTimeMs: Date.UTC(2025, 8, 23, 6, 30),
      seconds: 2,
    });
    other.add(video);
    const answer = await sendRaw(
      other.port,
      `GET /api/videos/${video.videoId}/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n` +
        "Range: bytes=0-99,5000-5099\r\n\r\n",
    );
    expect(answer).toStartWith("HTTP/1.1 206 ");
    expect(answer).not.toContain("\r\n0\r\n\r\n");
    expect(other.rows.get(video.videoId)?.status).toBe("damaged");
  });

  test("several ranges of an archive that does not answer: 503, and nothing is marked", async () => {
    const away = new AppError("unavailable", "the archive does not answer");
    await using other = await startPlaybackServer({
      wrapMedia: (media) => ({ ...media, readRange: () => Promise.reject(away) }),
    });
    const video = await archiveTestVideo(other.root, { startTimeMs: Date.UTC(2025, 8, 23), seconds: 2 });
    other.add(video);
    const range = { range: "bytes=0-99,5000-5099" };
    const response = await other.get(`/api/videos/${video.videoId}/stream`, range);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(other.rows.get(video.videoId)?.status).toBe("available");
  });

  test("one range: the connection ends by its idle timeout and the next request marks the video", async () => {
    await using other = await startPlaybackServer({ idleTimeoutSeconds: 1 });
    const fileSizeBytes = 64 * 1024 * 1024;
    const video = { ...whole, fileSizeBytes };
    other.add(video);
    const file = join(other.root, video.filePath);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, Buffer.alloc(fileSizeBytes, 1));
    const answer = await sendRaw(
      other.port,
      `GET /api/videos/${video.videoId}/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n\r\n`,
      async (socket) => {
        socket.pause();
        await truncate(file, 1000);
        socket.resume();
      },
    );
    expect(answer).toStartWith("HTTP/1.1 200 ");
    expect(answer.length).toBeLessThan(fileSizeBytes);
    expect((await other.get(`/api/videos/${video.videoId}/stream`)).status).toBe(503);
    expect(other.rows.get(video.videoId)?.status).toBe("damaged");
  });
});
