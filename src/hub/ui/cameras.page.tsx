/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { NodeLinkState } from "../link/remote-nodes.ts";
import type { CameraOverview } from "../nodes/node-service.ts";
import { Layout } from "./layout.tsx";
import type { PageContext } from "./page-context.ts";
import { WallTile } from "./wall-tile.tsx";
import { WallTools } from "./wall-tools.tsx";

/** The wall: every camera with its newest picture, or live, and what it does. The script keeps it current. */
export const CamerasPage: FC<{
  page: PageContext;
  cameras: readonly CameraOverview[];
  linkOf: (nodeId: string) => NodeLinkState;
}> = ({ page, cameras, linkOf }) => {
  const { t, format } = page;
  const recording = cameras.filter(({ state }) => state === "recording").length;
  return (
    <Layout page={page} title={t.cameras} section="cameras">
      <div class="heading wall-heading">
        <h1>{t.cameras}</h1>
        {cameras.length > 0 && (
          <p class="muted" data-part="count">
            {t.camera.recordingCount(format.number(recording), format.number(cameras.length))}
          </p>
        )}
        {cameras.length > 0 && <WallTools page={page} />}
      </div>
      {cameras.length === 0 && (
        <div class="empty">
          <h2>{t.camera.none}</h2>
          <p>{t.camera.noneHint}</p>
        </div>
      )}
      <ul class="wall" data-wall>
        {/* All else of the page is not seen in full screen. */}
        <li class="hub-away" data-hub-away hidden>
          {t.hubAway}
        </li>
        {cameras.map((camera) => (
          <WallTile page={page} camera={camera} isLinked={linkOf(camera.nodeId).isConnected} />
        ))}
      </ul>
    </Layout>
  );
};
