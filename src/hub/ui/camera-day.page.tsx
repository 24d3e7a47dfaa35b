/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { OnEdge } from "../edge-footage/edge-footage.ts";
import type { NodeLinkState } from "../link/remote-nodes.ts";
import type { CameraOverview } from "../nodes/node-service.ts";
import { Badge } from "./badge.tsx";
import { Calendar } from "./calendar.tsx";
import { CameraActions } from "./camera-actions.tsx";
import { cameraTones } from "./camera-tones.ts";
import { CameraTrouble } from "./camera-trouble.tsx";
import { CoverageStrip } from "./coverage-strip.tsx";
import { GapList } from "./gap-list.tsx";
import { Icon } from "./icon.tsx";
import { Layout } from "./layout.tsx";
import { OnEdgeList } from "./on-edge-list.tsx";
import type { PageContext } from "./page-context.ts";
import type { PageVideo } from "./page-video.ts";
import { neighbourDays } from "./plan-calendar.ts";
import type { DayPlan, HourPlan } from "./plan-day.ts";
import type { GapPlan } from "./plan-gaps.ts";
import { Player, type PlayerModel } from "./player.tsx";
import { SaveRange } from "./save-range.tsx";

export interface CameraDayModel {
  camera: CameraOverview;
  /** Of its node. */
  link: NodeLinkState;
  /** `2025-09-23` */
  day: string;
  /** Days with video, newest first. */
  days: readonly string[];
  plan: DayPlan;
  gaps: GapPlan;
  /** Set when not all gaps of the day could be read. */
  gapsCutAt: number | undefined;
  /** The hours whose videos are shown: all of them, or one on a day of many. */
  shownHours: readonly HourPlan[];
  videoCount: number;
  /** What is not in the archive yet. */
  onEdge: OnEdge;
  /** What the form for saving a part says at first, local times; nothing without videos. */
  save: { from: string; to: string } | undefined;
  otherCameras: readonly { cameraId: string; name: string }[];
  /** Nothing for a camera that never had a video. */
  player: PlayerModel | undefined;
  /** Set when not all videos of the day could be shown. */
  cutAt: number | undefined;
}

/** The videos of a camera on one day, the newest first. */
export const CameraDayPage: FC<{ page: PageContext; model: CameraDayModel }> = ({ page, model }) => {
  const { t, format } = page;
  const { camera, day, days, plan, gaps, shownHours, videoCount } = model;
  const isEmpty = videoCount === 0;
  const { previous, next } = neighbourDays(day, days);
  const hrefOf = (other: string) => `/cameras/${encodeURIComponent(camera.cameraId)}?date=${other}`;
  const isWholeDay = shownHours.length !== 1;
  const hints: Partial<Record<CameraOverview["state"], string>> = t.camera.hints;
  const hint = hints[camera.state];
  return (
    <Layout page={page} title={`${camera.name}, ${format.day(day)}`} section="cameras">
      <div class="heading">
        <div class="row">
          <h1>{camera.name}</h1>
          <Badge tone={cameraTones[camera.state]} text={t.camera.states[camera.state]} />
          {model.link.isConnected && (
            <a class="button small" href={`/cameras/${encodeURIComponent(camera.cameraId)}/live`}>
              {t.live.link}
            </a>
          )}
          <CameraActions page={page} camera={camera} link={model.link} />
        </div>
        {hint !== undefined && <p class="hint">{hint}</p>}
        <CameraTrouble camera={camera} class="muted detail" />
      </div>

      <div class="daybar">
        <DayStep href={previous && hrefOf(previous)} label={t.day.previousDay} icon="previous" />
        <Calendar page={page} day={day} days={days} hrefOf={hrefOf} />
        <DayStep href={next && hrefOf(next)} label={t.day.nextDay} icon="next" />
      </div>

      {model.player && <Player page={page} model={model.player} />}

      {(!isEmpty || gaps.gaps.length > 0) && (
        <section class={isWholeDay ? "card coverage" : "card coverage by-hour"}>
          <p class="summary">
            <strong>{recordedText(page, plan)}</strong>
            {gaps.missingMs > 0 && <span>{missingText(page, plan, gaps)}</span>}
            <span>{t.day.videoCount(videoCount, format.number(videoCount))}</span>
            <span>{t.day.zone(format.zone(camera.timeZone, plan.fromMs))}</span>
          </p>
          <CoverageStrip
            page={page}
            plan={plan}
            gaps={gaps}
            timeZone={camera.timeZone}
            shown={isWholeDay ? undefined : shownHours[0]?.index}
            hrefOf={(hour) => (isWholeDay ? `#h${hour.index}` : `${hrefOf(day)}&hour=${hour.index}`)}
          />
          {plan.hours.some(({ mockSpans }) => mockSpans.length > 0) && (
            <p class="muted small">
              <span class="swatch mock" />
              {t.gap.mock}
            </p>
          )}
          {!isWholeDay && !isEmpty && <p class="muted">{t.day.oneHourShown}</p>}
          {model.cutAt !== undefined && <p class="hint">{t.day.truncated(format.number(model.cutAt))}</p>}
          {model.save && (
            <SaveRange
              page={page}
              cameraId={camera.cameraId}
              day={day}
              otherCameras={model.otherCameras}
              {...model.save}
            />
          )}
          <GapList page={page} plan={gaps} timeZone={camera.timeZone} cutAt={model.gapsCutAt} />
        </section>
      )}
      <OnEdgeList page={page} onEdge={model.onEdge} timeZone={camera.timeZone} />
      {isEmpty && model.onEdge.videos.length === 0 && (
        <div class="empty">
          <h2>{days.length === 0 ? t.day.noVideosEver : t.day.noVideos}</h2>
          <p>{days[0] === undefined ? t.day.noVideosHint : <a href={hrefOf(days[0])}>{t.day.latest}</a>}</p>
        </div>
      )}
      {shownHours
        .filter(({ videos }) => videos.length > 0)
        .toReversed()
        .map((hour) => (
          <HourOfVideos page={page} hour={hour} timeZone={camera.timeZone} />
        ))}
    </Layout>
  );
};

