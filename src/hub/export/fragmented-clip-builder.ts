import type { FragmentRange } from "../../common/mp4/archive-file.ts";
import { corrupt } from "../../common/mp4/boxes.ts";
import type { InitSegment, Track } from "../../common/mp4/init-segment.ts";
import { maxReferences, type Subsegment, writeSidx } from "../../common/mp4/sidx.ts";
import {
  type Clip,
  type ClipRange,
  checkSameCoding,
  chooseFragments,
  clipFingerprint,
  emptyClip,
  type FilePart,
} from "./clip.ts";
import type { SampledSource } from "./clip-builder.ts";
import { writeClipInit } from "./clip-init.ts";
import type { SampleColumns } from "./sample-columns.ts";
import { TrackPosition } from "./track-position.ts";

/** Two fragments of a run whose times meet this closely stay as far apart as they are. */
const maxHoleSeconds = 0.1;

/**
 * Puts a clip together from the fragments of archived videos, given in the order of time: an init segment, an index
 * (`sidx`) and the fragments, of which nothing but the decode times is changed. Times that no video covers are left out.
 */
export class FragmentedClipBuilder {
  readonly #parts: FilePart[] = [];
  readonly #subsegments: Subsegment[] = [];
  readonly #fingerprint = clipFingerprint("fmp4", "keyframe");
  /**
   * Where in decode time the first picture is presented: what is decoded before it is shown, and sound that lies before
   * the picture of its fragment, must not get a time below 0.
   */
  #leadSeconds = 0;
  #startTimeMs = 0;
  #endTimeMs = 0;
  /** The source before: its run, where it ended on the run's time line, from there to the clip's, and its samples. */
  #last:
    | { runId: string; endTicks: number; shift: number; firstTicks: number; samples: SampleSpan }
    | undefined;

  constructor(
    readonly init: InitSegment,
    readonly range: Pick<ClipRange, "fromMs" | "toMs">,
  ) {}

  /** Answers false when the range has nothing of it. Throws `conflict` where picture or sound are coded otherwise. */
  add(source: SampledSource): boolean {
    checkSameCoding(this.init.tracks, source, { sameDefaults: true });
    const chosen = chooseFragments(source, this.range);
    if (chosen === undefined) return false;
    const { fragments } = chosen;
    const { runId } = source.file.identity;
    const { timescale } = this.init.video;
    const [first, end] = [fragments[0]!, fragments.at(-1)!];

    const samples = new SampleSpan(source, fragments, this.init);
    const last = this.#last;
    if (last === undefined) this.#leadSeconds = samples.leadSeconds;
    const hole = last === undefined ? 0 : first.startTicks - last.endTicks;
    const continues = runId === last?.runId && Math.abs(hole) <= maxHoleSeconds * timescale;
    const shift = continues ? last.shift : this.#placeOf(samples) - first.startTicks;
    this.#last = {
      runId,
      endTicks: end.startTicks + end.durationTicks,
      shift,
      firstTicks: first.startTicks,
      samples,
    };
    for (const fragment of fragments) {
      this.#subsegments.push({ ...fragment, startTicks: fragment.startTicks + shift });
    }

