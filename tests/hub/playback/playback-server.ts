import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/common/clock.ts";
import { createLogger } from "../../../src/common/log.ts";
import { type AppParts, createApp } from "../../../src/hub/app.ts";
import type { Video, VideoStatus } from "../../../src/hub/db/catalog.ts";
import { serveApp } from "../../../src/hub/http/serve-app.ts";
import { createDirectoryMediaSource } from "../../../src/hub/playback/directory-media-source.ts";
import { createDirectoryPictureStore } from "../../../src/hub/playback/directory-picture-store.ts";
import { MediaIndexes } from "../../../src/hub/playback/hls/media-indexes.ts";
import { PlayableParts } from "../../../src/hub/playback/hls/playable-parts.ts";
import { KeptDescriptors } from "../../../src/hub/playback/kept-descriptors.ts";
import type { MediaSource } from "../../../src/hub/playback/media-source.ts";
import { makeSprite } from "../../../src/hub/playback/previews/make-sprite.ts";
import { createPreviewRoutes } from "../../../src/hub/playback/previews/previews.routes.ts";
import { createStreamRoutes } from "../../../src/hub/playback/stream.routes.ts";
import { createThumbnailRoutes } from "../../../src/hub/playback/thumbnail.routes.ts";
import { makeThumbnail } from "../../../src/hub/playback/thumbnail.ts";
import { createVideoPictures } from "../../../src/hub/playback/video-pictures.ts";
import { writeTestArchiveIdentity } from "../../support/archived-video.ts";

/** The hub's HTTP side with playback alone, over a real server and a real folder. */
export async function startPlaybackServer(
  options: {
    wrapMedia?: (media: MediaSource) => MediaSource;
    make?: typeof makeThumbnail;
    idleTimeoutSeconds?: number;
    previewsOff?: boolean;
    onAnswered?: AppParts["onAnswered"];
  } = {},
) {
  const root = await mkdtemp(join(tmpdir(), "livecam-playback-"));
  await writeTestArchiveIdentity(root);
  const rows = new Map<string, Video>();
  const videos = {
    findVideo: async (videoId: string) => rows.get(videoId),
    updateVideoStatus: async (videoId: string, status: VideoStatus) => {
      const row = rows.get(videoId);
      if (row) rows.set(videoId, { ...row, status });
    },
  };
  const descriptors = new KeptDescriptors({ idleMs: 50 });
  const media = (options.wrapMedia ?? ((same) => same))(createDirectoryMediaSource({ root, descriptors }));
  const logger = createLogger("test");
  const store = createDirectoryPictureStore(root);
  const pictures = { videos, media, store, clock: systemClock, logger };
  const thumbnails = createVideoPictures({
    ...{ ...pictures, kind: "thumbnail", make: options.make ?? makeThumbnail },
  });
  const previews = createVideoPictures({ ...{ ...pictures, kind: "previews", make: makeSprite } });
  const newestVideoOf = async (cameraId: string) =>
    [...rows.values()].filter((video) => video.cameraId === cameraId).at(-1);
  const { app } = createApp({
    logger,
    publicOrigin: undefined,
    onAnswered: options.onAnswered,
    authenticator: {
      principalOfKey: async () => ({ kind: "client", keyId: "k", name: "test" }),
      principalOfSession: async () => undefined,
    },
    routes: [
      createStreamRoutes({
        ...{ videos, media },
        parts: new PlayableParts({ videos, media, indexes: new MediaIndexes(media) }),
      }),
      createThumbnailRoutes({ videos, thumbnails, cameras: { newestVideoOf } }),
      createPreviewRoutes({ videos, previews: options.previewsOff ? undefined : previews }),
    ],
  });
  const server = serveApp(app, {
    hostname: "127.0.0.1",
    port: 0,
    ...(options.idleTimeoutSeconds === undefined ? {} : { idleTimeoutSeconds: options.idleTimeoutSeconds }),
  });
  const port = Number(new URL(server.url).port);

  return {
    root,
    rows,
    store,
    descriptors,
    media,
    thumbnails,
    previews,
    videos,
    port,
    add: (video: Video) => rows.set(video.videoId, video),
    get: (path: string, headers: Record<string, string> = {}, method = "GET") =>
      fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        redirect: "manual",
        // A connection that is kept would make the server wait for it at the end.
        headers: { authorization: "Bearer k", connection: "close", ...headers },
      }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      descriptors[Symbol.dispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Sends bytes as they are, which no client library would, and returns all that comes until the server closes. */
export function sendRaw(
  port: number,
  request: string,
  onFirstData?: (socket: Socket) => Promise<void>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const finish = () => resolve(Buffer.concat(chunks).toString("latin1"));
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.once("data", () => void onFirstData?.(socket).catch(reject));
    socket.on("close", finish);
    // An answer that the server could not finish ends with a reset.
    socket.on("error", finish);
  });
}
