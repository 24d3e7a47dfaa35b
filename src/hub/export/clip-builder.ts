import type { FragmentRange } from "../../common/mp4/archive-file.ts";
import { writeFileType } from "../../common/mp4/archive-file.ts";
import { writeLargeBoxHeader } from "../../common/mp4/box-writer.ts";
import { corrupt } from "../../common/mp4/boxes.ts";
import type { ParsedFragment, TrackFragment } from "../../common/mp4/fragment.ts";
import type { InitSegment, Track } from "../../common/mp4/init-segment.ts";
import { placeFragments, writeOuterMoov } from "../../common/mp4/outer-moov.ts";
import { SegmentIndex } from "../../common/mp4/segment-index.ts";
import {
  type Clip,
  type ClipPart,
  type ClipRange,
  type ClipSource,
  checkSameCoding,
  chooseFragments,
  clipFingerprint,
  emptyClip,
} from "./clip.ts";
import type { SampleColumns } from "./sample-columns.ts";
import { TrackPosition } from "./track-position.ts";

/** With the samples of its outer index. */
export interface SampledSource extends ClipSource {
  columns: readonly SampleColumns[];
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
  readonly #fingerprint;
  #startTimeMs = 0;
  #endTimeMs = 0;
  /** Where the last source's wall time lies on the clip's time line. */
  #wallToSeconds = (_wallMs: number) => 0;

  constructor(
    init: InitSegment,
    readonly range: ClipRange,
  ) {
    // Its samples are put on the clip's own time line, so the edits of the recording do not apply.
    this.#tracks = init.tracks.map((track) => ({ ...track, mediaTime: 0, emptyEditDuration: 0 }));
    const video = this.#tracks.find((track) => track.trackId === init.video.trackId)!;
    this.#index = new SegmentIndex({ ...init, tracks: this.#tracks, video });
    this.#fingerprint = clipFingerprint("mp4", range.cut);
  }

  /**
   * Answers false when the range has nothing of it. Throws `conflict` where picture or sound are coded otherwise than
   * in what is there (one MP4 cannot be both for most players), `corrupt_file`, and `invalid_input` for a clip with
   * more samples than an index may have.
   */
  add(source: SampledSource): boolean {
    checkSameCoding(this.#tracks, source);
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
    const { filePath, videoId } = source;
    this.#parts.push({
      ...{ kind: "file", filePath, videoId, fileSizeBytes: source.file.sizeBytes },
      ...{ start: first.offset, end },
    });
    this.#fingerprint.update(JSON.stringify([source.fileSha256, first.offset, end]));
    this.#endTimeMs = chosen.wallEndMs;
    return true;
  }

  /** Throws `not_found` when nothing was added. */
  finish(): Clip {
    if (this.#parts.length === 0) throw emptyClip();
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
