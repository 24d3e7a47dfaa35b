/** Of a video element. */
export interface Leaping {
  currentTime: number;
  readonly paused: boolean;
  readonly buffered: { readonly length: number; start(index: number): number; end(index: number): number };
  addEventListener(type: "seeking", listener: () => void): void;
}

/** Holes that the player goes over by itself are smaller. */
const leapSeconds = 2;

/**
 * While a computer sleeps, or a program is stopped, the clock of a video may run on: awake again it stands where nothing
 * was loaded, may stay there for ever, and nobody has seen what was between. It is taken back to where it was.
 */
export class LeapWatch {
  readonly #video: Leaping;
  /** When it was looked at last, in the player's seconds: where it was, and how far it could have played. */
  #last: { seconds: number; end: number } | undefined;

  constructor(video: Leaping) {
    this.#video = video;
    video.addEventListener("seeking", () => {
      this.#last = undefined;
    });
  }

  /** To be called often. */
  look(): void {
    const { currentTime: seconds, paused } = this.#video;
    const last = this.#last;
    this.#last = paused ? undefined : { seconds, end: this.#playableFrom(seconds) };
    if (last === undefined || seconds < last.seconds + leapSeconds) return;
    if (this.#playableFrom(last.end) < seconds - leapSeconds) this.#video.currentTime = last.seconds;
  }

  #playableFrom(seconds: number): number {
    const { buffered } = this.#video;
    let end = seconds;
    for (let i = 0; i < buffered.length; i++) {
      if (buffered.start(i) <= end + leapSeconds) end = Math.max(end, buffered.end(i));
    }
    return end;
  }
}
