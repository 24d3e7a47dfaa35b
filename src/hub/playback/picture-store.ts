import type { PictureKind } from "../../common/archive-path.ts";

/** Where finished pictures are kept, by the path of their video. Losing one costs nothing but making it again. */
export interface PictureStore {
  /** Undefined when there is none, or none that is whole. */
  read(kind: PictureKind, videoPath: string): Promise<Uint8Array | undefined>;
  /** Whether there is one, without reading it: it may be damaged. */
  has(kind: PictureKind, videoPath: string): Promise<boolean>;
  /** After a crash there is either the whole picture or none. Throws `io`, or `unavailable` in a read-only archive. */
  write(kind: PictureKind, videoPath: string, jpeg: Uint8Array): Promise<void>;
  /** Of every kind; nothing happens where there is none. Throws `io`. */
  remove(videoPath: string): Promise<void>;
}
