import type { Clock } from "../../../common/clock.ts";
import { AppError } from "../../../common/errors.ts";
import { type InitSegment, parseInitSegment } from "../../../common/mp4/init-segment.ts";
import type { LiveInit, LiveViewer } from "../live-viewer.ts";
import { formatLivePlaylist } from "./format-live-playlist.ts";
import { type LiveMap, type LivePart, parseWholeFragment } from "./live-part.ts";

/** What is counted on when a camera is watched again, so that no number comes twice. */
export interface LiveNumbers {
  nextSequence: number;
  discontinuities: number;
}

export interface LiveRingOptions {
  cameraId: string;
  numbers: LiveNumbers;
  clock: Clock;
  /** Most bytes of fragments, all in all. */
  maxBytes: number;
  /** Bytes that are taken or, negative, given back; false refuses them. */
  reserve: (bytes: number) => boolean;
  /** Something changed: a fragment, or that none comes. */
  onNews: () => void;
}

/** Fewer, and players run dry before they read the playlist again. */
export const fewestParts = 3;
/** A player that lost the network for some seconds finds its place again. */
const leastPlaylistSeconds = 8;
/** A camera that gave nothing for so long, or for three target durations, has stopped. */
const staleMs = 10_000;
/** Fragments of one run follow each other; more between two than this, in seconds, is a hole. */
const holeSeconds = 0.1;
/** How fast wall and media time may part, in ms per ms of media. */
const slew = 0.001;

