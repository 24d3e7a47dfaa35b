import type { SegmentIdentity } from "../segment-identity.ts";

export type VerifyProblemCode =
  | "unreadable" // not there, no permission, I/O error
  | "not_a_file"
  | "empty"
  | "not_mp4"
  | "foreign" // an MP4 that livecam did not write
  | "identity" // the uuid box is damaged, or contradicts the video
  | "truncated"
  | "structure"
  | "index" // the outer tables do not say what the fragments say
  | "sidx"
  | "recorded_hash"
  | "trailing_bytes";

export interface VerifyProblem {
  code: VerifyProblemCode;
  message: string;
}

/** What the file claims to be. `spool_segment`: not archived yet, so it has no identity and no hash to check. */
export type VerifiedKind = "archive" | "spool_segment" | "unknown";

export interface VerifyReport {
  path: string;
  kind: VerifiedKind;
  ok: boolean;
  problems: readonly VerifyProblem[];
  identity?: SegmentIdentity;
  /** Absent when the file could not be read to its end. */
  fileSha256?: string;
  sizeBytes: number;
  durationMs?: number;
  /** Of so many bytes of the payload as were asked for, as they were recorded; absent where it has fewer. */
  prefixSha256?: string;
}

/** What an inspection adds to, so that what was found before a failure is kept. */
export interface Findings {
  kind: VerifiedKind;
  /** Everything was looked at; without it, no problems is not good news. */
  complete: boolean;
  problems: VerifyProblem[];
  identity?: SegmentIdentity;
  durationMs?: number;
}
