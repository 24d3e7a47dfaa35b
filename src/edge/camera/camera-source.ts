import type { Secret } from "../../common/secret.ts";

/**
 * Programs to run, each one's stdout feeding the next one's stdin; the last writes fragmented MP4, one fragment per
 * GOP, to its stdout. Made by pure functions of the settings, so the argv of every camera model is fixed by tests.
 */
export interface CapturePlan {
  commands: readonly CaptureCommand[];
  /** Text that the first command reads from its stdin: the way in for what `ps` and the log must not show. */
  stdin?: Secret;
  /** They write as fast as they are read: it is the reader that takes their fragments in real time. */
  isReadInRealTime?: true;
}

export interface CaptureCommand {
  /** No secret stands here: every user of the machine can read it. */
  argv: readonly string[];
}

/** What a capture can be asked to deliver; undefined leaves the source's own. */
export interface CaptureSettings {
  width?: number;
  height?: number;
  /** Frames per second. */
  fps?: number;
  /** Bits per second of the video. */
  bitrateBps?: number;
}
