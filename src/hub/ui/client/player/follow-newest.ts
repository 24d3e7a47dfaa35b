import { fill, type TimeFormats, type Words } from "./words.ts";

/** So much has to be there before it plays on: what a camera records comes by the fragment, and not evenly. */
export const aheadMs = 4_000;
/** What a stage should have had by itself, were it only late. */
const lateMs = 10_000;

export interface FollowNewestOptions {
  stage: {
    readonly atMs: number | undefined;
    /** Of what it has. */
    readonly endMs: number | undefined;
    /** It grows with what is recorded. */
    readonly followsEdge: boolean;
  };
  data: {
    nextFrom(atMs: number): Promise<number | undefined>;
    isOnEdgeAt(atMs: number): boolean;
    readonly edgeEndMs: number;
    readonly newestMs: number;
  };
  shuttle: { readonly isHeld: boolean; play(): void; hold(): void };
  seek(atMs: number): Promise<void>;
  /** Until it says nothing any more. */
  say(text: string): void;
  words: Pick<Words, "waitsForMore" | "waitsForCamera">;
  formats: Pick<TimeFormats, "duration">;
}

/** Plays on behind the end of what a stage has; where there is nothing yet, waits for it and says what it waits for. */
export class FollowNewest {
  readonly #options: FollowNewestOptions;
  #isAtEnd = false;
  #said = "";

  constructor(options: FollowNewestOptions) {
    this.#options = options;
  }

  get isWaiting(): boolean {
    return this.#isAtEnd || this.#options.shuttle.isHeld;
  }

  /** The player stands at the end of what it has. `isGrowing`: what is archived comes into it by itself. */
  async reachEnd(isGrowing: boolean): Promise<void> {
    const { stage, data, shuttle, seek, words } = this.#options;
    if (stage.followsEdge) {
      shuttle.hold();
      this.look();
      return;
    }
    const { endMs } = stage;
    const nextMs = endMs === undefined ? undefined : await data.nextFrom(endMs + 1);
    if (nextMs === undefined || (isGrowing && !data.isOnEdgeAt(nextMs))) {
      this.#isAtEnd = true;
      this.#say(words.waitsForMore);
      return;
    }
    await seek(nextMs);
    shuttle.play();
  }

  /** It plays, or is somewhere else: there is nothing to wait for. */
  leave(): void {
    if (!this.#isAtEnd) return;
    this.#isAtEnd = false;
    this.#say("");
  }

  /** To be called often. */
  look(): void {
    const { stage, shuttle, words, formats } = this.#options;
    if (!shuttle.isHeld) {
      // A person paused it, or went somewhere else.
      if (!this.#isAtEnd) this.#say("");
      return;
    }
    const leftMs = aheadMs - ((stage.endMs ?? 0) - (stage.atMs ?? 0));
    if (leftMs > 0) {
      this.#say(fill(words.waitsForCamera, formats.duration(leftMs)));
      return;
    }
    this.#say("");
    shuttle.play();
  }

  /** What there is was asked for anew: where it does not come by itself, it is gone to. */
  async hear(hasEnded: boolean): Promise<void> {
    const { stage, data, shuttle, seek } = this.#options;
    if (hasEnded && this.#isAtEnd) await this.reachEnd(false);
    const { endMs } = stage;
    if (!shuttle.isHeld || endMs === undefined) return;
    if (Math.max(data.newestMs, data.edgeEndMs) < endMs + lateMs) return;
    await seek(endMs + 1);
    shuttle.play();
  }

  #say(text: string): void {
    if (text === this.#said) return;
    this.#said = text;
    this.#options.say(text);
  }
}
