export interface EvictionInput {
  /** Only segments whose archived copy the hub has acknowledged; oldest first. */
  acknowledged: readonly { videoId: string; sizeBytes: number }[];
  /** What acknowledged segments may keep of the disk. */
  maxBytes: number;
  /** Of the file system that the spool lies on; undefined where it cannot be told. */
  disk: { totalBytes: number; freeBytes: number } | undefined;
}

/** Free space below which acknowledged copies go even when `maxBytes` is not reached: a full disk stops recording. */
export function reserveBytesOf(totalBytes: number): number {
  return Math.min(2_000_000_000, Math.floor(totalBytes * 0.1));
}

/** Ids to delete, oldest first. Pure. */
export function planEviction({ acknowledged, maxBytes, disk }: EvictionInput): string[] {
  let keptBytes = acknowledged.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let missingBytes = disk ? reserveBytesOf(disk.totalBytes) - disk.freeBytes : 0;
  const evicted: string[] = [];
  for (const { videoId, sizeBytes } of acknowledged) {
    if (keptBytes <= maxBytes && missingBytes <= 0) break;
    evicted.push(videoId);
    keptBytes -= sizeBytes;
    missingBytes -= sizeBytes;
  }
  return evicted;
}
