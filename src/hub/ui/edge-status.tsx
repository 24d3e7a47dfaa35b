/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { EdgeVideo } from "../edge-footage/edge-footage.ts";
import { Badge, type Tone } from "./badge.tsx";
import type { PageContext } from "./page-context.ts";

const tones: Record<EdgeVideo["status"], Tone> = { recording: "busy", on_edge: "quiet", uploading: "busy" };

/** Where a video that is not archived yet is on its way. */
export const EdgeStatus: FC<{ page: PageContext; video: Pick<EdgeVideo, "status" | "progress"> }> = (
  props,
) => {
  const { t, format } = props.page;
  const { status, progress } = props.video;
  const texts: Record<EdgeVideo["status"], string> = {
    recording: t.onEdge.recording,
    on_edge: t.onEdge.waiting,
    uploading: t.onEdge.uploading(format.share(progress)),
  };
  return <Badge tone={tones[status]} text={texts[status]} />;
};
