import type { Video } from "../../db/catalog.ts";

/** One picture for so much of the video. */
const intervalMs = 10_000;
/** What a sprite may have; of a longer video there are pictures less often. Segments have an hour at most. */
const maxPictures = 600;
const columns = 10;
/** What a picture has to fit into, whatever its shape. */
const maxTileWidth = 160;
const maxTileHeight = 320;
/** Less than this at the end gets no picture of its own. */
const minLastMs = 1_000;

/** One picture of a sprite: what it stands for, in ms from the start of the video, and where in the sprite it is. */
export interface PreviewCue {
  startMs: number;
  endMs: number;
  x: number;
  y: number;
}

/** How the pictures of a video lie in its sprite. */
export interface PreviewPlan {
  /** In order of time, without holes. */
  cues: readonly PreviewCue[];
  columns: number;
  rows: number;
  tileWidth: number;
  tileHeight: number;
}

/** A pure function of what the catalog says, so that index and sprite agree without asking each other. */
export function planPreviews({
  durationMs,
  width,
  height,
  isMock,
}: Pick<Video, "durationMs" | "width" | "height" | "isMock">): PreviewPlan {
  const lengthMs = Math.max(1, durationMs);
  const everyMs = intervalMs * Math.ceil(lengthMs / (intervalMs * maxPictures));
  // The picture in place of a camera does not change.
  const count = isMock === true ? 1 : Math.max(1, Math.ceil((lengthMs - minLastMs) / everyMs));
  const { tileWidth, tileHeight } = tileOf(width, height);
  const cues = Array.from({ length: count }, (_, i) => ({
    startMs: i * everyMs,
    endMs: i === count - 1 ? lengthMs : (i + 1) * everyMs,
    x: (i % columns) * tileWidth,
    y: Math.floor(i / columns) * tileHeight,
  }));
  return {
    ...{ cues, tileWidth, tileHeight },
    columns: Math.min(columns, count),
    rows: Math.ceil(count / columns),
  };
}

/** Even, since colour has half the resolution. */
function tileOf(width: number, height: number): { tileWidth: number; tileHeight: number } {
  const scale = Math.min(maxTileWidth / width, maxTileHeight / height);
  const even = (pixels: number, max: number) => Math.min(max, Math.max(2, 2 * Math.round(pixels / 2)));
  return {
    tileWidth: even(width * scale, maxTileWidth),
    tileHeight: even(height * scale, maxTileHeight),
  };
}

/** WebVTT with a part of the sprite as the text of each cue (W3C Media Fragments, `xywh`). */
export function formatPreviewsVtt(plan: PreviewPlan, spriteUrl: string): string {
  const { tileWidth, tileHeight } = plan;
  const cues = plan.cues.map(
    ({ startMs, endMs, x, y }) =>
      `${formatCueTime(startMs)} --> ${formatCueTime(endMs)}\n` +
      `${spriteUrl}#xywh=${x},${y},${tileWidth},${tileHeight}\n`,
  );
  return ["WEBVTT\n", ...cues].join("\n");
}

/** `01:02:03.004` */
function formatCueTime(ms: number): string {
  const part = (value: number, digits: number) => String(Math.floor(value)).padStart(digits, "0");
  const time = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60]
    .map((value) => part(value, 2))
    .join(":");
  return `${time}.${part(ms % 1000, 3)}`;
}
