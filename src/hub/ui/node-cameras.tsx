/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { NodeLinkState } from "../link/remote-nodes.ts";
import type { NodeInfo } from "../nodes/node-service.ts";
import { Badge } from "./badge.tsx";
import { CameraActions } from "./camera-actions.tsx";
import { cameraTones } from "./camera-tones.ts";
import { CameraTrouble } from "./camera-trouble.tsx";
import type { PageContext } from "./page-context.ts";

type Status = NodeInfo["cameras"][number];

/** The cameras of a node: what each does, how well, and since when not. */
export const NodeCameras: FC<{ page: PageContext; node: NodeInfo; link: NodeLinkState }> = ({
  page,
  node,
  link,
}) => {
  const { t } = page;
  // What a node said before it fell silent is no news.
  const isHeard = node.status === "online" || node.status === "late";
  if (node.cameraIds.length === 0) return <p class="muted">{t.node.noCameras}</p>;
  return (
    <ul class="node-cameras">
      {node.cameraIds.map((cameraId) => {
        const status = isHeard ? node.cameras.find((camera) => camera.camera_id === cameraId) : undefined;
        const state = status?.state ?? "unknown";
        return (
          <li>
            <div class="row">
              <a href={`/cameras/${encodeURIComponent(cameraId)}`}>{cameraId}</a>
              <Badge tone={cameraTones[state]} text={t.camera.states[state]} />
              <CameraActions page={page} camera={{ cameraId, state }} link={link} />
            </div>
            {status && <CameraFacts page={page} status={status} />}
          </li>
        );
      })}
    </ul>
  );
};

const CameraFacts: FC<{ page: PageContext; status: Status }> = ({ page, status }) => {
  const { t, format, nowMs } = page;
  const fallbackSinceMs = status.fallback_since ?? null;
  const pausedSinceMs = status.paused_since ?? null;
  const facts = [
    pausedSinceMs === null ? undefined : t.node.pausedFor(format.duration(nowMs - pausedSinceMs)),
    fpsText(page, status),
    status.bitrate_bps === null ? undefined : t.node.perSecond(format.size(status.bitrate_bps / 8)),
    status.restarts === 0 ? undefined : t.node.restarts(status.restarts, format.number(status.restarts)),
    status.state !== "recording" && status.last_fragment_at !== null
      ? t.node.lastPicture(format.ago(status.last_fragment_at, nowMs))
      : undefined,
  ].filter((fact) => fact !== undefined);
  return (
    <>
      {fallbackSinceMs !== null && (
        <p>
          <Badge tone="warn" text={t.node.noSignalFor(format.duration(nowMs - fallbackSinceMs))} />
        </p>
      )}
      {facts.length > 0 && <p class="muted small">{facts.join(" · ")}</p>}
      <CameraTrouble camera={status} class="muted small detail" />
    </>
  );
};

function fpsText({ t, format }: PageContext, { fps, fps_asked: asked }: Status): string | undefined {
  if (fps === null) return undefined;
  const measured = format.number(fps, 1);
  return (asked ?? null) === null
    ? t.node.fps(measured)
    : t.node.fpsOf(measured, format.number(asked ?? 0, 1));
}
