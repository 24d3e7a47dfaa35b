/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { CameraOverview } from "../nodes/node-service.ts";

/**
 * What the node last said was wrong with a camera, which it goes on saying when that is long over: shown while the camera
 * gives nothing that was wanted.
 */
export const CameraTrouble: FC<{ camera: Pick<CameraOverview, "state" | "message">; class: string }> = ({
  camera: { state, message },
  class: className,
}) => {
  if (message === null || state === "recording" || state === "paused") return null;
  return (
    <p class={className} lang="en">
      {message}
    </p>
  );
};
