import { AppError, errorCodeOf } from "../../common/errors.ts";
import { formatWireTime, plainTextOf } from "../../common/protocol/wire.ts";
import { formatSegmentIdentity } from "../../common/segment-identity.ts";
import type { Catalog, Gap, Video } from "../db/catalog.ts";
import type { MediaSource } from "../playback/media-source.ts";
import {
  type EvidenceManifest,
  hashesName,
  hashesText,
  howToVerify,
  manifestName,
  readmeName,
} from "./evidence-manifest.ts";
import { type LostVideo, planCoverage, type Span } from "./plan-coverage.ts";

export interface EvidenceRange extends Span {
  cameraId: string;
}

/** One file of an export, in the order in which they come. */
export type EvidenceEntry = { name: string; text: string } | { name: string; video: Video };

export interface Evidence {
  manifest: EvidenceManifest;
  entries: readonly EvidenceEntry[];
}

/** A file for each of which the catalog is asked and the archive looked at before the export begins. */
const maxVideos = 20_000;
const pageSize = 500;

/**
 * Original files for others to rely on. Throws `not_found` when there is no video in any of the ranges, `unavailable`
 * when a file is not what the catalog says (it is marked then), `invalid_input` for more than {@link maxVideos}.
 */
export async function planEvidence(
  deps: {
    catalog: Pick<Catalog, "findVideos" | "findGaps" | "updateVideoStatus">;
    media: Pick<MediaSource, "sizeOf">;
    nowMs: number;
    softwareVersion: string;
    archiveId: string | null;
  },
  ranges: readonly EvidenceRange[],
): Promise<Evidence> {
  const videos = new Map<string, Video>();
  const covered: EvidenceManifest["ranges"] = [];
  for (const range of ranges) {
    const found = await allOf<Video>((after) =>
      deps.catalog.findVideos({ ...queryOf(range), ...after, limit: pageSize }),
    );
    const gaps = await allOf<Gap>((after) =>
      deps.catalog.findGaps({ ...queryOf(range), ...after, limit: pageSize }),
    );
    const whole = found.filter(({ status }) => status === "available");
    for (const video of whole) videos.set(video.videoId, video);
    if (videos.size > maxVideos) throw tooMany();
    covered.push(coverageJson(range, whole, found, gaps));
  }
  if (videos.size === 0) throw new AppError("not_found", "there is no video in what was asked for");
  for (const video of videos.values()) await checkFile(deps, video);

  const manifest: EvidenceManifest = {
    format: "livecam-evidence",
    format_version: 1,
    created_at: formatWireTime(deps.nowMs),
    software_version: deps.softwareVersion,
    archive_id: deps.archiveId,
    ranges: covered,
    files: [...videos.values()].map((video) => ({
      path: nameOf(video),
      file_size: video.fileSizeBytes,
      file_sha256: video.fileSha256,
      identity: formatSegmentIdentity(video),
    })),
  };
  return { manifest, entries: entriesOf(manifest, [...videos.values()]) };
}

function entriesOf(manifest: EvidenceManifest, videos: readonly Video[]): EvidenceEntry[] {
  const manifestText = `${JSON.stringify(manifest, undefined, 2)}\n`;
  const own = [
    { name: readmeName, text: howToVerify },
    { name: manifestName, text: manifestText },
  ];
  return [
    ...own,
    { name: hashesName, text: hashesText(manifest, own) },
    ...videos.map((video) => ({ name: nameOf(video), video })),
  ];
}

function nameOf(video: Video): string {
  return `videos/${video.filePath}`;
}

function queryOf({ cameraId, fromMs, toMs }: EvidenceRange) {
  return { cameraIds: [cameraId], fromMs, toMs, order: "oldest_first" as const };
}

/** Every page of a list, by its keyset. */
async function allOf<T extends Video | Gap>(
  page: (after: { after?: { startTimeMs: number; videoId: string } }) => Promise<T[]>,
): Promise<T[]> {
  const all: T[] = [];
  for (;;) {
    const last = all.at(-1);
    const after = last === undefined ? {} : { after: keyOf(last) };
    const found = await page(after);
    all.push(...found);
    if (all.length > maxVideos) throw tooMany();
    if (found.length < pageSize) return all;
  }
}

function keyOf(item: Video | Gap) {
  return "videoId" in item
    ? { startTimeMs: item.startTimeMs, videoId: item.videoId }
    : { startTimeMs: item.fromMs, videoId: item.gapId };
}

function tooMany(): AppError {
  const issues = [{ path: "to", message: `expected ranges with at most ${maxVideos} videos and gaps` }];
  return new AppError("invalid_input", "this is too much for one export", { issues });
}

function coverageJson(
  range: EvidenceRange,
  whole: readonly Video[],
  found: readonly Video[],
  gaps: readonly Gap[],
): EvidenceManifest["ranges"][number] {
  const spanOf = (video: Video) => ({ fromMs: video.startTimeMs, toMs: video.endTimeMs });
  const lost = found.flatMap((video): LostVideo[] =>
    video.status === "available" ? [] : [{ ...spanOf(video), status: video.status }],
  );
  const { recordedMs, missing } = planCoverage(range, { videos: whole.map(spanOf), lost, gaps });
  return {
    camera_id: range.cameraId,
    from_time: formatWireTime(range.fromMs),
    to_time: formatWireTime(range.toMs),
    expected_ms: range.toMs - range.fromMs,
    recorded_ms: recordedMs,
    missing: missing.map(({ fromMs, toMs, cause, detail }) => ({
      from_time: formatWireTime(fromMs),
      to_time: formatWireTime(toMs),
      cause,
      detail: plainTextOf(detail, 500),
    })),
  };
}

/** Before the first byte goes out, since after it nothing can be said any more. */
async function checkFile(
  { media, catalog }: { media: Pick<MediaSource, "sizeOf">; catalog: Pick<Catalog, "updateVideoStatus"> },
  video: Video,
): Promise<void> {
  const name = video.filePath.slice(video.filePath.lastIndexOf("/") + 1);
  let status: "missing" | "damaged" | undefined;
  let cause: unknown;
  try {
    if ((await media.sizeOf(video.filePath)) !== video.fileSizeBytes) status = "damaged";
  } catch (error) {
    cause = error;
    const code = errorCodeOf(error);
    status = code === "not_found" ? "missing" : code === "corrupt_file" ? "damaged" : undefined;
    if (status === undefined) {
      throw new AppError("unavailable", "the archive cannot be read at the moment", { cause });
    }
  }
  if (status === undefined) return;
  await catalog.updateVideoStatus(video.videoId, status);
  // It is marked now, so the next try leaves it out and says so.
  throw new AppError("unavailable", `${name} is ${status}; export again to have that told in it`, { cause });
}
