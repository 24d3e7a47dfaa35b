import { AppError, errorCodeOf } from "../../common/errors.ts";
import type { Catalog, Video } from "../db/catalog.ts";
import { isFootage } from "../plan-coverage.ts";
import type { MediaSource } from "../playback/media-source.ts";
import { type Clip, type ClipFormat, type ClipRange, emptyClip, type FilePart } from "./clip.ts";
import { ClipBuilder, type SampledSource } from "./clip-builder.ts";
import { FragmentedClipBuilder } from "./fragmented-clip-builder.ts";
import { readSampleColumns } from "./sample-columns.ts";

/** Longer ones have indexes that players and memories do not like; the original files are better then. */
export const maxClipMs = 6 * 3_600_000;
const maxVideos = 4_000;
const pageSize = 500;

export interface ClipRequest extends ClipRange {
  cameraId: string;
  /** Fragments cannot be cut exactly. */
  format: ClipFormat;
}

/** Clips of the archive, planned when somebody asks and kept for the ranges that a download or a player asks for next. */
export interface ClipService {
  /**
   * Throws `invalid_input`, `not_found` without a video in the range, `conflict` where the coding changes,
   * `unavailable` when a file of the range cannot be read, or too much is asked for at once.
   */
  clipOf(request: ClipRequest): Promise<Clip>;
  /** What to say where a part of a clip cannot be read; marks its video, if its file is gone or damaged. */
  refusalOf(part: FilePart, error: unknown): Promise<AppError>;
  /** Marks the video that could not be sent, if its file is gone or damaged: then the next try leaves it out. */
  partFailed(part: FilePart, error: unknown): Promise<void>;
}

export interface ClipServiceParts {
  catalog: Pick<Catalog, "findVideos" | "updateVideoStatus">;
  media: Pick<MediaSource, "sizeOf" | "readIndex" | "readRange">;
  /** Runs one task for a key at a time, few at once, and refuses more with `unavailable`. */
  tasks: { run(key: string, task: () => Promise<Clip>): Promise<Clip> };
}

/** Clips that were asked for a moment ago, and the bytes that their indexes may take. */
const maxRemembered = 32;
const maxRememberedBytes = 64 * 1024 * 1024;

export function createClipService({ catalog, media, tasks }: ClipServiceParts): ClipService {
  const remembered = new Map<string, { videos: string; clip: Clip }>();

  async function videosIn({ cameraId, fromMs, toMs }: ClipRequest): Promise<Video[]> {
    const videos: Video[] = [];
    for (;;) {
      const last = videos.at(-1);
      const page = await catalog.findVideos({
        ...{ cameraIds: [cameraId], fromMs, toMs, statuses: ["available"], order: "oldest_first" },
        ...(last && { after: { startTimeMs: last.startTimeMs, videoId: last.videoId } }),
        limit: pageSize,
      });
      videos.push(...page);
      if (videos.length > maxVideos) {
        const issues = [{ path: "to", message: `expected a range with at most ${maxVideos} videos` }];
        throw new AppError("invalid_input", "the range has too many videos for one clip", { issues });
      }
      // The picture in place of a camera explains a gap and does not fill it.
      if (page.length < pageSize) return videos.filter(isFootage);
    }
  }

  async function sourceOf(video: Video): Promise<SampledSource> {
    try {
      const sizeBytes = await media.sizeOf(video.filePath);
      if (sizeBytes !== video.fileSizeBytes) {
        throw new AppError(
          "corrupt_file",
          `the file has ${sizeBytes} bytes instead of ${video.fileSizeBytes}`,
        );
      }
      const file = await media.readIndex(video.filePath);
      const { filePath, videoId, startTimeMs, fileSha256 } = video;
      const front = await media.readRange(video.filePath, { start: 0, end: file.initOffset });
      return { filePath, videoId, startTimeMs, fileSha256, file, columns: readSampleColumns(front) };
    } catch (error) {
      throw await asClipError(video, error);
    }
  }

  /** The next is read while one is looked at. */
  async function* sourcesOf(videos: readonly Video[]): AsyncGenerator<readonly [Video, SampledSource]> {
    const read = (index: number) => {
      const video = videos[index];
      const source = video && sourceOf(video);
      // Its error is met when its turn comes, if it does.
      source?.catch(() => undefined);
      return source;
    };
    let next = read(0);
    for (let i = 0; next !== undefined; i++) {
      const source = await next;
      next = read(i + 1);
      yield [videos[i]!, source];
    }
  }

  async function mark(videoId: string, error: unknown): Promise<"missing" | "damaged" | undefined> {
    const code = errorCodeOf(error);
    const found = code === "not_found" ? "missing" : code === "corrupt_file" ? "damaged" : undefined;
    if (found !== undefined) await catalog.updateVideoStatus(videoId, found);
    return found;
  }

  async function asClipError(video: Pick<Video, "videoId" | "filePath">, cause: unknown): Promise<AppError> {
    const name = video.filePath.slice(video.filePath.lastIndexOf("/") + 1);
    const found = await mark(video.videoId, cause);
    // It is marked now, so the next try leaves it out.
    if (found)
      return new AppError("unavailable", `${name} is ${found}; export again to go without it`, { cause });
    if (errorCodeOf(cause) === "internal")
      return new AppError("internal", "the clip cannot be made", { cause });
    return new AppError("unavailable", "the archive cannot be read at the moment", { cause });
  }

  async function build(request: ClipRequest, videos: readonly Video[]): Promise<Clip> {
    let builder: ClipBuilder | FragmentedClipBuilder | undefined;
    const Builder = request.format === "fmp4" ? FragmentedClipBuilder : ClipBuilder;
    for await (const [video, source] of sourcesOf(videos)) {
      builder ??= new Builder(source.file.init, request);
      try {
        builder.add(source);
      } catch (error) {
        // The indexes of the file contradict each other.
        throw errorCodeOf(error) === "corrupt_file" ? await asClipError(video, error) : error;
      }
    }
    if (builder === undefined) throw emptyClip();
    return builder.finish();
  }

  function remember(key: string, videos: string, clip: Clip): void {
    remembered.delete(key);
    remembered.set(key, { videos, clip });
    let bytes = 0;
    for (const { clip: kept } of remembered.values()) bytes += ownBytes(kept);
    for (const [oldest, { clip: dropped }] of remembered) {
      if (remembered.size <= maxRemembered && bytes <= maxRememberedBytes) return;
      bytes -= ownBytes(dropped);
      remembered.delete(oldest);
    }
  }

  return {
    refusalOf: asClipError,
    partFailed: async ({ videoId }, error) => void (await mark(videoId, error)),

    async clipOf(request) {
      const key = JSON.stringify([
        request.cameraId,
        request.fromMs,
        request.toMs,
        request.cut,
        request.format,
      ]);
      const videos = await videosIn(request);
      // What the catalog says now decides whether the clip is still the same one.
      const names = videos.map((video) => video.videoId + video.fileSha256.slice(0, 16)).join();
      const known = remembered.get(key);
      if (known?.videos === names) return known.clip;
      return tasks.run(`${key}${Bun.hash(names)}`, async () => {
        const clip = await build(request, videos);
        remember(key, names, clip);
        return clip;
      });
    },
  };
}

/** What a clip takes of memory: its index. */
function ownBytes(clip: Clip): number {
  return clip.parts.reduce((sum, part) => sum + (part.kind === "bytes" ? part.bytes.length : 0), 0);
}
