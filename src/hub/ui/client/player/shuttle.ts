/** What plays, forwards or backwards. */
export interface Shuttled {
  readonly video: HTMLVideoElement;
  readonly atMs: number | undefined;
  setRate(rate: number): void;
  show(atMs: number): void;
}

const fastest = 16;
/** Backwards there are pictures only, as quickly as they can be found. */
const backwardsMs = 150;

/** Plays forwards and backwards, at speeds of J, K and L. Negative: backwards. */
export class Shuttle {
  readonly #stage: Shuttled;
  #rate = 1;
  #backwards: ReturnType<typeof setInterval> | undefined;
  #isHeld = false;

  constructor(stage: Shuttled) {
    this.#stage = stage;
  }

  get isPlaying(): boolean {
    return this.#isHeld || this.#backwards !== undefined || !this.#stage.video.paused;
  }

  /** It plays, but for what there is nothing of yet. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  get rate(): number {
    return this.#rate;
  }

  play(rate = Math.abs(this.#rate)): void {
    this.#isHeld = false;
    this.#stopBackwards();
    this.#rate = rate;
    if (rate < 0) {
      this.#stage.video.pause();
      this.#backwards = setInterval(() => this.#stepBack(), backwardsMs);
      return;
    }
    this.#stage.setRate(rate);
    // Refused where a page may not begin to play by itself, or cut off by the next one.
    this.#stage.video.play().catch(() => {});
  }

  /** The speed of the next time. */
  prepare(rate: number): void {
    this.#rate = rate;
    this.#stage.setRate(rate);
  }

  /** Stands still until `play`, for as long as there is nothing to play; on from there nothing is faster than it comes. */
  hold(): void {
    this.prepare(Math.min(1, Math.abs(this.#rate)));
    this.#isHeld = true;
    this.#stage.video.pause();
  }

  pause(): void {
    this.#isHeld = false;
    this.#stopBackwards();
    this.#stage.video.pause();
  }

  toggle(): void {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  /** L and J: on, and with each more twice as fast. */
  push(direction: 1 | -1): void {
    const goesOn = this.isPlaying && Math.sign(this.#rate) === direction;
    this.play(goesOn ? direction * Math.min(fastest, Math.abs(this.#rate) * 2) : direction);
  }

  #stepBack(): void {
    const { video, atMs } = this.#stage;
    if (atMs !== undefined && !video.seeking) this.#stage.show(atMs + this.#rate * backwardsMs);
  }

  #stopBackwards(): void {
    clearInterval(this.#backwards);
    this.#backwards = undefined;
  }
}
