export interface EvictionInput {
  /** Only segments whose archived copy the hub has acknowledged; oldest first. */
  acknowledged: readonly { videoId: string; sizeBytes: number }[];
  /** What acknowledged segments may keep of the disk. */
  maxBytes: number;
  /** Of the file system that the spool lies on; undefined where it cannot be told. */
  disk: { totalBytes: number; freeBytes: number } | undefined;
  /** Free bytes to reach where possible; the reserve where it is not given. */
  wantedFreeBytes?: number;
}

/** Free space below which acknowledged copies go even when `maxBytes` is not reached: a full disk stops recording. */
export function reserveBytesOf(totalBytes: number): number {
  return Math.min(2_000_000_000, Math.floor(totalBytes * 0.1));
}

/** Ids to delete, oldest first. Pure. */
export function planEviction(input: EvictionInput): string[] {
  const { acknowledged, maxBytes, disk } = input;
  let keptBytes = acknowledged.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const wantedBytes = disk ? (input.wantedFreeBytes ?? reserveBytesOf(disk.totalBytes)) : 0;
  let missingBytes = disk ? wantedBytes - disk.freeBytes : 0;
  const evicted: string[] = [];
  for (const { videoId, sizeBytes } of acknowledged) {
    if (keptBytes <= maxBytes && missingBytes <= 0) break;
    evicted.push(videoId);
    keptBytes -= sizeBytes;
    missingBytes -= sizeBytes;
  }
  return evicted;
}
