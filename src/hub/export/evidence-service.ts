import { AppError, errorCodeOf } from "../../common/errors.ts";
import { formatWireTime } from "../../common/protocol/wire.ts";
import { formatSegmentIdentity } from "../../common/segment-identity.ts";
import type { Catalog, Video } from "../db/catalog.ts";
import type { MediaSource } from "../playback/media-source.ts";
import {
  type EvidenceManifest,
  hashesName,
  hashesText,
  howToVerify,
  manifestName,
  readmeName,
} from "./evidence-manifest.ts";
import { type CameraRange, readCoverage } from "./range-coverage.ts";

/** One file of an export, in the order in which they come. */
export type EvidenceEntry = { name: string; text: string } | VideoEntry;
export interface VideoEntry {
  name: string;
  video: Video;
}

export interface Evidence {
  manifest: EvidenceManifest;
  entries: readonly EvidenceEntry[];
}

/** A file for each of which the catalog is asked and the archive looked at before the export begins. */
const maxVideos = 20_000;

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
  ranges: readonly CameraRange[],
): Promise<Evidence> {
  const videos = new Map<string, Video>();
  const covered: EvidenceManifest["ranges"] = [];
  for (const range of ranges) {
    const { videos: whole, coverage } = await readCoverage(deps.catalog, range, {
      maxItems: maxVideos,
      tooMany,
    });
    for (const video of whole) videos.set(video.videoId, video);
    if (videos.size > maxVideos) throw tooMany();
    covered.push(coverage);
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

function tooMany(): AppError {
  const issues = [{ path: "to", message: `expected ranges with at most ${maxVideos} videos and gaps` }];
  return new AppError("invalid_input", "this is too much for one export", { issues });
}

/** Before the first byte goes out, since after it nothing can be said any more. */
async function checkFile(
  { media, catalog }: { media: Pick<MediaSource, "sizeOf">; catalog: Pick<Catalog, "updateVideoStatus"> },
  video: Video,
): Promise<void> {
  try {
    const size = await media.sizeOf(video.filePath);
    if (size === video.fileSizeBytes) return;
    throw new AppError("corrupt_file", `the file has ${size} bytes instead of ${video.fileSizeBytes}`);
  } catch (error) {
    throw await refusalOf(catalog, video, error);
  }
}

/** What to say where a file cannot be read; marks its video, if it is gone or damaged. */
export async function refusalOf(
  catalog: Pick<Catalog, "updateVideoStatus">,
  video: Video,
  cause: unknown,
): Promise<AppError> {
  const code = errorCodeOf(cause);
  const status = code === "not_found" ? "missing" : code === "corrupt_file" ? "damaged" : undefined;
  if (status === undefined) {
    return new AppError("unavailable", "the archive cannot be read at the moment", { cause });
  }
  await catalog.updateVideoStatus(video.videoId, status);
  const name = video.filePath.slice(video.filePath.lastIndexOf("/") + 1);
  // It is marked now, so the next try leaves it out and says so.
  return new AppError("unavailable", `${name} is ${status}; export again to have that told in it`, { cause });
}