/** The newest fragments of a camera, for players that fetch them one by one. */
export class LiveRing implements LiveViewer {
  readonly #options: LiveRingOptions;
  readonly #parts: LivePart[] = [];
  #bytes = 0;
  #targetSeconds = 0;
  #run: { init: InitSegment; map: LiveMap } | undefined;
  /** Decode time in ticks at which a fragment would continue the last; undefined when none can. */
  #expectedTicks: number | undefined;
  /** Wall time of the run's media time 0, as the quickest of its fragments tell. */
  #anchorMs: number | undefined;
  #away: string | undefined;
  /** Monotonic time of the last fragment. */
  #newestAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: LiveRingOptions) {
    this.#options = options;
  }

  /** For what is watched again later. */
  get numbers(): LiveNumbers {
    return this.#options.numbers;
  }

  get partCount(): number {
    return this.#parts.length;
  }

  /** Why nothing comes; undefined while something does. */
  get away(): string | undefined {
    return this.#away;
  }

  onInit(init: LiveInit): void {
    this.#run = undefined;
    this.#expectedTicks = undefined;
    this.#anchorMs = undefined;
    try {
      const name = `init-${this.#options.numbers.nextSequence}.mp4`;
      this.#run = { init: parseInitSegment(init.bytes), map: { name, bytes: init.bytes } };
    } catch (error) {
      this.#refuse(error);
    }
  }

  onFragment(bytes: Uint8Array<ArrayBuffer>, startsWithKeyframe: boolean): void {
    const run = this.#run;
    // A player begins anywhere a discontinuity is, so that is with a keyframe.
    if (run === undefined || (this.#expectedTicks === undefined && !startsWithKeyframe)) return;
    try {
      const fragment = parseWholeFragment(bytes, run.init);
      // Sound alone, as a run may end with.
      if (fragment.videoDurationTicks > 0) this.#add(bytes, fragment, run);
    } catch (error) {
      this.#expectedTicks = undefined;
      this.#refuse(error);
    }
  }

  /** What is kept goes, too: a paused camera gives no picture. */
  onStopped(): void {
    this.clear();
    this.#run = undefined;
    this.onAway("the camera is paused: it gives no picture");
  }

  onAway(detail: string): void {
    this.#away = detail;
    this.#options.onNews();
  }

  /** Throws `unavailable` while there is none. */
  playlist(): string {
    const { cameraId } = this.#options;
    const parts = this.#newest(this.#playlistSeconds);
    if (parts.length === 0 || this.#isStale) {
      throw new AppError("unavailable", this.#away ?? "the camera gives no pictures now");
    }
    return formatLivePlaylist({ cameraId, parts, targetSeconds: this.#targetSeconds });
  }

  /** A part or an init segment by the name that the playlist gives it. */
  bytesOf(name: string): Uint8Array<ArrayBuffer> | undefined {
    const part = this.#parts.find(({ sequence, map }) => name === `${sequence}.m4s` || name === map.name);
    return part?.map.name === name ? part.map.bytes : part?.bytes;
  }

  /** Gives all of it back. */
  clear(): void {
    this.#drop(this.#parts.length);
  }

  #add(
    bytes: Uint8Array<ArrayBuffer>,
    fragment: ReturnType<typeof parseWholeFragment>,
    { init, map }: { init: InitSegment; map: LiveMap },
  ): void {
    const { numbers, clock, reserve, maxBytes, onNews } = this.#options;
    const { timescale } = init.video;
    const { videoDecodeTime, videoDurationTicks, videoDurationMs, startsWithKeyframe } = fragment;
    const expected = this.#expectedTicks ?? Number.NEGATIVE_INFINITY;
    const isDiscontinuous = Math.abs(videoDecodeTime - expected) > holeSeconds * timescale;
    if (isDiscontinuous) {
      // Without the fragments before it there is nothing to decode the rest of a picture group with.
      if (!startsWithKeyframe) {
        this.#expectedTicks = undefined;
        return;
      }
      numbers.discontinuities++;
    }
    // Nobody waits for what is of minutes ago.
    if (this.#isStale) this.clear();
    while (this.#bytes + bytes.byteLength > maxBytes && this.#parts.length > 0) this.#drop(1);
    while (!reserve(bytes.byteLength)) {
      if (this.#parts.length === 0) {
        this.#expectedTicks = undefined;
        return;
      }
      this.#drop(1);
    }
    this.#bytes += bytes.byteLength;
    const endMs = ((videoDecodeTime + videoDurationTicks) * 1000) / timescale;
    const offsetMs = clock.wallMs() - endMs;
    this.#anchorMs = Math.min(offsetMs, (this.#anchorMs ?? offsetMs) + slew * videoDurationMs);
    this.#parts.push({
      ...{ sequence: numbers.nextSequence++, discontinuities: numbers.discontinuities },
      ...{ seconds: videoDurationMs / 1000, startTimeMs: this.#anchorMs + endMs - videoDurationMs },
      ...{ startsWithKeyframe, map, bytes },
    });
    this.#expectedTicks = videoDecodeTime + videoDurationTicks;
    this.#away = undefined;
    this.#newestAtMs = clock.monotonicMs();
    // It may not change, but a camera whose keyframes become rarer leaves no choice. GStreamer compares unrounded.
    this.#targetSeconds = Math.max(this.#targetSeconds, Math.ceil(videoDurationMs / 1000 - 0.001), 1);
    this.#forgetOld();
    onNews();
  }

  get #isStale(): boolean {
    const silentMs = this.#options.clock.monotonicMs() - this.#newestAtMs;
    return silentMs > Math.max(staleMs, 3000 * this.#targetSeconds);
  }

  /** Never less than three target durations (6.2.2). */
  get #playlistSeconds(): number {
    return Math.max(leastPlaylistSeconds, 4 * this.#targetSeconds);
  }

  /** What has left the playlist can be fetched for as long again (6.2.2). */
  #forgetOld(): void {
    const kept = this.#newest(2 * this.#playlistSeconds + this.#targetSeconds).length;
    this.#drop(this.#parts.length - kept);
  }

  /** The newest parts that are so long together. */
  #newest(seconds: number): LivePart[] {
    let index = this.#parts.length;
    for (let sum = 0; index > 0 && sum < seconds; ) sum += this.#parts[--index]?.seconds ?? 0;
    return this.#parts.slice(index);
  }

  #drop(count: number): void {
    const bytes = this.#parts.splice(0, count).reduce((sum, part) => sum + part.bytes.byteLength, 0);
    this.#bytes -= bytes;
    if (bytes > 0) this.#options.reserve(-bytes);
  }

  /** What no player could play goes to none. */
  #refuse(error: unknown): void {
    if (!(error instanceof AppError) || error.code !== "corrupt_file") throw error;
    this.onAway(`what the camera's node sends cannot be played: ${error.message}`);
  }
}
