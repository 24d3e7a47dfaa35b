import { runChild } from "../../../common/child-process.ts";
import { AppError } from "../../../common/errors.ts";
import { corrupt, readBox } from "../../../common/mp4/boxes.ts";
import { type InitSegment, parseInitSegment } from "../../../common/mp4/init-segment.ts";
import { StreamSplitter } from "../../../common/mp4/stream-splitter.ts";
import { type PartTrack, readPart, type Sample } from "./part-samples.ts";
import type { Picture } from "./quality.ts";
import { transcodeArgv } from "./transcode-argv.ts";
import { writeInit } from "./write-init.ts";
import { writeFragments, writePart } from "./write-part.ts";

/** Many times what a part lasts: a machine that takes longer shows nothing anyway. */
const defaultDeadlineMs = 30_000;
const maxOutputBytes = 64 * 1024 * 1024;

export interface TranscodeOptions {
  ffmpeg: string;
  picture: Picture;
  signal: AbortSignal;
  deadlineMs?: number | undefined;
}

/** A part of an archived file: `(moof mdat)*`. */
export interface SourcePart {
  initBytes: Uint8Array;
  bytes: Uint8Array;
  /** The part before it, when pictures of this one need pictures of that one. */
  before?: Uint8Array | undefined;
}

/**
 * The part in another picture: a fragment from each keyframe on, to be played with {@link transcodeInit}. Every picture is decoded
 * and shown when it was, and the sound is the recorded one, so parts of any quality follow each other without a seam.
 * A picture that cannot be decoded is left out, and the one before it stands longer.
 *
 * Throws `corrupt_file` where there is nothing to decode, `timeout`, `cancelled`, and `unavailable` without ffmpeg.
 */
export async function transcodePart(source: SourcePart, options: TranscodeOptions): Promise<Uint8Array> {
  const init = parseInitSegment(source.initBytes);
  const { sequenceNumber, fragmentCount, tracks } = readPart(source.bytes, init);
  const recorded = tracks.find(({ trackId }) => trackId === init.video.trackId);
  if (recorded === undefined) throw corrupt("a part has no picture");
  const shown = recorded.samples.map(({ compositionTime }) => compositionTime).sort((a, b) => a - b);
  const { parts, delayTicks } = withoutNegativeOffsets(
    [...(source.before ? [source.before] : []), source.bytes],
    init,
  );
  const made = await run([source.initBytes, ...parts], init, {
    ...options,
    ...(source.before && shown[0] !== undefined && { fromTicks: shown[0] + delayTicks }),
  });
  for (const sample of made.samples) sample.compositionTime -= delayTicks;
  const video: PartTrack = {
    trackId: recorded.trackId,
    sampleDescriptionIndex: 1,
    samples: placeSamples(made.samples, recorded.samples, shown),
  };
  return writeFragments([video, ...tracks.filter((track) => track !== recorded)], {
    sequenceNumber,
    // The numbers of the next part go on from those of the recorded one.
    most: fragmentCount,
    timescales: new Map(init.tracks.map(({ trackId, timescale }) => [trackId, timescale])),
  });
}

/** The init segment for {@link transcodePart}, from one that has the video's first picture in it. Throws what that throws. */
export async function transcodeInit(source: SourcePart, options: TranscodeOptions): Promise<Uint8Array> {
  const init = parseInitSegment(source.initBytes);
  const firstFragment = source.bytes.subarray(0, readBox(source.bytes, readBox(source.bytes).end).end);
  const made = await run([source.initBytes, firstFragment], init, { ...options, isFirstOnly: true });
  return writeInit(init, made.init.video, options.picture);
}

/**
 * The n-th picture shown is decoded when the n-th recorded one is: both lists go up, and a picture that is shown when
 * it was recorded to be is never decoded after that.
 */
function placeSamples(
  made: readonly Sample[],
  recorded: readonly Sample[],
  shown: readonly number[],
): Sample[] {
  const placeOf = new Map(shown.map((time, i) => [time, i]));
  const placed = made.flatMap((sample): Sample[] => {
    const own = recorded[placeOf.get(sample.compositionTime) ?? -1];
    if (own === undefined) return [];
    return [{ ...sample, decodeTime: own.decodeTime, durationTicks: own.durationTicks }];
  });
  const [first, last] = [placed[0], placed.at(-1)];
  const end = recorded.at(-1);
  if (first === undefined || last === undefined || end === undefined)
    throw corrupt("no picture of a part can be decoded");
  if (!first.isSync) throw new AppError("internal", "a transcoded part does not start with a keyframe");
  last.durationTicks = end.decodeTime + end.durationTicks - last.decodeTime;
  return placed;
}

/**
 * The same pictures, all shown later by so much that none is shown before it is decoded. Where some are, ffmpeg would
 * delay them itself, from the first such one on.
 */
function withoutNegativeOffsets(
  parts: readonly Uint8Array[],
  init: InitSegment,
): { parts: readonly Uint8Array[]; delayTicks: number } {
  const videos = parts.map((bytes) => {
    const { sequenceNumber, tracks } = readPart(bytes, init);
    return { sequenceNumber, video: tracks.filter(({ trackId }) => trackId === init.video.trackId) };
  });
  let delayTicks = 0;
  const samples = videos.flatMap(({ video }) => video.flatMap((track) => track.samples));
  for (const { decodeTime, compositionTime } of samples) {
    delayTicks = Math.max(delayTicks, decodeTime - compositionTime);
  }
  if (delayTicks === 0) return { parts, delayTicks };
  for (const sample of samples) sample.compositionTime += delayTicks;
  return { parts: videos.map(({ video, sequenceNumber }) => writePart(video, sequenceNumber)), delayTicks };
}

async function run(
  input: readonly Uint8Array[],
  { video: { timescale } }: InitSegment,
  options: TranscodeOptions & { fromTicks?: number | undefined; isFirstOnly?: boolean },
): Promise<{ init: InitSegment; samples: Sample[] }> {
  const { deadlineMs = defaultDeadlineMs, signal } = options;
  const exit = await runChild({
    argv: transcodeArgv({ ...options, timescale }),
    stdin: Buffer.concat(input),
    timeoutMs: deadlineMs,
    maxOutputBytes,
    signal,
  });
  if (signal.aborted) throw new AppError("cancelled", "nobody waits for it any more");
  const details = { stderr: exit.stderrTail };
  if (exit.exitCode === 127) throw new AppError("unavailable", "there is no ffmpeg", { details });
  if (exit.exitCode !== 0)
    throw corrupt(`ffmpeg cannot transcode a part: ${lastLine(exit.stderrTail)}`, details);

  const samples: Sample[] = [];
  let init: InitSegment | undefined;
  for (const unit of new StreamSplitter().push(exit.stdout)) {
    if (unit.kind === "init") init = unit.init;
    else if (init)
      for (const track of readPart(unit.fragment.bytes, init).tracks) samples.push(...track.samples);
  }
  if (init === undefined || samples.length === 0) throw corrupt("ffmpeg found no picture in a part", details);
  if (init.video.timescale !== timescale) {
    throw new AppError("internal", `ffmpeg counts ${init.video.timescale} ticks instead of ${timescale}`);
  }
  return { init, samples };
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}
