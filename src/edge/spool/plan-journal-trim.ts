export interface JournalPart {
  number: number;
  sizeBytes: number;
  /** When it was last written to, by the wall clock. */
  writtenMs: number;
}

/** A clock that is wrong by years takes no more than what is older than these. */
const partsKept = 4;

/** Numbers of the parts to delete, of those given oldest first: older than `keepMs`, or more than `maxBytes`. Pure. */
export function planJournalTrim(
  parts: readonly JournalPart[],
  limits: { nowMs: number; keepMs: number; maxBytes: number },
): number[] {
  let sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  const deleted: number[] = [];
  for (const part of parts.slice(0, -partsKept)) {
    const isOld = limits.nowMs - part.writtenMs > limits.keepMs;
    if (!isOld && sizeBytes <= limits.maxBytes) break;
    deleted.push(part.number);
    sizeBytes -= part.sizeBytes;
  }
  return deleted;
}
