/** @jsxImportSource hono/jsx */
import type { Child, FC } from "hono/jsx";
import { localDateOf } from "../../common/time-zone.ts";
import { Badge } from "./badge.tsx";
import { Icon } from "./icon.tsx";
import { Layout } from "./layout.tsx";
import type { PageContext } from "./page-context.ts";
import type { PageVideo } from "./page-video.ts";
import { DateTime } from "./time.tsx";

export interface VideoModel {
  video: PageVideo;
  cameraName: string;
  previous: PageVideo | undefined;
  next: PageVideo | undefined;
}

/**
 * The player. The script follows the link with `data-next` when the video has ended, and takes every `data-part` of the
 * page it finds there into this one, so that the video element, and with it full screen and sound, stays.
 */
export const VideoPage: FC<{ page: PageContext; model: VideoModel }> = ({ page, model }) => {
  const { t, format } = page;
  const { video, cameraName, previous, next } = model;
  const { timeZone, startTimeMs, endTimeMs } = video;
  const day = localDateOf(startTimeMs, timeZone);
  const start = format.dateTime(startTimeMs, timeZone);
  const isPlayable = video.status === "available" || video.status === "damaged";
  const stream = `/api/videos/${video.videoId}/stream`;
  return (
    <Layout page={page} title={`${cameraName}, ${start}`} section="cameras">
      <div class="heading" data-part="heading">
        <p class="crumb">
          <a href={`/cameras/${encodeURIComponent(video.cameraId)}?date=${day}`}>
            <Icon name="previous" />
            {t.video.backToDay(format.day(day))}
          </a>
        </p>
        <h1>{cameraName}</h1>
        <p class="muted">
          {`${start} – ${format.time(endTimeMs, timeZone)}, ${format.zone(timeZone, startTimeMs)}`}
        </p>
      </div>
      <div class="watch">
        <div class="stage">
          {isPlayable && (
            // biome-ignore lint/a11y/useMediaCaption: a camera's recording has no words to caption
            <video
              id="player"
              controls
              playsinline
              preload="metadata"
              width={video.width}
              height={video.height}
              src={stream}
              poster={`/api/videos/${video.videoId}/thumbnail`}
              aria-label={t.video.playerLabel(cameraName, start)}
            ></video>
          )}
          <div data-part="notice" class={isPlayable ? undefined : "no-video"}>
            {video.isMock && (
              <p class="notice" role="status">
                <Icon name="warning" />
                <span>{t.video.mockNotice}</span>
              </p>
            )}
            {video.status !== "available" && (
              <p class="notice" role="status">
                <Icon name="warning" />
                <span>{t.video.notices[video.status]}</span>
              </p>
            )}
          </div>
          <div class="actions" data-part="actions">
            <VideoStep page={page} video={previous} direction="previous" />
            <VideoStep page={page} video={next} direction="next" />
            {isPlayable && (
              <a class="button" href={`${stream}?download=1`} download>
                <Icon name="download" />
                <span>{t.video.downloadOf(format.size(video.fileSizeBytes))}</span>
              </a>
            )}
          </div>
        </div>
        <section class="card facts" data-part="facts">
          <h2>{t.video.facts}</h2>
          <Facts page={page} video={video} />
        </section>
      </div>
    </Layout>
  );
};

const VideoStep: FC<{ page: PageContext; video: PageVideo | undefined; direction: "previous" | "next" }> = (
  props,
) => {
  const { page, video, direction } = props;
  const { t, format } = page;
  const text = <span>{t.video[direction]}</span>;
  const icon = <Icon name={direction} />;
  const content = direction === "previous" ? [icon, text] : [text, icon];
  if (video === undefined) {
    return (
      <span class="button" aria-disabled="true">
        {content}
      </span>
    );
  }
  const time = format.time(video.startTimeMs, video.timeZone);
  return (
    <a
      class="button"
      href={`/videos/${video.videoId}`}
      aria-label={(direction === "next" ? t.video.nextOf : t.video.previousOf)(time)}
      rel={direction === "next" ? "next" : "prev"}
      data-next={direction === "next" ? "" : undefined}
    >
      {content}
    </a>
  );
};

const Facts: FC<{ page: PageContext; video: PageVideo }> = ({ page, video }) => {
  const { t, format } = page;
  const { timeZone } = video;
  const rows: [name: string, value: Child][] = [
    [
      t.video.status,
      <Badge tone={video.status === "available" ? "good" : "bad"} text={t.video.statuses[video.status]} />,
    ],
    [t.video.start, <DateTime page={page} ms={video.startTimeMs} timeZone={timeZone} />],
    [t.video.end, <DateTime page={page} ms={video.endTimeMs} timeZone={timeZone} />],
    [t.video.duration, format.duration(video.durationMs)],
    [t.video.resolution, `${video.width} × ${video.height}, ${t.video.fps(format.number(video.fps, 2))}`],
    [t.video.codec, video.codec],
    [t.video.size, format.size(video.fileSizeBytes)],
    [t.video.node, video.nodeId],
    [t.video.clock, t.video.clockStates[video.clockState]],
    [t.video.file, <code>{video.filePath}</code>],
    [t.video.recordedHash, <code>{video.recordedSha256}</code>],
    [t.video.fileHash, <code>{video.fileSha256}</code>],
    ...(video.notes === "" ? [] : [[t.video.notes, video.notes] as [string, Child]]),
  ];
  return (
    <dl class="rows">
      {rows.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
};
