import Hls, { type LevelDetails } from "hls.js/light";
import { localDateOf, startOfLocalDay } from "../../../../common/time-zone.ts";
import { FrameWatch } from "./frame-watch.ts";
import { GrowingPlaylist } from "./growing-playlist.ts";
import { bufferSeconds, hlsSettings, playlistLoader } from "./hls-settings.ts";
import { findMoment, planStretches, type Stretch, wallOf } from "./plan-media-clock.ts";
import type { View } from "./plan-view.ts";
import type { PlayerNote } from "./player-note.ts";
import { isoOf } from "./timeline-data.ts";
import { wallMs } from "./wall-clock.ts";
import type { Failure } from "./words.ts";

const hourMs = 3_600_000;
/** A day and what comes after it: playing goes on over midnight. */
const windowMs = 26 * hourMs;
/** Before the moment that is asked for: a playlist of what is on the edge is read anew as often as it grows. */
const edgeBackMs = 5 * 60_000;
const holeSeconds = 0.5;
/** Until what does not come is asked for again, when hls.js has given it up. */
const askAgainMs = 3_000;
/** As long as what is buffered already needs to be shown. */
const holeMs = 100;

/** What happens on a stage; times in ms since 1970 UTC. */
export interface StageEvents {
  /** What of a range can be played in one go: players cannot begin or end to have sound on their way. */
  playableIn(atMs: number, range: View): View;
  /** The mapping of times is known, or has grown. */
  onLoaded?(): void;
  /** Nothing can be shown; what was to be is still `atMs`, and `show` tries it again. */
  onFailed(why: Failure, wasPlaying: boolean): void;
}

/** One camera's video, played by the clock on the wall. */
export class CameraStage {
  readonly cameraId: string;
  readonly video: HTMLVideoElement;
  readonly frames: FrameWatch;
  readonly #timeZone: string;
  readonly #events: StageEvents;
  readonly #note: Pick<PlayerNote, "sayUnanswered" | "sayAnswered">;
  #hls: Hls | undefined;
  #stretches: Stretch[] = [];
  #details: LevelDetails | undefined;
  #window: View | undefined;
  #quality = "source";
  /** The playlist has what is still on the edge, too. */
  #withEdge = false;
  #growing: GrowingPlaylist | undefined;
  readonly #isOnEdge: (atMs: number) => boolean;
  /** Where to be as soon as the playlist is there. */
  #wantedMs: number | undefined;
  #recoveries = 0;
  /** Since the last part that came. */
  #isUnanswered = false;
  #askingAgain: ReturnType<typeof setTimeout> | undefined;

