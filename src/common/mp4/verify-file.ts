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

export interface VerifyReport {
  path: string;
  /** `spool_segment`: a plain fragmented MP4 that is not archived yet, so it has no identity and no hash to check. */
  kind: "archive" | "spool_segment" | "unknown";
  ok: boolean;
  problems: readonly VerifyProblem[];
  identity?: SegmentIdentity;
  /** Absent when the file could not be read to its end. */
  fileSha256?: string;
  sizeBytes: number;
  durationMs?: number;
}

/** Never throws for what is in the file; throws `cancelled` when `signal` aborts. Times and memory are bounded. */
export function verifyArchiveFile(
  _path: string,
  _options: { onProgress?: (bytesDone: number, bytesTotal: number) => void; signal?: AbortSignal } = {},
): Promise<VerifyReport> {
  return Promise.reject(new Error("not implemented"));
}
