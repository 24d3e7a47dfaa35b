import type { LoadedSegment, PutResult } from "./archive-destination.ts";

export interface WaitingSegment {
  videoId: string;
  cameraId: string;
  startTimeMs: number;
  sizeBytes: number;
}

/** Closed segments that are to be archived, as the uploader sees them; the spool implements it. */
export interface UploadQueue {
  /** Oldest first. The list is asked for often: it must cost nothing while nothing changes. */
  waiting(): readonly WaitingSegment[];
  isWaiting(videoId: string): boolean;
  /** Ids of those that somebody waits for, the one to be next first; some may not be closed yet. */
  preferred(): readonly string[];
  /** Puts one in front of them, also one that is still being recorded; durable. False when it is not to be uploaded. Throws `io`. */
  prefer(videoId: string): Promise<boolean>;
  /** Throws `corrupt_file` for a segment that cannot be believed any more, `not_found`, `io`. */
  load(videoId: string): Promise<LoadedSegment>;
  /** It is on the archive: durable before this resolves, and no longer waiting. Repeatable. */
  markArchived(videoId: string, result: PutResult): Promise<void>;
  /** Takes a segment out of the queue that can never be archived; it is kept, and counted. */
  setAside(videoId: string, reason: string): Promise<void>;
  /** Calls `listener` after each segment that begins to wait. */
  onWaiting(listener: () => void): void;
}
