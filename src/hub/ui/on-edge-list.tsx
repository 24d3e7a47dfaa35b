/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import { formatWireTime } from "../../common/protocol/wire.ts";
import type { EdgeVideo, OnEdge } from "../edge-footage/edge-footage.ts";
import { Badge } from "./badge.tsx";
import { EdgeStatus } from "./edge-status.tsx";
import type { PageContext } from "./page-context.ts";
import { TimeOfDay } from "./time.tsx";

/** More than these are not listed one by one; the newest are. */
const maxListed = 50;

/** What of a day is on the camera's node and not in the archive yet, the newest first; nothing when all of it is. */
export const OnEdgeList: FC<{ page: PageContext; onEdge: OnEdge; timeZone: string }> = (props) => {
  const { page, onEdge, timeZone } = props;
  const { t, format } = page;
  const { videos, asOfMs } = onEdge;
  if (videos.length === 0 || asOfMs === undefined) return null;
  const listed = videos.toReversed().slice(0, maxListed);
  return (
    <section class="card edge-list">
      <h2>{t.onEdge.title}</h2>
      <p class="muted small">
        {t.onEdge.hint} {t.onEdge.asOf(format.time(asOfMs, timeZone))}
      </p>
      <ul class="gap-list">
        {listed.map((video) => (
          <li>
            <a class="gap-time" href={hrefOf(video)}>
              <TimeOfDay page={page} ms={video.startTimeMs} timeZone={timeZone} />–
              <TimeOfDay page={page} ms={video.endTimeMs} timeZone={timeZone} />
            </a>
            <span>
              <EdgeStatus page={page} video={video} />{" "}
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

function hrefOf({ cameraId, videoId, startTimeMs }: EdgeVideo): string {
  return `/cameras/${encodeURIComponent(cameraId)}/on-edge/${videoId}?at=${encodeURIComponent(formatWireTime(startTimeMs))}`;
}
