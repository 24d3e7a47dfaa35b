/** Where finished thumbnails are kept, by the path of their video. Losing one costs nothing but making it again. */
export interface ThumbnailStore {
  /** Undefined when there is none, or none that is whole. */
  read(videoPath: string): Promise<Uint8Array | undefined>;
  /** After a crash there is either the whole picture or none. Throws `io`, or `unavailable` in a read-only archive. */
  write(videoPath: string, jpeg: Uint8Array): Promise<void>;
}
