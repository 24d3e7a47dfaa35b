import { runChild } from "../../../common/child-process.ts";
import type { Clock } from "../../../common/clock.ts";
import { AppError } from "../../../common/errors.ts";

/** How long it is not asked again whether ffmpeg has come. */
const failureMemoryMs = 30_000;
const deadlineMs = 10_000;

/** The ffmpeg of this machine, which may come and go. */
export class Transcoder {
  readonly ffmpeg: string;
  readonly #clock: Pick<Clock, "monotonicMs">;
  #version: string | undefined;
  #asking: Promise<string> | undefined;
  #failure: { error: unknown; untilMs: number } | undefined;

  constructor({ ffmpeg = "ffmpeg", clock }: { ffmpeg?: string; clock: Pick<Clock, "monotonicMs"> }) {
    this.ffmpeg = ffmpeg;
    this.#clock = clock;
  }

  /** The first line of `ffmpeg -version`. Throws `unavailable` where there is none, or one that cannot encode H.264. */
  async version(): Promise<string> {
    if (this.#version !== undefined) return this.#version;
    if (this.#failure && this.#failure.untilMs > this.#clock.monotonicMs()) throw this.#failure.error;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async isThere(): Promise<boolean> {
    return this.version().then(
      () => true,
      () => false,
    );
  }

  /** It did not start: whether it is still there is asked anew. */
  forget(): void {
    this.#version = undefined;
  }

  async #ask(): Promise<string> {
    try {
      const exit = await runChild({ argv: [this.ffmpeg, "-version"], timeoutMs: deadlineMs });
      const text = new TextDecoder().decode(exit.stdout);
      if (exit.exitCode !== 0 || !text.includes("--enable-libx264")) {
        throw new AppError("unavailable", "the ffmpeg of this hub cannot encode H.264 (libx264)");
      }
      this.#failure = undefined;
      this.#version = text.slice(0, text.indexOf("\n"));
      return this.#version;
    } catch (cause) {
      const error = new AppError("unavailable", "this hub has no ffmpeg that can make other qualities", {
        cause,
      });
      this.#failure = { error, untilMs: this.#clock.monotonicMs() + failureMemoryMs };
      throw error;
    }
  }
}
