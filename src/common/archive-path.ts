import { AppError } from "./errors.ts";
import { type LocalTime, localTimeOf, pad } from "./time-zone.ts";

/** The one module that knows what files in the archive are called, both ways. Paths are relative to its root, with `/`. */
export interface ArchivePathParts {
  cameraId: string;
  /** Start of the segment in the node's zone. */
  local: LocalTime;
  /** 1 for the plain name, then `-2`, `-3` for a name that is already taken. */
  attempt: number;
}

const pattern =
  /^([a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?)\/(\d{4})-(\d\d)-(\d\d)\/\1_(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)(?:-(\d{1,4}))?\.mp4$/;

/** `cam01/2025-09-23/cam01_20250923_153000.mp4` */
export function formatArchivePath(parts: ArchivePathParts): string {
  return `${parts.cameraId}/${dayFolder(parts.local)}/${archiveStem(parts)}.mp4`;
}

/** The path of a segment that starts at `startTimeMs`, seen in `timeZone`. */
export function archivePathOf(
  segment: { cameraId: string; startTimeMs: number; timeZone: string },
  attempt = 1,
): string {
  const local = localTimeOf(segment.startTimeMs, segment.timeZone);
  return formatArchivePath({ cameraId: segment.cameraId, local, attempt });
}

/** Inverse of {@link formatArchivePath}; undefined for any other path. */
export function parseArchivePath(path: string): ArchivePathParts | undefined {
  const match = pattern.exec(path);
  if (!match) return undefined;
  const [, cameraId, dayYear, dayMonth, dayDay, ...rest] = match;
  const [year, month, day, hour, minute, second] = rest.slice(0, 6).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const attempt = rest[6] === undefined ? 1 : Number(rest[6]);
  const local = { year, month, day, hour, minute, second };
  if (`${dayYear}-${dayMonth}-${dayDay}` !== dayFolder(local) || !exists(local)) return undefined;
  if (rest[6] !== undefined && (attempt < 2 || rest[6] !== String(attempt))) return undefined;
  return { cameraId: cameraId ?? "", local, attempt };
}

/** What the hub makes of a video and keeps in the archive. */
export const pictureKinds = ["thumbnail", "previews"] as const;
export type PictureKind = (typeof pictureKinds)[number];

const pictureEndings: Record<PictureKind, string> = { thumbnail: ".jpg", previews: ".previews.jpg" };

/** `metadata/thumbnails/cam01/2025-09-23/cam01_20250923_153000.jpg` (`….previews.jpg`) for a video's path. */
export function picturePathOf(kind: PictureKind, videoPath: string): string {
  if (!parseArchivePath(videoPath)) throw new AppError("internal", `not a path of a video: ${videoPath}`);
  return `metadata/thumbnails/${videoPath.slice(0, -".mp4".length)}${pictureEndings[kind]}`;
}

/** The archive's identity file. */
export const archiveIdentityPath = "metadata/archive.json";

/** The name without folder and ending, also used in the spool. */
export function archiveStem(parts: ArchivePathParts): string {
  const { local } = parts;
  const date = `${pad(local.year, 4)}${pad(local.month)}${pad(local.day)}`;
  const time = `${pad(local.hour)}${pad(local.minute)}${pad(local.second)}`;
  return `${parts.cameraId}_${date}_${time}${parts.attempt > 1 ? `-${parts.attempt}` : ""}`;
}

function dayFolder(local: LocalTime): string {
  return `${pad(local.year, 4)}-${pad(local.month)}-${pad(local.day)}`;
}

function exists(local: LocalTime): boolean {
  const date = new Date(
    Date.UTC(local.year, local.month - 1, local.day, local.hour, local.minute, local.second),
  );
  return (
    date.getUTCMonth() === local.month - 1 &&
    date.getUTCDate() === local.day &&
    date.getUTCHours() === local.hour &&
    date.getUTCMinutes() === local.minute &&
    date.getUTCSeconds() === local.second
  );
}
