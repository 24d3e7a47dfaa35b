import { createHash } from "node:crypto";
import { AppError } from "../../common/errors.ts";
import { type ArchivedFile, type FragmentRange, writeFileType } from "../../common/mp4/archive-file.ts";
import { writeLargeBoxHeader } from "../../common/mp4/box-writer.ts";
import { corrupt } from "../../common/mp4/boxes.ts";
import type { ParsedFragment, TrackFragment } from "../../common/mp4/fragment.ts";
import type { InitSegment, Track } from "../../common/mp4/init-segment.ts";
import { placeFragments, writeOuterMoov } from "../../common/mp4/outer-moov.ts";
import { SegmentIndex } from "../../common/mp4/segment-index.ts";
import type { SampleColumns } from "./sample-columns.ts";

/** `keyframe`: from the keyframe at or before the start to the end of the last GOP. `exact`: trimmed by edit list. */
export type ClipCut = "keyframe" | "exact";

/** A stretch of the clip's file: bytes of its own, or bytes of an archived file as they are. */
export type ClipPart =
  | { kind: "bytes"; bytes: Uint8Array }
  | { kind: "file"; filePath: string; start: number; end: number };

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

/** One archived video of the range, with its indexes read. */
export interface ClipSource {
  filePath: string;
  startTimeMs: number;
  fileSha256: string;
  file: ArchivedFile;
  /** Of the outer index. */
  columns: readonly SampleColumns[];
}

/** How the clip is put together; another number makes other ETags. */
const layoutVersion = 1;

interface Cut {
  fromMs: number;
  toMs: number;
  cut: ClipCut;
}

/**
 * Puts a clip together from archived videos, given in the order of time and one at a time, so that only the tables of
 * the clip stay in memory. Nothing is re-encoded and no media is read: the clip is an index of its own in front of
 * whole fragments of the archived files. Times that no video covers are left out.
 */
export class ClipBuilder {
  readonly #index: SegmentIndex;
  readonly #tracks: readonly Track[];
  readonly #parts: ClipPart[] = [];
  readonly #fingerprint = createHash("sha256");
  #startTimeMs = 0;
  #endTimeMs = 0;
  /** Where the last source's wall time lies on the clip's time line. */
  #wallToSeconds = (_wallMs: number) => 0;

  constructor(
    init: InitSegment,
    readonly range: Cut,
  ) {
    // Its samples are put on the clip's own time line, so the edits of the recording do not apply.
    this.#tracks = init.tracks.map((track) => ({ ...track, mediaTime: 0, emptyEditDuration: 0 }));
    const video = this.#tracks.find((track) => track.trackId === init.video.trackId)!;
    this.#index = new SegmentIndex({ ...init, tracks: this.#tracks, video });
    this.#fingerprint.update(JSON.stringify([layoutVersion, range.cut]));
  }

