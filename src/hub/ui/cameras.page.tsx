/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { CameraOverview } from "../nodes/node-service.ts";
import { Badge, type Tone } from "./badge.tsx";
import { Layout } from "./layout.tsx";
import type { PageContext } from "./page-context.ts";

export const cameraTones: Readonly<Record<CameraOverview["state"], Tone>> = {
  starting: "busy",
  recording: "good",
  paused: "quiet",
  stalled: "bad",
  retrying: "warn",
  stopped: "quiet",
  unknown: "bad",
};

/** The wall: every camera with its newest picture and what it does. */
export const CamerasPage: FC<{ page: PageContext; cameras: readonly CameraOverview[] }> = ({
  page,
  cameras,
}) => {
  const { t, format } = page;
  const recording = cameras.filter(({ state }) => state === "recording").length;
  return (
    <Layout page={page} title={t.cameras} section="cameras" refreshSeconds={15}>
      <div class="heading">
        <h1>{t.cameras}</h1>
        {cameras.length > 0 && (
          <p class="muted">
            {t.camera.recordingCount(format.number(recording), format.number(cameras.length))}
          </p>
        )}
      </div>
      {cameras.length === 0 ? (
        <div class="empty">
          <h2>{t.camera.none}</h2>
          <p>{t.camera.noneHint}</p>
        </div>
      ) : (
        <ul class="wall">
          {cameras.map((camera) => (
            <CameraCard page={page} camera={camera} />
          ))}
        </ul>
      )}
    </Layout>
  );
};

const CameraCard: FC<{ page: PageContext; camera: CameraOverview }> = ({ page, camera }) => {
  const { t } = page;
  const { newestVideo } = camera;
  const hints: Partial<Record<CameraOverview["state"], string>> = t.camera.hints;
  const hint = camera.message ?? hints[camera.state];
  return (
    <li class="card camera">
      <div class="picture">
        {newestVideo ? (
          <img
            src={`/api/videos/${newestVideo.videoId}/thumbnail`}
            alt={t.camera.pictureOf(camera.name)}
            width="320"
            height="180"
          />
        ) : (
          <span class="muted">{t.camera.noPictureYet}</span>
        )}
      </div>
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
          {newestVideo && !newestVideo.isMock && <LastPicture page={page} ms={newestVideo.endTimeMs} />}
          {!newestVideo && <span>{camera.cameraId}</span>}
        </p>
        {hint !== undefined && camera.state !== "recording" && <p class="hint">{hint}</p>}
      </div>
    </li>
  );
};

/** The sentence stands in one language or the other; the machine-readable time stays around it. */
const LastPicture: FC<{ page: PageContext; ms: number }> = ({ page, ms }) => (
  <time datetime={new Date(ms).toISOString()}>
    {page.t.camera.lastPicture(page.format.ago(ms, page.nowMs))}
  </time>
);
