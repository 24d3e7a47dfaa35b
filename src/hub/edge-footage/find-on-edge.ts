import { sleep } from "../../common/clock.ts";
import type { EdgeFile, EdgeFootage, EdgeVideo } from "./edge-footage.ts";
import { edgeStreamUrlOf } from "./edge-stream-url.ts";

/** A segment with its file's index, for a playlist. */
export interface IndexedEdgeVideo {
  video: Pick<EdgeVideo, "videoId" | "runId" | "startTimeMs" | "codec" | "width" | "height"> & {
    /** Not known before the end. */
    fps: 0;
    fileSizeBytes: number;
    durationMs: number;
  };
  endTimeMs: number;
  uri: string;
  file: (EdgeFile & { initOffset: 0 }) | undefined;
}

/** All indexes of one playlist together; what has not come by then is in the next one. */
const patienceMs = 5_000;
/** The newest; the playlist says of older ones that they are on the edge, and has them when it is asked for a shorter range. */
const maxIndexed = 400;

/** What of a camera is footage and still on its node, by start, with what is where in each file. */
export function createFindOnEdge(deps: {
  footage: EdgeFootage;
  files: { find(cameraId: string, videoId: string): Promise<EdgeFile> };
  /** Default 5 s. */
  patienceMs?: number;
}) {
  const { footage, files } = deps;
  return async (
    cameraId: string,
    range: { fromMs: number; toMs: number },
  ): Promise<readonly IndexedEdgeVideo[]> => {
    // A range that begins now has nothing in it.
    if (range.fromMs >= range.toMs) return [];
    const { videos } = await footage.list(cameraId, range);
    const shown = videos.filter(({ isMock }) => !isMock);
    const first = shown.length - maxIndexed;
    const enough = new AbortController();
    const late = sleep(deps.patienceMs ?? patienceMs, enough.signal).then(() => undefined);
    const found = await Promise.all(
      shown.map(async (video, i) => {
        if (i < first) return indexed(video, undefined);
        // A node that does not answer, or a segment that went meanwhile: the playlist says that it is on the edge.
        const asked = files.find(cameraId, video.videoId).catch(() => undefined);
        return indexed(video, await Promise.race([asked, late]));
      }),
    );
    enough.abort();
    return found;
  };
}

function indexed(video: EdgeVideo, file: EdgeFile | undefined): IndexedEdgeVideo {
  const { videoId, runId, startTimeMs, endTimeMs, codec, width, height, sizeBytes } = video;
  return {
    video: {
      ...{ videoId, runId, startTimeMs, codec, width, height },
      ...{ fps: 0, fileSizeBytes: sizeBytes, durationMs: endTimeMs - startTimeMs },
    },
    endTimeMs,
    uri: edgeStreamUrlOf(video),
    file: file && { ...file, initOffset: 0 },
  };
}