  /**
   * Answers false when the range has nothing of it. Throws `conflict` where picture or sound are coded otherwise than
   * in what is there (one MP4 cannot be both for most players), `corrupt_file`, and `invalid_input` for a clip with
   * more samples than an index may have.
   */
  add(source: ClipSource): boolean {
    this.#checkSameCoding(source);
    const chosen = chooseFragments(source, this.range);
    if (chosen === undefined) return false;
    const { fragments, wallStartMs } = chosen;
    const [first, last] = [fragments[0]!, fragments.at(-1)!];
    const tracks = source.columns.map(
      (columns) =>
        new TrackPosition(columns, columns.trackId === this.#index.init.video.trackId, first.offset),
    );
    const video = tracks.find(({ isVideo }) => isVideo);
    if (video === undefined) throw corrupt("the index has no video");

    const presentedAt = video.firstPresentationSeconds(first.offset + first.sizeBytes);
    const shift = this.#placeOf(wallStartMs) - presentedAt;
    this.#wallToSeconds = (wallMs) => shift + presentedAt + (wallMs - wallStartMs) / 1000;
    for (const fragment of fragments) this.#index.addFragment(this.#place(fragment, tracks, shift));

    const end = last.offset + last.sizeBytes;
    this.#parts.push({ kind: "file", filePath: source.filePath, start: first.offset, end });
    this.#fingerprint.update(JSON.stringify([source.fileSha256, first.offset, end]));
    this.#endTimeMs = chosen.wallEndMs;
    return true;
  }

  /** Throws `not_found` when nothing was added. */
  finish(): Clip {
    if (this.#parts.length === 0) {
      throw new AppError("not_found", "there is no video of this camera in this range");
    }
    const isTrimmed = this.range.cut === "exact" && this.range.toMs < this.#endTimeMs;
    const endSeconds = isTrimmed ? this.#wallToSeconds(this.range.toMs) : undefined;
    const ftyp = writeFileType(this.#index.init);
    const mdat = writeLargeBoxHeader("mdat", this.#index.fragmentsSizeBytes);
    const moov = writeOuterMoov(this.#index, this.#startTimeMs, endSeconds);
    placeFragments(moov, ftyp.length + moov.length + mdat.length);
    const front = Buffer.concat([ftyp, moov, mdat]);
    this.#fingerprint.update(JSON.stringify([this.#startTimeMs, endSeconds ?? null]));
    const { endCompositionTime, firstCompositionTime, track } = this.#index.video;
    const presented = endSeconds ?? endCompositionTime / track.timescale;
    return {
      parts: [{ kind: "bytes", bytes: front }, ...this.#parts],
      sizeBytes: front.length + this.#index.fragmentsSizeBytes,
      etag: `"${this.#fingerprint.digest("hex")}"`,
      startTimeMs: Math.round(this.#startTimeMs),
      endTimeMs: Math.round(isTrimmed ? this.range.toMs : this.#endTimeMs),
      durationMs: Math.round(1000 * (presented - Math.max(0, firstCompositionTime / track.timescale))),
    };
  }

  #checkSameCoding(source: ClipSource): void {
    const theirs = source.file.init.tracks;
    const same =
      theirs.length === this.#tracks.length &&
      this.#tracks.every((track, i) => {
        const other = theirs[i]!;
        return (
          other.trackId === track.trackId &&
          other.timescale === track.timescale &&
          Buffer.compare(other.sampleDescription, track.sampleDescription) === 0
        );
      });
    if (same) return;
    const at = new Date(source.startTimeMs).toISOString();
    throw new AppError(
      "conflict",
      `the camera's picture or sound is coded otherwise from ${at} on; export up to then and from then on`,
    );
  }

  /** Seconds on the clip's time line at which the first picture of a source is presented. */
  #placeOf(wallStartMs: number): number {
    if (this.#parts.length > 0) {
      const { video } = this.#index;
      return video.endCompositionTime / video.track.timescale;
    }
    const isTrimmed = this.range.cut === "exact" && this.range.fromMs > wallStartMs;
    this.#startTimeMs = isTrimmed ? this.range.fromMs : wallStartMs;
    return (wallStartMs - this.#startTimeMs) / 1000;
  }

  #place(range: FragmentRange, positions: readonly TrackPosition[], shift: number): ParsedFragment {
    const tracks: TrackFragment[] = [];
    for (const position of positions) {
      const table = this.#index.tableOf(position.columns.trackId);
      const track = position.take(range, shift, table.sampleCount > 0 ? table.endDecodeTime : undefined);
      if (track !== undefined) tracks.push(track);
    }
    const video = tracks.find((track) => track.trackId === this.#index.init.video.trackId);
    return {
      sequenceNumber: 0,
      sizeBytes: range.sizeBytes,
      tracks,
      hasVideo: video !== undefined,
      startsWithKeyframe: range.startsWithKeyframe,
      videoDecodeTime: video?.baseDecodeTime ?? 0,
      videoDurationTicks: video?.durationTicks ?? 0,
      videoDurationMs: 0,
    };
  }
}

/** The fragments that a range needs, from a keyframe on. */
function chooseFragments(source: ClipSource, { fromMs, toMs }: Cut) {
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

/** How far a track of a source has been taken over. */
class TrackPosition {
  #next = 0;
  /** Ticks from the track's first sample to the next one. */
  #decodeTicks = 0;

  /** Skips the samples before `startOffset` of the file. */
  constructor(
    readonly columns: SampleColumns,
    readonly isVideo: boolean,
    startOffset: number,
  ) {
    while (this.#next < columns.sampleCount && columns.offsets[this.#next]! < startOffset) this.#skip();
  }

  #skip(): void {
    this.#decodeTicks += this.columns.durations[this.#next++]!;
  }

  get #halfSampleSeconds(): number {
    return this.columns.durations[this.#next]! / this.columns.timescale / 2;
  }

  /** On the time line of the source's movie, of the next sample. */
  get decodeSeconds(): number {
    return this.columns.decodeStartSeconds + this.#decodeTicks / this.columns.timescale;
  }

  /** The earliest presentation among the samples before `endOffset`, on the time line of the source's movie. */
  firstPresentationSeconds(endOffset: number): number {
    const { columns } = this;
    let earliest = Number.POSITIVE_INFINITY;
    let ticks = this.#decodeTicks;
    for (let i = this.#next; i < columns.sampleCount && columns.offsets[i]! < endOffset; i++) {
      earliest = Math.min(earliest, ticks + columns.compositionOffsets[i]!);
      ticks += columns.durations[i]!;
    }
    if (earliest === Number.POSITIVE_INFINITY) throw corrupt("a fragment has no picture");
    return columns.decodeStartSeconds + earliest / columns.timescale;
  }

  /**
   * The samples of a fragment, `shift` seconds later than in the source, but not before `notBefore` ticks: sound that
   * began before the picture of its run did is left out where other sound still plays.
   */
  take(range: FragmentRange, shift: number, notBefore: number | undefined): TrackFragment | undefined {
    const { columns } = this;
    const end = range.offset + range.sizeBytes;
    const isInside = () => this.#next < columns.sampleCount && columns.offsets[this.#next]! < end;
    if (!this.isVideo && notBefore !== undefined) {
      const seconds = notBefore / columns.timescale - shift;
      while (isInside() && this.decodeSeconds + this.#halfSampleSeconds < seconds) this.#skip();
    }
    const begin = this.#next;
    const base = Math.round((shift + this.decodeSeconds) * columns.timescale);
    while (isInside()) {
      const offset = columns.offsets[this.#next]!;
      if (offset < range.offset || offset + columns.sizes[this.#next]! > end) {
        throw corrupt("a sample of the index is in none of the fragments");
      }
      this.#skip();
    }
    if (this.#next === begin) return undefined;
    const baseDecodeTime = Math.max(base, notBefore ?? base);
    const compositionOffsets = columns.compositionOffsets.slice(begin, this.#next);
    // A decode time that had to give way must not move the picture.
    const late = baseDecodeTime - base;
    if (this.isVideo) for (let i = 0; i < compositionOffsets.length; i++) compositionOffsets[i]! -= late;
    const durations = columns.durations.subarray(begin, this.#next);
    const offsets = new Uint32Array(durations.length);
    let durationTicks = 0;
    for (let i = 0; i < durations.length; i++) {
      offsets[i] = columns.offsets[begin + i]! - range.offset;
      durationTicks += durations[i]!;
    }
    return {
      trackId: columns.trackId,
      sampleDescriptionIndex: columns.descriptions[begin]!,
      baseDecodeTime,
      durationTicks,
      sampleCount: this.#next - begin,
      durations,
      sizes: columns.sizes.subarray(begin, this.#next),
      compositionOffsets,
      sync: columns.sync.subarray(begin, this.#next),
      offsets,
    };
  }
}
