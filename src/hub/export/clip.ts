import { createHash, type Hash } from "node:crypto";
import { AppError } from "../../common/errors.ts";
import type { ArchivedFile, FragmentRange } from "../../common/mp4/archive-file.ts";
import type { Track } from "../../common/mp4/init-segment.ts";
import type { Retiming } from "./retime-fragments.ts";

/** `keyframe`: from the keyframe at or before the start to the end of the last GOP. `exact`: trimmed by edit list. */
export type ClipCut = "keyframe" | "exact";

/** `mp4`: one index in front. `fmp4`: an init segment and the fragments as they were recorded, for players that append. */
export type ClipFormat = "mp4" | "fmp4";

export interface ClipRange {
  fromMs: number;
  toMs: number;
  cut: ClipCut;
}

/** Bytes of an archived file as they are, or fragments of it moved in time. */
export interface FilePart {
  kind: "file";
  filePath: string;
  videoId: string;
  /** Of the whole file. */
  fileSizeBytes: number;
  start: number;
  end: number;
  retime?: Retiming;
}

/** A stretch of the clip's file. */
export type ClipPart = { kind: "bytes"; bytes: Uint8Array } | FilePart;

/** A file that is nowhere: its parts one after the other. */
export interface Clip {
  parts: readonly ClipPart[];
  sizeBytes: number;
  /** Strong: the same range of the same files gives the same bytes. */
  etag: string;
  /** What is presented, in ms since 1970 UTC, and for how long; shorter than the range where footage is missing. */
  startTimeMs: number;
  endTimeMs: number;
  durationMs: number;
}

/** One archived video of the range, with its fragments. */
export interface ClipSource {
  filePath: string;
  videoId: string;
  startTimeMs: number;
  fileSha256: string;
  file: ArchivedFile;
}

/** How clips are put together; another number makes other ETags. */
const layoutVersion = 2;

/** For a clip's ETag: what decides on its bytes goes in. */
export function clipFingerprint(format: ClipFormat, cut: ClipCut): Hash {
  return createHash("sha256").update(JSON.stringify([layoutVersion, format, cut]));
}

export interface ChosenFragments {
  fragments: readonly FragmentRange[];
  /** Of the first picture, and after the last, in ms since 1970 UTC. */
  wallStartMs: number;
  wallEndMs: number;
}

/** The fragments that a range needs, from a keyframe on; undefined when the range has nothing of the source. */
export function chooseFragments(
  source: ClipSource,
  { fromMs, toMs }: Pick<ClipRange, "fromMs" | "toMs">,
): ChosenFragments | undefined {
  const { fragments, timescale } = source.file;
  const origin = fragments[0]?.startTicks ?? 0;
  const wallMs = (ticks: number) => source.startTimeMs + ((ticks - origin) * 1000) / timescale;
  let first = fragments.findIndex((fragment) => fragment.startsWithKeyframe);
  if (first === -1) return undefined;
  let last = -1;
  for (let i = first; i < fragments.length; i++) {
    const fragment = fragments[i]!;
    if (wallMs(fragment.startTicks) >= toMs) break;
    if (fragment.startsWithKeyframe && wallMs(fragment.startTicks) <= fromMs) first = i;
    last = i;
  }
  if (last < first) return undefined;
  const end = fragments[last]!;
  const wallEndMs = wallMs(end.startTicks + end.durationTicks);
  if (wallEndMs <= fromMs) return undefined;
  return {
    fragments: fragments.slice(first, last + 1),
    wallStartMs: wallMs(fragments[first]!.startTicks),
    wallEndMs,
  };
}

/**
 * Throws `conflict` where picture or sound are coded otherwise than in what is there: one MP4 cannot be both for most
 * players. `sameDefaults`: what fragments leave to the init segment has to be the same, too.
 */
export function checkSameCoding(
  tracks: readonly Track[],
  source: ClipSource,
  { sameDefaults = false } = {},
): void {
  const theirs = source.file.init.tracks;
  const same =
    theirs.length === tracks.length &&
    tracks.every((track, i) => {
      const other = theirs[i]!;
      return (
        other.trackId === track.trackId &&
        other.timescale === track.timescale &&
        Buffer.compare(other.sampleDescription, track.sampleDescription) === 0 &&
        (!sameDefaults || Bun.deepEquals(other.sampleDefaults, track.sampleDefaults))
      );
    });
  if (same) return;
  const at = new Date(source.startTimeMs).toISOString();
  throw new AppError(
    "conflict",
    `the camera's picture or sound is coded otherwise from ${at} on; export up to then and from then on`,
  );
}

/** Of a clip in which no source had anything. */
export function emptyClip(): AppError {
  return new AppError("not_found", "there is no video of this camera in this range");
}

/** `cam01_20250923T063000Z-20250923T064500Z.mp4`: letters, digits, `_` and `-`, so it needs no quoting. */
export function clipNameOf(cameraId: string, clip: Clip, format: ClipFormat): string {
  const stamp = (ms: number) => new Date(ms).toISOString().replace(/\.\d+/, "").replace(/[-:]/g, "");
  return `${cameraId}_${stamp(clip.startTimeMs)}-${stamp(clip.endTimeMs)}${format === "fmp4" ? "_fragmented" : ""}.mp4`;
}
