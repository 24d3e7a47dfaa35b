import type { VideoPage } from "../videos/video-service.ts";

/** A video as the pages know it. */
export type PageVideo = VideoPage["videos"][number];