  constructor(options: {
    cameraId: string;
    timeZone: string;
    video: HTMLVideoElement;
    events: StageEvents;
    /** Is told when it stands as no answer comes, and when it does not any more: it goes on by itself. */
    note: Pick<PlayerNote, "sayUnanswered" | "sayAnswered">;
    /** Whether a moment is recorded and not archived yet. */
    isOnEdge: (atMs: number) => boolean;
  }) {
    this.cameraId = options.cameraId;
    this.#timeZone = options.timeZone;
    this.video = options.video;
    this.#events = options.events;
    this.#note = options.note;
    this.#isOnEdge = options.isOnEdge;
    this.frames = new FrameWatch(this.video, () => this.#hasMore());
    this.video.addEventListener("seeking", () => setTimeout(() => this.#leaveHole(), holeMs));
    this.video.addEventListener("waiting", () => this.#tellStanding());
    this.video.addEventListener("canplay", () => this.#note.sayAnswered());
    for (const arrived of ["loadeddata", "seeked"]) {
      this.video.addEventListener(arrived, () => {
        if (this.#details) this.#wantedMs = undefined;
      });
    }
  }

  /** When what is seen, or is about to be, was; undefined before anything was asked for. */
  get atMs(): number | undefined {
    if (this.#wantedMs !== undefined) return this.#wantedMs;
    return wallOf(this.#stretches, this.video.currentTime);
  }

  get quality(): string {
    return this.#quality;
  }

  /** Shows a moment; where it is not there, the next one that is. `clickedAt`: of `performance.now()`, to measure. */
  show(atMs: number, clickedAt?: number): void {
    if (clickedAt !== undefined) this.frames.expectFrame(clickedAt);
    const isInside = this.#window && atMs >= this.#window.fromMs && atMs < this.#window.toMs;
    const isOnEdge = this.#isOnEdge(atMs);
    const isNew = isOnEdge && !(this.#withEdge && atMs < (this.endMs ?? 0));
    const found = isInside && !isNew ? findMoment(this.#stretches, atMs) : undefined;
    if (found && this.#details) {
      this.#wantedMs = undefined;
      this.video.currentTime = found.seconds;
      return;
    }
    this.#wantedMs = atMs;
    // It is on its way, and goes there when it is here.
    if (isInside && !isNew && !this.#details) return;
    this.#withEdge = isOnEdge;
    this.#load(atMs);
  }

  /** A frame of its own on the left or right of the one that is seen. */
  step(direction: 1 | -1, fps: number): void {
    const { currentTime } = this.video;
    const seen = this.frames.shownSeconds;
    // Right after a jump, what is seen is still where it came from.
    const isHere = seen !== undefined && Math.abs(seen - currentTime) < 2 / fps;
    const shown = isHere ? seen : currentTime;
    // The middle of the frame: its beginning may be rounded to the one before.
    this.video.currentTime = Math.max(0, shown + (direction === 1 ? 1.5 : -0.5) / fps);
  }

  setRate(rate: number): void {
    this.video.playbackRate = rate;
    if (this.#hls) this.#hls.config.maxBufferLength = bufferSeconds * Math.max(1, rate);
  }

  setQuality(quality: string): void {
    const atMs = this.atMs;
    this.#quality = quality;
    if (atMs === undefined) return;
    this.#wantedMs = atMs;
    this.#load(atMs);
  }

  /** More was archived: where the playlist is one that grows, it is read again. */
  readOn(): void {
    const hls = this.#hls;
    const levelInfo = hls?.levels[hls.loadLevel];
    if (!hls || !levelInfo || !this.#details?.live) return;
    // By itself hls.js waits for as long as a segment is.
    const { loadLevel: level } = hls;
    const what = {
      url: levelInfo.uri,
      level,
      levelInfo,
      pathwayId: undefined,
      id: 0,
      deliveryDirectives: null,
    };
    hls.trigger(Hls.Events.LEVEL_LOADING, what);
  }

  /** It grows with what the camera records, as that is still on its way. */
  get followsEdge(): boolean {
    return this.#withEdge && this.#details?.live === true;
  }

  get hasFailed(): boolean {
    return this.#hls === undefined;
  }

  /** Newest moment that the playlist has. */
  get endMs(): number | undefined {
    const last = this.#stretches.at(-1);
    return last && last.wallMs + last.seconds * 1000;
  }

  destroy(): void {
    clearTimeout(this.#askingAgain);
    this.#hls?.destroy();
    this.#hls = undefined;
  }

  /** The first picture of a run may come some milliseconds after its sound; a player that stands would wait before it. */
  #leaveHole(): void {
    const { video } = this;
    if (!video.seeking || video.readyState >= 2) return;
    for (let i = 0; i < video.buffered.length; i++) {
      const start = video.buffered.start(i);
      if (start <= video.currentTime || start > video.currentTime + holeSeconds) continue;
      video.currentTime = start + 0.001;
      return;
    }
  }

  /** Waiting at the very end is no waiting. */
  #hasMore(): boolean {
    const last = this.#stretches.at(-1);
    return last !== undefined && this.video.currentTime < last.start + last.seconds - 0.5;
  }

  #load(atMs: number): void {
    const day = windowOf(atMs, this.#timeZone);
    const fromEdgeMs = this.#withEdge ? Math.max(day.fromMs, atMs - edgeBackMs) : day.fromMs;
    this.#window = this.#events.playableIn(atMs, { ...day, fromMs: fromEdgeMs });
    this.#stretches = [];
    this.#details = undefined;
    const { fromMs, toMs } = this.#window;
    const query = new URLSearchParams({ from: isoOf(fromMs) });
    // Without an end it grows with what is archived, or recorded.
    const isOver = toMs < wallMs();
    if (isOver) query.set("to", isoOf(toMs));
    if (this.#withEdge) query.set("edge", "1");
    else if (this.#quality !== "source") query.set("quality", this.#quality);
    clearTimeout(this.#askingAgain);
    const hls = this.#hls ?? this.#open();
    this.#growing = this.#withEdge && !isOver ? new GrowingPlaylist() : undefined;
    hls.loadSource(`/api/cameras/${this.cameraId}/hls.m3u8?${query}`);
  }

  #open(): Hls {
    const hls = new Hls({ ...hlsSettings, pLoader: playlistLoader(() => this.#growing) });
    this.#hls = hls;
    hls.config.maxBufferLength = bufferSeconds * Math.max(1, this.video.playbackRate);
    hls.attachMedia(this.video);
    hls.on(Hls.Events.LEVEL_LOADED, (_, { details }) => this.#take(details));
    hls.on(Hls.Events.LEVEL_UPDATED, (_, { details }) => this.#take(details));
    hls.on(Hls.Events.LEVEL_PTS_UPDATED, (_, { details }) => this.#take(details));
    hls.on(Hls.Events.FRAG_BUFFERED, () => {
      this.#recoveries = 0;
      this.#isUnanswered = false;
      this.#note.sayAnswered();
      this.#leaveHole();
    });
    hls.on(Hls.Events.ERROR, (_, { fatal, type, details, response, frag }) => {
      const isMore = type === Hls.ErrorTypes.NETWORK_ERROR && (frag ?? this.#details) !== undefined;
      if (isMore && !isRefusal(response?.code)) this.#hearNothing(fatal);
      else if (fatal) fail(type, details, response?.code);
    });
    const fail = (type: string, details: string, status: number | undefined) => {
      const isMedia = type === Hls.ErrorTypes.MEDIA_ERROR;
      // A codec that the browser does not know it will not know at the next try.
      const mayRecover = isMedia && details !== Hls.ErrorDetails.BUFFER_ADD_CODEC_ERROR;
      if (mayRecover && this.#recoveries++ < 2) hls.recoverMediaError();
      else if (type !== Hls.ErrorTypes.NETWORK_ERROR) this.#fail("media");
      else this.#fail(isRefusal(status) ? "refused" : "network");
    };
    return hls;
  }

  /** A part, or what came after it, is not to be had now. What was loaded plays on, and the last picture stays. */
  #hearNothing(hasGivenUp: boolean): void {
    this.#isUnanswered = true;
    this.#tellStanding();
    if (!hasGivenUp) return;
    clearTimeout(this.#askingAgain);
    this.#askingAgain = setTimeout(() => this.#startLoad(), askAgainMs);
  }

  #tellStanding(): void {
    if (this.#isUnanswered && this.video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA)
      this.#note.sayUnanswered();
  }

  #take(details: LevelDetails): void {
    const isFirst = this.#details === undefined;
    this.#details = details;
    this.#stretches = planStretches(details.fragments);
    if (isFirst && this.#wantedMs !== undefined) this.#startLoad();
    this.#events.onLoaded?.();
  }

  /** From where it is, or is to be: hls.js goes there by itself when the first part has come. */
  #startLoad(): void {
    if (this.#wantedMs === undefined) {
      this.#hls?.startLoad(this.video.currentTime);
      return;
    }
    const found = findMoment(this.#stretches, this.#wantedMs);
    const last = this.#stretches.at(-1);
    this.#hls?.startLoad(found?.seconds ?? (last ? last.start + Math.max(0, last.seconds - 1) : 0));
  }

  #fail(why: Failure): void {
    const wasPlaying = !this.video.paused;
    this.#wantedMs = this.atMs;
    this.destroy();
    this.#window = undefined;
    this.#details = undefined;
    this.#events.onFailed(why, wasPlaying);
  }
}

/** 429 is a word about now, and not about what was asked for. */
function isRefusal(status: number | undefined): boolean {
  return status !== undefined && status >= 400 && status < 500 && status !== 429;
}

function windowOf(atMs: number, timeZone: string): View {
  const [year = 1970, month = 1, day = 1] = localDateOf(atMs, timeZone).split("-").map(Number);
  const fromMs = startOfLocalDay({ year, month, day }, timeZone);
  return { fromMs, toMs: fromMs + windowMs };
}