    const { filePath, videoId } = source;
    const part = { filePath, videoId, start: first.offset, end: end.offset + end.sizeBytes };
    const fragmentOffsets = Float64Array.from(fragments, ({ offset }) => offset);
    const deltas = deltasOf(source.file.init, shift / timescale + this.#leadSeconds);
    this.#parts.push({
      kind: "file",
      ...part,
      fileSizeBytes: source.file.sizeBytes,
      retime: { fragmentOffsets, deltas },
    });
    this.#fingerprint.update(JSON.stringify([source.fileSha256, part.start, part.end, [...deltas]]));
    if (this.#parts.length === 1) this.#startTimeMs = chosen.wallStartMs;
    this.#endTimeMs = chosen.wallEndMs;
    return true;
  }

  /** Where on the clip's time line the first picture of a run is presented: when the one before ends, pictures and sound. */
  #placeOf(samples: SampleSpan): number {
    if (this.#last === undefined) return 0;
    const { endTicks, shift, samples: before, firstTicks } = this.#last;
    const seconds = before.secondsTo(samples);
    return Math.max(endTicks + shift, firstTicks + shift + Math.ceil(seconds * this.init.video.timescale));
  }

  /** Throws `not_found` when nothing was added. */
  finish(): Clip {
    if (this.#last === undefined) throw emptyClip();
    const { video } = this.init;
    const endTicks = this.#last.endTicks + this.#last.shift;
    const durationSeconds = endTicks / video.timescale;
    const init = writeClipInit(this.init, { leadSeconds: this.#leadSeconds, durationSeconds });
    const front = Buffer.concat([init, writeSidx(video, joined(this.#subsegments, endTicks))]);
    return {
      parts: [{ kind: "bytes", bytes: front }, ...this.#parts],
      sizeBytes: this.#parts.reduce((sum, { start, end }) => sum + end - start, front.length),
      etag: `"${this.#fingerprint.digest("hex")}"`,
      startTimeMs: Math.round(this.#startTimeMs),
      endTimeMs: Math.round(this.#endTimeMs),
      durationMs: Math.round(durationSeconds * 1000),
    };
  }
}

/** When the samples of a source are decoded, by track, from its first picture on. */
class SampleSpan {
  readonly #spans = new Map<number, { startSeconds: number; endSeconds: number }>();

  constructor(source: SampledSource, fragments: readonly FragmentRange[], { video }: InitSegment) {
    const [first, last] = [fragments[0]!, fragments.at(-1)!];
    const at = (columns: SampleColumns, offset: number) =>
      new TrackPosition(columns, columns.trackId === video.trackId, offset);
    const pictures = source.columns.find(({ trackId }) => trackId === video.trackId);
    if (pictures === undefined) throw corrupt("the index has no video");
    const origin = at(pictures, first.offset).firstPresentationSeconds(first.offset + first.sizeBytes);
    for (const columns of source.columns) {
      this.#spans.set(columns.trackId, {
        startSeconds: at(columns, first.offset).decodeSeconds - origin,
        endSeconds: at(columns, last.offset + last.sizeBytes).decodeSeconds - origin,
      });
    }
  }

  /** How long before the first picture is presented the first sample is decoded. */
  get leadSeconds(): number {
    return Math.max(0, ...[...this.#spans.values()].map(({ startSeconds }) => -startSeconds));
  }

  /** How long after its first picture that of `next` can be, so that in no track the decode times go back. */
  secondsTo(next: SampleSpan): number {
    let seconds = 0;
    for (const [trackId, { endSeconds }] of this.#spans) {
      const start = next.#spans.get(trackId)?.startSeconds ?? 0;
      seconds = Math.max(seconds, endSeconds - start);
    }
    return seconds;
  }
}

/** From the time line of a run, with its edits, to the clip's: `shiftSeconds` later. */
function deltasOf(init: InitSegment, shiftSeconds: number): Map<number, number> {
  const deltaOf = ({ timescale, mediaTime, emptyEditDuration }: Track) => {
    const emptySeconds = emptyEditDuration / init.movieTimescale;
    return Math.round((shiftSeconds + emptySeconds) * timescale) - mediaTime;
  };
  return new Map(init.tracks.map((track) => [track.trackId, deltaOf(track)]));
}

/** Each up to the next one, and neighbours together where an index cannot have so many. */
function joined(subsegments: readonly Subsegment[], endTicks: number): Subsegment[] {
  const perReference = Math.ceil(subsegments.length / maxReferences);
  const groups: Subsegment[] = [];
  for (let i = 0; i < subsegments.length; i += perReference) {
    const group = subsegments.slice(i, i + perReference);
    const nextTicks = subsegments[i + perReference]?.startTicks ?? endTicks;
    groups.push({
      ...group[0]!,
      sizeBytes: group.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      durationTicks: Math.max(0, nextTicks - group[0]!.startTicks),
    });
  }
  return groups;
}
