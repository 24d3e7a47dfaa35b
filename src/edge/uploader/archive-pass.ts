import { AppError } from "../../common/errors.ts";
import type { ArchiveLayout } from "../../common/mp4/archive-file.ts";
import type { SequentialFile } from "../../common/mp4/sequential-reader.ts";
import type { RateLimit } from "../rate-limit.ts";
import { InlineHash } from "./block-hash.ts";
import { BlockReader, blocksKept, pageBytes, readerBytes } from "./block-reader.ts";
import type { HashThread } from "./hash-thread.ts";
import { rethrowAs } from "./pass-error.ts";
import type { SegmentProof } from "./segment-proof.ts";
import { type ArchiveTarget, SyncedWriter } from "./synced-writer.ts";

export interface ArchivePass {
  /** Spool file: init segment and fragments. */
  source: SequentialFile;
  layout: ArchiveLayout;
  proof: SegmentProof;
  /** New and empty. */
  target: ArchiveTarget;
  onProgress?: ((writtenBytes: number, totalBytes: number) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** How fast the bytes may go out; without one, as fast as they can. */
  limit?: RateLimit | undefined;
  /** Hashes meanwhile, with {@link readerBytes} of memory; without one, this thread does. */
  hashThread?: HashThread | undefined;
}

export interface ArchivePassResult {
  /** Of the whole file, as written. */
  fileSha256: string;
}

/**
 * The one pass: every byte of the segment is read once, hashed, proven to be what was recorded, and written once, in
 * order. While a block is hashed, those after it are read and the one before is written, on other threads. The target
 * is synced when it resolves.
 * Throws `io` with `details.side`; `corrupt_file` when the source is shorter than its layout or not what was recorded,
 * before the target is synced; `cancelled`.
 */
export async function runArchivePass(pass: ArchivePass): Promise<ArchivePassResult> {
  const { source, layout, proof, target, onProgress, signal, limit } = pass;
  const sink = new SyncedWriter({
    target: limit ? limitTarget(target, limit, signal) : target,
    bytesPerSecond: limit?.bytesPerSecond,
    onWritten: (writtenBytes) => onProgress?.(writtenBytes, layout.totalSizeBytes),
  });
  const head = [layout.front, layout.initBytes, layout.sidx];
  using hash = (await pass.hashThread?.open(head)) ?? new InlineHash(head, new Uint8Array(readerBytes));
  const start = layout.initBytes.length;
  const end = start + layout.fragmentsSizeBytes;
  const headBytes = head.reduce((sum, part) => sum + part.length, 0);
  await using reader = new BlockReader(source, { start, end, headBytes, memory: hash.memory });
  try {
    proof.update(layout.initBytes);
    for (const part of head) await sink.write(part);
    const nextBlock = () => reader.next().catch(rethrowAs("spool", "cannot read the segment"));
    for (let block = await nextBlock(); block; block = await nextBlock()) {
      if (signal?.aborted) throw new AppError("cancelled", "the upload was cancelled");
      hash.update(block);
      await sink.write(block);
      proof.update(block);
      await hash.untilLeft(blocksKept - 1);
    }
    const fileSha256 = hash.digest();
    proof.check();
    await sink.finish();
    onProgress?.(layout.totalSizeBytes, layout.totalSizeBytes);
    return { fileSha256: await fileSha256 };
  } catch (error) {
    await sink.settle();
    throw error;
  }
}

/** Writes in steps of the limit, to the end of a page; a write that is longer is answered as a short one. */
function limitTarget(target: ArchiveTarget, limit: RateLimit, signal?: AbortSignal): ArchiveTarget {
  return {
    async write(bytes, offset, length, position) {
      const { stepBytes } = limit;
      const endOfPage = Math.floor((position + Math.max(stepBytes, pageBytes)) / pageBytes) * pageBytes;
      const partBytes = Math.min(length, endOfPage - position);
      for (let paid = 0; paid < partBytes; paid += stepBytes) {
        await limit.take(Math.min(stepBytes, partBytes - paid), signal);
      }
      return target.write(bytes, offset, partBytes, position);
    },
    startWriteback: (offset, length) => target.startWriteback?.(offset, length),
    datasync: () => target.datasync(),
    sync: () => target.sync(),
  };
}
