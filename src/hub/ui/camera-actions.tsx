/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { NodeLinkState } from "../link/remote-nodes.ts";
import type { CameraOverview } from "../nodes/node-service.ts";
import type { PageContext } from "./page-context.ts";

/** What an administrator can have a camera do; nothing for others, and while its node cannot be asked. */
export const CameraActions: FC<{
  page: PageContext;
  camera: { cameraId: string; state: CameraOverview["state"] };
  link: NodeLinkState;
}> = ({ page, camera, link }) => {
  const { t, person, here } = page;
  if (person?.role !== "admin" || !link.isConnected || camera.state === "unknown") return null;
  const verb = camera.state === "paused" ? "resume" : "pause";
  return (
    <form method="post" action={`/cameras/${encodeURIComponent(camera.cameraId)}/${verb}`}>
      <input type="hidden" name="next" value={here} />
      <button class="button small" type="submit" aria-label={`${t.camera[verb]}: ${camera.cameraId}`}>
        {t.camera[verb]}
      </button>
    </form>
  );
};
