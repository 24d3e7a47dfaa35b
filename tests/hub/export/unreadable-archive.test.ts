import { expect, test } from "bun:test";
import { rename } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { AppError } from "../../../src/common/errors.ts";
import type { MediaSource } from "../../../src/hub/playback/media-source.ts";
import { archiveTestRun } from "../../support/archived-run.ts";
import { startExportServer } from "./export-server.ts";

const startTimeMs = Date.UTC(2025, 8, 23, 6, 30);
const query = "from=2025-09-23T06:30:00Z&to=2025-09-23T06:30:04Z";
const clip = `/api/cameras/cam01/clip.mp4?${query}`;
const exports = [
  clip,
  `${clip}&format=fmp4`,
  `/api/clips.zip?camera_id=cam01&${query}`,
  `/api/evidence.zip?camera_id=cam01&${query}`,
];

/** `open` does as told; everything else is the archive's own. */
async function startServer(
  open: (real: MediaSource["open"], path: string) => ReturnType<MediaSource["open"]>,
) {
  const server = await startExportServer({
    wrapMedia: (media) => ({ ...media, open: (path) => open(media.open, path) }),
  });
  const videos = await archiveTestRun(server.root, { startTimeMs, secondsPerVideo: [2, 2] });
  server.add(...videos);
  return { server, videos };
}

test("an archive that stopped to answer is told as 503, also for a clip that is remembered", async () => {
  let isThere = true;
  const { server } = await startServer(async (open, path) => {
    if (isThere) return open(path);
    throw new AppError("unavailable", "the archive does not answer");
  });
  await using _ = server;
  const answers = () =>
    Promise.all(
      exports.map(async (path) => {
        const response = await server.get(path);
        await response.bytes();
        return [response.status, response.headers.get("retry-after")];
      }),
    );
  expect(await answers()).toEqual(exports.map(() => [200, null]));
  isThere = false;
  expect(await answers()).toEqual(exports.map(() => [503, "5"]));
  expect([...server.rows.values()].map(({ status }) => status)).toEqual(["available", "available"]);
  isThere = true;
  expect(await answers()).toEqual(exports.map(() => [200, null]));
}, 60_000);

test("a remembered clip whose file went since is told, and the next one does without it", async () => {
  const { server, videos } = await startServer((open, path) => open(path));
  await using _ = server;
  await (await server.get(clip)).bytes();
  await rename(join(server.root, videos[0]!.filePath), join(server.root, "elsewhere"));
  const response = await server.get(clip);
  expect([response.status, await response.text()]).toEqual([503, expect.stringContaining("is missing")]);
  const next = await server.get(clip);
  expect([next.status, next.headers.get("livecam-duration-ms")]).toEqual([200, "2000"]);
  await next.bytes();
}, 60_000);

test("a client that leaves before the first byte leaves no file open and no place taken", async () => {
  let opened = 0;
  let closed = 0;
  let mayGoOn = Promise.withResolvers<void>();
  const { server } = await startServer(async (open, path) => {
    opened++;
    const file = await open(path);
    return {
      async readInto(target, offset) {
        await mayGoOn.promise;
        await file.readInto(target, offset);
      },
      async [Symbol.asyncDispose]() {
        closed++;
        await file[Symbol.asyncDispose]();
      },
    };
  });
  await using _ = server;
  // Twice as many as there are places for ZIPs.
  for (const path of [...exports, ...exports, ...exports, ...exports]) {
    mayGoOn = Promise.withResolvers<void>();
    const before = opened;
    const socket = connect(server.port, "127.0.0.1", () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n\r\n`),
    );
    socket.on("error", () => undefined);
    while (opened === before) await Bun.sleep(5);
    socket.destroy();
    // The server hears of it when it looks at the connection again.
    await Bun.sleep(20);
    mayGoOn.resolve();
  }
  while (closed < opened) await Bun.sleep(5);
  for (const path of exports) {
    const response = await server.get(path);
    expect(response.status).toBe(200);
    await response.bytes();
  }
}, 60_000);
