/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import { localDateOf } from "../../common/time-zone.ts";
import type { EdgeVideo } from "../edge-footage/edge-footage.ts";
import { EdgeStatus } from "./edge-status.tsx";
import { Icon } from "./icon.tsx";
import { Layout } from "./layout.tsx";
import type { PageContext } from "./page-context.ts";

export interface EdgeVideoModel {
  video: EdgeVideo;
  camera: { name: string; timeZone: string };
}

/** Plays a video from the camera's node, and offers to have it archived next. */
export const EdgeVideoPage: FC<{ page: PageContext; model: EdgeVideoModel }> = ({ page, model }) => {
  const { t, format, here } = page;
  const { video, camera } = model;
  const { cameraId, videoId, startTimeMs, endTimeMs } = video;
  const start = format.dateTime(startTimeMs, camera.timeZone);
  const day = localDateOf(startTimeMs, camera.timeZone);
  return (
    <Layout page={page} title={`${camera.name}, ${start}`} section="cameras">
      <div class="heading">
        <p class="crumb">
          <a href={`/cameras/${encodeURIComponent(cameraId)}?date=${day}`}>
            <Icon name="previous" />
            {t.video.backToDay(format.day(day))}
          </a>
        </p>
        <div class="row">
          <h1>{camera.name}</h1>
          <EdgeStatus page={page} video={video} />
        </div>
        <p class="muted">
          {`${start} – ${format.time(endTimeMs, camera.timeZone)}, ${format.zone(camera.timeZone, startTimeMs)}`}
        </p>
      </div>
      <div class="watch">
        <div class="stage">
          {/* biome-ignore lint/a11y/useMediaCaption: a camera's recording has no words to caption */}
          <video
            controls
            playsinline
            preload="metadata"
            width={video.width}
            height={video.height}
            src={`/api/cameras/${cameraId}/on-edge/${videoId}/stream.mp4`}
            aria-label={t.video.playerLabel(camera.name, start)}
          ></video>
          <p class="muted">{t.onEdge.playing}</p>
          <form method="post" action={`/cameras/${cameraId}/on-edge/${videoId}/fetch`} class="actions">
            <input type="hidden" name="next" value={here} />
            <button class="button" type="submit">
              {t.onEdge.fetch}
            </button>
          </form>
        </div>
      </div>
    </Layout>
  );
};
