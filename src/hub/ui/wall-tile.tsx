/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { CameraOverview } from "../nodes/node-service.ts";
import { Badge } from "./badge.tsx";
import { cameraTones } from "./camera-tones.ts";
import { CameraTrouble } from "./camera-trouble.tsx";
import { Icon } from "./icon.tsx";
import type { PageContext } from "./page-context.ts";

interface TileProps {
  page: PageContext;
  camera: CameraOverview;
  /** Its node can be asked for pictures. */
  isLinked: boolean;
}

/** A camera on the wall: a link to its page, and with script two buttons on its picture. */
export const WallTile: FC<TileProps> = ({ page, camera, isLinked }) => {
  const { t } = page;
  const { newestVideo, cameraId, name } = camera;
  const isWatchable = isLinked && camera.state !== "paused";
  return (
    <li class="card camera" data-camera={cameraId} data-watchable={isWatchable ? "" : undefined}>
      <div class="picture">
        {newestVideo ? (
          <img
            src={`/api/videos/${newestVideo.videoId}/thumbnail`}
            alt={t.camera.pictureOf(name)}
            loading="lazy"
            decoding="async"
            width="320"
            height="180"
          />
        ) : (
          <span class="muted">{t.camera.noPictureYet}</span>
        )}
        <div class="tile-tools" hidden>
          <button class="tile-button" type="button" data-tile="full" title={t.wall.fullScreen}>
            <Icon name="expand" />
            <span class="unseen">{t.wall.fullScreenOf(name)}</span>
          </button>
          <button class="tile-button" type="button" data-tile="live" title={t.wall.live} aria-pressed="false">
            <Icon name="play" />
            <span class="unseen">{t.wall.liveOf(name)}</span>
          </button>
        </div>
      </div>
      <TileWords page={page} camera={camera} />
    </li>
  );
};

const TileWords: FC<Omit<TileProps, "isLinked">> = ({ page, camera }) => {
  const { t } = page;
  const { newestVideo, lastHeartbeatMs } = camera;
  const hints: Partial<Record<CameraOverview["state"], string>> = t.camera.hints;
  const hint = hints[camera.state];
  return (
    <div class="card-body">
      <div class="row">
        <h2>
          <a class="cover" href={`/cameras/${encodeURIComponent(camera.cameraId)}`}>
            {camera.name}
          </a>
        </h2>
        <Badge tone={cameraTones[camera.state]} text={t.camera.states[camera.state]} />
      </div>
      <p class="muted">
        {newestVideo?.isMock && <Badge tone="warn" text={t.video.mock} />}
        {newestVideo && !newestVideo.isMock && (
          <Ago page={page} ms={newestVideo.endTimeMs} words={t.camera.lastVideo} />
        )}
        {!newestVideo && <span>{camera.cameraId}</span>}
      </p>
      <p class="muted">
        {lastHeartbeatMs === null ? (
          t.wall.noHeartbeat
        ) : (
          <Ago page={page} ms={lastHeartbeatMs} words={t.wall.heartbeat} />
        )}
      </p>
      {hint !== undefined && <p class="hint">{hint}</p>}
      <CameraTrouble camera={camera} class="muted detail" />
    </div>
  );
};

/** The sentence stands in one language or the other; the machine-readable time stays around it. */
const Ago: FC<{ page: PageContext; ms: number; words: (ago: string) => string }> = ({ page, ms, words }) => (
  <time datetime={new Date(ms).toISOString()}>{words(page.format.ago(ms, page.nowMs))}</time>
);
