/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { EdgeVideo, OnEdge } from "../edge-footage/edge-footage.ts";
import { Badge, type Tone } from "./badge.tsx";
import type { PageContext } from "./page-context.ts";
import { TimeOfDay } from "./time.tsx";

/** More than these are not listed one by one; the newest are. */
const maxListed = 50;

const tones: Record<EdgeVideo["status"], Tone> = { recording: "busy", on_edge: "quiet", uploading: "busy" };

/** What of a day is on the camera's node and not in the archive yet, the newest first; nothing when all of it is. */
export const OnEdgeList: FC<{ page: PageContext; onEdge: OnEdge; timeZone: string }> = (props) => {
  const { page, onEdge, timeZone } = props;
  const { t, format } = page;
  const { videos, asOfMs } = onEdge;
  if (videos.length === 0 || asOfMs === undefined) return null;
  const listed = videos.toReversed().slice(0, maxListed);
  return (
    <section class="card on-edge">
      <h2>{t.onEdge.title}</h2>
      <p class="muted small">
        {t.onEdge.hint} {t.onEdge.asOf(format.time(asOfMs, timeZone))}
      </p>
      <ul class="gap-list">
        {listed.map((video) => (
          <li>
            <span class="gap-time">
              <TimeOfDay page={page} ms={video.startTimeMs} timeZone={timeZone} />–
              <TimeOfDay page={page} ms={video.endTimeMs} timeZone={timeZone} />
            </span>
            <span>
              <Badge tone={tones[video.status]} text={statusText(page, video)} />
              {video.isMock && <Badge tone="warn" text={t.video.mock} />}
              <span class="muted small">{format.size(video.sizeBytes)}</span>
            </span>
          </li>
        ))}
      </ul>
      {(onEdge.isCut || listed.length < videos.length) && (
        <p class="muted small">{t.onEdge.newestOf(format.number(listed.length))}</p>
      )}
    </section>
  );
};

function statusText({ t, format }: PageContext, { status, progress }: EdgeVideo): string {
  if (status === "uploading") return t.onEdge.uploading(format.share(progress));
  return status === "recording" ? t.onEdge.recording : t.onEdge.waiting;
}
