import type { Video } from "../db/catalog.ts";
import type { ByteRange } from "../http/range.ts";
import type { MediaIndexes } from "./hls/media-indexes.ts";
import type { MediaSource } from "./media-source.ts";
import type { PlayableVideos } from "./playable-videos.ts";
import { checkVideoFile, findPlayableVideo, markVideo, playbackError } from "./video-file.ts";

export interface RecordedBytesOptions {
  videos: PlayableVideos;
  media: MediaSource;
  indexes: Pick<MediaIndexes, "of">;
}

/**
 * The bytes of an archived video as its node recorded them: the init segment and the fragments, without the archive's
 * index in front and the `sidx` between them (docs/file-format.md).
 */
export function createRecordedBytes({ videos, media, indexes }: RecordedBytesOptions) {
  return {
    /** Undefined for what the catalog has not. Throws `not_found` and `unavailable` as playback does. */
    async find(videoId: string) {
      if ((await videos.findVideo(videoId)) === undefined) return undefined;
      const video = await findPlayableVideo(videos, videoId);
      await checkVideoFile({ videos, media }, video);
      const { parts } = await indexOf(video);
      const initSizeBytes = parts.init.end - parts.init.start;
      return {
        cameraId: video.cameraId,
        sizeBytes: initSizeBytes + video.fileSizeBytes - parts.firstOffset,
        body: (range: ByteRange) => bodyOf(video, piecesOf(range, parts)),
      };
    },
  };

  async function indexOf(video: Video) {
    try {
      return await indexes.of(video);
    } catch (error) {
      await markVideo(videos, video, error);
      throw playbackError(video, error);
    }
  }

  async function bodyOf({ filePath }: Video, pieces: readonly ByteRange[]) {
    const [first, second] = await Promise.all(pieces.map((piece) => media.body(filePath, piece)));
    if (first === undefined || second === undefined) return first ?? new Blob();
    return joined([first, second]);
  }
}

/** Where a range of the recorded bytes is in the archived file: in one piece, or in two with the `sidx` between. */
export function piecesOf(
  range: ByteRange,
  { init, firstOffset }: { init: ByteRange; firstOffset: number },
): ByteRange[] {
  const initSizeBytes = init.end - init.start;
  const moved = firstOffset - initSizeBytes;
  return [
    { start: init.start + range.start, end: init.start + Math.min(range.end, initSizeBytes) },
    { start: Math.max(range.start, initSizeBytes) + moved, end: range.end + moved },
  ].filter(({ start, end }) => start < end);
}

function joined(bodies: readonly (Blob | ReadableStream<Uint8Array>)[]): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const pipe = async () => {
    for (const body of bodies) {
      await (body instanceof Blob ? body.stream() : body).pipeTo(writable, { preventClose: true });
    }
    await writable.close();
  };
  // What goes wrong ends the answer, which is where it is met.
  pipe().catch((error: unknown) => writable.abort(error).catch(() => undefined));
  return readable;
}