function recordedText({ t, format }: PageContext, { recordedMs, elapsedMs, isOver }: DayPlan): string {
  const share = format.share(elapsedMs === 0 ? 0 : Math.min(1, recordedMs / elapsedMs));
  return (isOver ? t.day.recorded : t.day.recordedSoFar)(format.duration(recordedMs), share);
}

/** Of the time that should be recorded, as far as its node has told. */
function missingText({ t, format }: PageContext, { recordedMs }: DayPlan, { missingMs }: GapPlan): string {
  const share = format.share(recordedMs / (recordedMs + missingMs));
  return t.gap.missing(format.duration(Math.max(1000, missingMs)), share);
}

const DayStep: FC<{ href: string | undefined; label: string; icon: "previous" | "next" }> = (props) =>
  props.href === undefined ? (
    <span class="button icon-only" aria-disabled="true">
      <Icon name={props.icon} />
    </span>
  ) : (
    <a
      class="button icon-only"
      href={props.href}
      aria-label={props.label}
      title={props.label}
      rel={props.icon === "next" ? "next" : "prev"}
    >
      <Icon name={props.icon} />
    </a>
  );

const HourOfVideos: FC<{ page: PageContext; hour: HourPlan; timeZone: string }> = ({
  page,
  hour,
  timeZone,
}) => (
  <section class="hour" id={`h${hour.index}`}>
    <h2>{page.format.minute(hour.fromMs, timeZone)}</h2>
    <ul class="videos">
      {hour.videos.toReversed().map((video) => (
        <VideoTile page={page} video={video} timeZone={timeZone} />
      ))}
    </ul>
  </section>
);

const VideoTile: FC<{ page: PageContext; video: PageVideo; timeZone: string }> = ({
  page,
  video,
  timeZone,
}) => {
  const { t, format } = page;
  const time = format.time(video.startTimeMs, timeZone);
  return (
    <li class="tile">
      <div class="picture">
        <img src={`/api/videos/${video.videoId}/thumbnail`} alt="" width="320" height="180" loading="lazy" />
      </div>
      <p>
        <a class="cover" href={`/videos/${video.videoId}`} aria-label={t.day.videoAt(time)}>
          {time}
        </a>
        <span class="muted">{format.duration(video.durationMs)}</span>
      </p>
      {video.isMock && <Badge tone="warn" text={t.video.mock} />}
      {video.status !== "available" && <Badge tone="bad" text={t.video.statuses[video.status]} />}
    </li>
  );
};
