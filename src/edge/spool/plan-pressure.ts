import { planEviction, reserveBytesOf } from "./eviction.ts";

/** What happens when nothing acknowledged is left and the disk is full: nothing new, or nothing old. */
export type WhenFull = "stop_recording" | "overwrite_oldest_unsent";

export interface PressureState {
  /** Cameras that can are asked for less. */
  isCompressed: boolean;
  isFull: boolean;
}

export interface PressureInput {
  /** Of the file system that the spool lies on; undefined where it cannot be told. */
  disk: { totalBytes: number; freeBytes: number } | undefined;
  /** Only segments whose archived copy the hub has acknowledged; oldest first. */
  acknowledged: readonly { videoId: string; sizeBytes: number }[];
  /** Closed segments that are not in the archive, without those on their way there; oldest first. */
  unsent: readonly { videoId: string; sizeBytes: number }[];
  /** What acknowledged segments may keep of the disk. */
  maxAcknowledgedBytes: number;
  /** What all cameras make at their usual settings; 0 while that is not known. */
  bytesPerSecond: number;
  whenFull: WhenFull;
  before: PressureState;
}

export interface PressurePlan extends PressureState {
  /** Acknowledged segments to delete, oldest first. */
  evict: string[];
  /** Unsent segments to delete, oldest first: loss. Always empty unless the configuration wants it. */
  overwrite: string[];
  /** No new footage is taken. */
  isStopped: boolean;
}

/** Recording time left at which cameras are asked for less; at most a tenth of the disk. */
const compressSeconds = 3600;
/** Recording time left at which the disk counts as full, and to be had again before it does not. */
const fullSeconds = 60;
const notFullSeconds = 600;

/** What recording leaves of a disk for everything else on it. */
export function stopReserveBytesOf(totalBytes: number): number {
  return Math.min(500_000_000, Math.floor(totalBytes * 0.05));
}

/**
 * The steps against a disk that fills, each only when the ones before it do not suffice: evict what is acknowledged,
 * ask the cameras for less, then stop or overwrite. Each is undone at about twice the room it began at. Pure.
 */
export function planPressure(input: PressureInput): PressurePlan {
  const { disk, acknowledged, unsent, maxAcknowledgedBytes: maxBytes, whenFull, before } = input;
  if (!disk) {
    const evict = planEviction({ acknowledged, maxBytes, disk });
    return { evict, overwrite: [], isCompressed: false, isFull: false, isStopped: false };
  }
  const bounds = boundsOf(disk.totalBytes, input.bytesPerSecond);
  const evict = planEviction({ acknowledged, maxBytes, disk, wantedFreeBytes: bounds.notCompressed });
  const freed = new Set(evict);
  let freeBytes = disk.freeBytes;
  for (const { videoId, sizeBytes } of acknowledged) if (freed.has(videoId)) freeBytes += sizeBytes;

  const enough = before.isFull ? bounds.notFull : bounds.full;
  const isFull = freeBytes < enough;
  const overwrite: string[] = [];
  if (isFull && whenFull === "overwrite_oldest_unsent") {
    for (const { videoId, sizeBytes } of unsent) {
      if (freeBytes >= bounds.notFull) break;
      overwrite.push(videoId);
      freeBytes += sizeBytes;
    }
  }
  const isCompressed = freeBytes < (before.isCompressed ? bounds.notCompressed : bounds.compressed);
  // With nothing left to overwrite, a full disk is a full disk, and ends to be one as where nothing is overwritten.
  const isStillFull = isFull && freeBytes < (overwrite.length > 0 ? bounds.full : enough);
  return { evict, overwrite, isCompressed, isFull: isStillFull, isStopped: isStillFull };
}

/** How long recording goes on at `bytesPerSecond` when nothing leaves the node any more; undefined while that is not known. */
export function horizonMsOf(input: {
  disk: { totalBytes: number; freeBytes: number };
  acknowledgedBytes: number;
  bytesPerSecond: number;
}): number | undefined {
  const { disk, acknowledgedBytes, bytesPerSecond } = input;
  if (bytesPerSecond <= 0) return undefined;
  const roomBytes = disk.freeBytes + acknowledgedBytes - stopReserveBytesOf(disk.totalBytes);
  return Math.max(0, Math.floor((roomBytes / bytesPerSecond) * 1000));
}

/** Free bytes at which each step begins and ends. */
function boundsOf(totalBytes: number, bytesPerSecond: number) {
  const span = (seconds: number, share: number) =>
    Math.min(bytesPerSecond * seconds, Math.floor(totalBytes * share));
  const reserve = reserveBytesOf(totalBytes);
  const stopReserve = stopReserveBytesOf(totalBytes);
  return {
    compressed: reserve + span(compressSeconds, 0.1),
    notCompressed: reserve + 2 * span(compressSeconds, 0.1),
    full: stopReserve + span(fullSeconds, 0.01),
    notFull: stopReserve + Math.max(span(notFullSeconds, 0.05), Math.floor(totalBytes * 0.01)),
  };
}
