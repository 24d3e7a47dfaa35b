/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { NodeLinkState } from "../link/remote-nodes.ts";
import type { CameraOverview } from "../nodes/node-service.ts";
import { Badge } from "./badge.tsx";
import { CameraActions } from "./camera-actions.tsx";
import { cameraTones } from "./camera-tones.ts";
import { Icon } from "./icon.tsx";
import { Layout } from "./layout.tsx";
import { LiveTools } from "./live-tools.tsx";
import type { PageContext } from "./page-context.ts";

/** A camera as it is now: the newest picture, and with script its live stream in place of it. */
export const LivePage: FC<{ page: PageContext; camera: CameraOverview; link: NodeLinkState }> = ({
  page,
  camera,
  link,
}) => {
  const { t, format } = page;
  const { pausedSinceMs, timeZone } = camera;
  const id = encodeURIComponent(camera.cameraId);
  const isPaused = camera.state === "paused";
  return (
    <Layout page={page} title={t.live.title(camera.name)} section="cameras">
      <div class="heading">
        <p class="crumb">
          <a href={`/cameras/${id}`}>
            <Icon name="previous" />
            {t.live.recordings}
          </a>
        </p>
        <div class="row">
          <h1>{camera.name}</h1>
          <Badge tone={cameraTones[camera.state]} text={t.camera.states[camera.state]} />
          <CameraActions page={page} camera={camera} link={link} />
        </div>
      </div>
      <div
        class="live"
        data-live={`/api/cameras/${id}/live`}
        data-state={isPaused ? "stopped" : "connecting"}
      >
        <div class="stage">
          <video
            muted
            autoplay
            playsinline
            controls
            poster={link.isConnected && !isPaused ? `/api/cameras/${id}/snapshot` : undefined}
            aria-label={t.live.title(camera.name)}
          ></video>
        </div>
        <noscript>
          <p class="hint">{t.live.needsScript}</p>
        </noscript>
        <p class="muted" data-when="connecting">
          {t.live.connecting}
        </p>
        <p class="muted" data-when="playing">
          {t.live.playing}
        </p>
        <p class="hint" data-when="stopped">
          {t.live.paused}
          {pausedSinceMs !== null && ` ${t.live.pausedSince(format.dateTime(pausedSinceMs, timeZone))}`}
        </p>
        <p class="hint" data-when="away">
          {t.live.away}
        </p>
        <p class="hint" data-when="lost">
          {t.live.lost}
        </p>
        <p class="hint" data-when="unsupported">
          {t.live.unsupported}
        </p>
        <LiveTools page={page} camera={camera} canSave={link.isConnected && !isPaused} />
      </div>
    </Layout>
  );
};
