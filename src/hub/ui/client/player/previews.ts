import { type Cue, type Preview, parseCues } from "./preview-cues.ts";
import type { ListedVideo } from "./timeline-data.ts";

/** Of so many videos the pictures are remembered. */
const maxKnown = 60;
const known = new Map<string, Promise<readonly Cue[]>>();

/** The small picture of a moment of a video; undefined where there is none. */
export async function previewOf(video: ListedVideo, atMs: number): Promise<Preview | undefined> {
  let cues = known.get(video.videoId);
  if (!cues) {
    cues = loadCues(`/api/videos/${video.videoId}/previews.vtt`);
    known.set(video.videoId, cues);
    for (const oldest of known.keys()) {
      if (known.size <= maxKnown) break;
      known.delete(oldest);
    }
  }
  const seconds = (atMs - video.fromMs) / 1000;
  return (await cues).findLast(({ fromSeconds }) => fromSeconds <= seconds);
}

async function loadCues(url: string): Promise<readonly Cue[]> {
  const response = await fetch(url).catch(() => undefined);
  // Not there, not yet, or not this time.
  if (!response?.ok) return [];
  return parseCues(await response.text(), url);
}
