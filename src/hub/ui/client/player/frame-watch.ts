/** What the player has seen of itself; times in ms. */
export interface Figures {
  /** From a click or key to the first picture of the moment asked for, one for each. */
  firstFrames: number[];
  /** How often it stood still for want of data while there was more. */
  waits: number;
  dropped: number;
  decoded: number;
}

/** More are forgotten, the oldest first. */
const maxKept = 1_000;

/** Counts what a person would notice: how long until there is a picture, and when it stands. */
export class FrameWatch {
  readonly #video: HTMLVideoElement;
  readonly #firstFrames: number[] = [];
  #waits = 0;
  #clickedAt: number | undefined;
  /** Start of the frame that is seen, in the player's seconds. */
  shownSeconds: number | undefined;

  constructor(video: HTMLVideoElement, hasMore: () => boolean) {
    this.#video = video;
    video.addEventListener("waiting", () => {
      // While it seeks, waiting is what it was asked to do.
      if (!video.seeking && this.#clickedAt === undefined && hasMore()) this.#waits++;
    });
    // A moment of the frame that is seen already brings no new one.
    video.addEventListener("seeked", () => {
      const clickedAt = this.#clickedAt;
      if (clickedAt === undefined) return;
      requestAnimationFrame((now) => {
        if (this.#clickedAt === clickedAt && !video.seeking) this.#answer(now);
      });
    });
    this.#watch();
  }

  /** The next frame after the seek that is about to begin is the answer to this click. */
  expectFrame(clickedAt: number): void {
    this.#clickedAt = clickedAt;
  }

  get figures(): Figures {
    const { droppedVideoFrames: dropped, totalVideoFrames: decoded } = this.#video.getVideoPlaybackQuality();
    return { firstFrames: this.#firstFrames, waits: this.#waits, dropped, decoded };
  }

  #watch(): void {
    this.#video.requestVideoFrameCallback?.((now, { mediaTime }) => {
      this.shownSeconds = mediaTime;
      if (Math.abs(mediaTime - this.#video.currentTime) < 0.5) this.#answer(now);
      this.#watch();
    });
  }

  #answer(now: number): void {
    if (this.#clickedAt === undefined) return;
    this.#firstFrames.push(now - this.#clickedAt);
    if (this.#firstFrames.length > maxKept) this.#firstFrames.shift();
    this.#clickedAt = undefined;
  }
}
