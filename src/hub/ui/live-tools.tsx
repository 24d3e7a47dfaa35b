/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { CameraOverview } from "../nodes/node-service.ts";
import { Icon } from "./icon.tsx";
import type { PageContext } from "./page-context.ts";

/** What can be done with a live picture. The links work without script, the buttons appear with it. */
export const LiveTools: FC<{ page: PageContext; camera: CameraOverview; canSave: boolean }> = (props) => {
  const { page, camera, canSave } = props;
  const { t } = page;
  const id = encodeURIComponent(camera.cameraId);
  return (
    <div class="actions" data-live-tools={camera.cameraId}>
      {canSave && (
        <a
          class="button small"
          href={`/api/cameras/${id}/snapshot`}
          download={`${camera.cameraId}.jpg`}
          data-tool="save"
        >
          <Icon name="camera" />
          {t.live.save}
        </a>
      )}
      <button class="button small" type="button" data-tool="float" hidden>
        <Icon name="float" />
        {t.live.float}
      </button>
      <button class="button small" type="button" data-tool="full" hidden>
        <Icon name="expand" />
        {t.wall.fullScreen}
      </button>
      <a class="button small" href={`/cameras/${id}`} data-tool="recorded">
        <Icon name="previous" />
        {t.live.recorded}
      </a>
    </div>
  );
};
