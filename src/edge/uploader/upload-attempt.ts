import type { ArchiveDestination, PutResult } from "./archive-destination.ts";
import type { UploadQueue, WaitingSegment } from "./upload-queue.ts";

export interface AttemptParts {
  queue: UploadQueue;
  destination: ArchiveDestination;
  expectedArchiveId: () => string | undefined;
}

/** One segment on its way to the archive, once. */
export class UploadAttempt {
  readonly #controller = new AbortController();
  #progress = 0;

  constructor(
    readonly segment: WaitingSegment,
    /** Monotonic. */
    readonly startedMs: number,
  ) {}

  /** Bytes that the destination was given, 0 to 1. */
  get progress(): number {
    return this.#progress;
  }

  /** The destination has every byte; what is left is to make them durable and to name the file. */
  get isSent(): boolean {
    return this.#progress >= 1;
  }

  get sentBytes(): number {
    return this.#progress * this.segment.sizeBytes;
  }

  cancel(): void {
    this.#controller.abort();
  }

  /** Resolves when the segment is archived and durably known to be. Throws as the queue and the destination do. */
  async run(parts: AttemptParts, onProgress: () => void): Promise<PutResult> {
    const { queue, destination, expectedArchiveId } = parts;
    const { videoId } = this.segment;
    const loaded = await queue.load(videoId);
    const result = await destination.put(
      { ...loaded, expectedArchiveId: expectedArchiveId() },
      {
        signal: this.#controller.signal,
        onProgress: (written, total) => {
          this.#progress = total > 0 ? written / total : 0;
          onProgress();
        },
      },
    );
    await queue.markArchived(videoId, result);
    return result;
  }
}
