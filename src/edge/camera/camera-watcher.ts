import type { Fragment } from "../../common/mp4/fragment.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";

/** Looks at what a camera gives, beside its consumer. It is called in passing: it must not wait, and it copies bytes. */
export interface CameraWatcher {
  /** A run begins, or is going on as the watcher comes. */
  onInit(init: InitSegment): void;
  onFragment(fragment: Fragment): void;
  /** The camera is not captured, because nobody wants it to be: nothing comes before the next `onInit`. */
  onStopped(): void;
}
