import { AppError } from "../../src/common/errors.ts";
import type {
  OpenSegment,
  SegmentEnd,
  SegmentSink,
  SegmentStart,
} from "../../src/edge/recorder/segment-sink.ts";

export interface MemorySegment {
  start: SegmentStart;
  initSegment: Uint8Array;
  fragments: Uint8Array[];
  end: SegmentEnd | undefined;
}

/** Keeps segments in memory, and fails when it is told to. Calls that come out of order are an error. */
export class MemorySink implements SegmentSink {
  readonly segments: MemorySegment[] = [];
  /** What the next calls of each kind are refused with. */
  refuse: { open?: string; append?: string; close?: string } = {};
  #busy = false;

  async open(start: SegmentStart, initSegment: Uint8Array): Promise<OpenSegment> {
    return this.#alone(async () => {
      this.#mayRefuse("open");
      const segment: MemorySegment = { start, initSegment, fragments: [], end: undefined };
      this.segments.push(segment);
      return this.#opened(segment);
    });
  }

  #opened(segment: MemorySegment): OpenSegment {
    return {
      videoId: segment.start.videoId,
      get sizeBytes() {
        return segment.fragments.reduce(
          (sum, { byteLength }) => sum + byteLength,
          segment.initSegment.byteLength,
        );
      },
      append: (fragment) =>
        this.#alone(async () => {
          if (segment.end) throw new Error("appended to a closed segment");
          this.#mayRefuse("append");
          segment.fragments.push(fragment);
        }),
      close: (end) =>
        this.#alone(async () => {
          if (segment.end) throw new Error("closed twice");
          segment.end = end;
          this.#mayRefuse("close");
          return `/spool/${segment.start.videoId}.mp4`;
        }),
    };
  }

  #mayRefuse(call: keyof MemorySink["refuse"]): void {
    const reason = this.refuse[call];
    if (reason !== undefined) throw new AppError("io", reason);
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) throw new Error("two calls at once");
    this.#busy = true;
    await Promise.resolve();
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }
}
