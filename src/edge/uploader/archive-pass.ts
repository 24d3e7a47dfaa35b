import { AppError } from "../../common/errors.ts";
import type { ArchiveLayout } from "../../common/mp4/archive-file.ts";
import type { RateLimit } from "../rate-limit.ts";
import { type HashedSource, pageBytes } from "./hashed-source.ts";
import { rethrowAs } from "./pass-error.ts";
import type { SegmentProof } from "./segment-proof.ts";
import { type ArchiveTarget, SyncedWriter } from "./synced-writer.ts";

export interface ArchivePass {
  /** Is closed as soon as all of it is written. */
  source: HashedSource;
  layout: ArchiveLayout;
  proof: SegmentProof;
  /** New and empty. */
  target: ArchiveTarget;
  onProgress?: ((writtenBytes: number, totalBytes: number) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** How fast the bytes may go out; without one, as fast as they can. */
  limit?: RateLimit | undefined;
}

export interface ArchivePassResult {
  /** Of the whole file, as written. */
  fileSha256: string;
}

/**
 * The one pass: every byte of the segment is read once, hashed, proven to be what was recorded, and written once, in
 * order. While a block is hashed, those after it are read and one is written, on other threads. The target is synced
 * when it resolves.
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
  try {
    target.reserve?.(layout.totalSizeBytes);
    proof.update(layout.initBytes);
    for (const part of source.head) await sink.write(part);
    const nextBlock = () => source.next().catch(rethrowAs("spool", "cannot read the segment"));
    for (let block = await nextBlock(); block; block = await nextBlock()) {
      if (signal?.aborted) throw new AppError("cancelled", "the upload was cancelled");
      await sink.write(block);
      proof.update(block);
    }
    const hashed = source.digest();
    hashed.catch(() => undefined);
    proof.check();
    await sink.written();
    const closed = hashed.finally(() => source[Symbol.asyncDispose]());
    closed.catch(() => undefined);
    await sink.finish();
    onProgress?.(layout.totalSizeBytes, layout.totalSizeBytes);
    return { fileSha256: await closed };
  } catch (error) {
    await sink.settle();
    throw error;
  }
}

/**
 * Writes in steps of the limit; a write that is longer is answered as a short one. Steps end where pages do, but for
 * those that are less than a page: to wait until there is enough for one would look as if nothing moved.
 */
function limitTarget(target: ArchiveTarget, limit: RateLimit, signal?: AbortSignal): ArchiveTarget {
  return {
    async write(bytes, offset, length, position) {
      const beyondPage = limit.stepBytes < pageBytes ? 0 : (position + limit.stepBytes) % pageBytes;
      const stepBytes = Math.min(length, limit.stepBytes - beyondPage);
      await limit.take(stepBytes, signal);
      return target.write(bytes, offset, stepBytes, position);
    },
    startWriteback: (offset, length) => target.startWriteback?.(offset, length),
    datasync: () => target.datasync(),
    sync: () => target.sync(),
  };
}
