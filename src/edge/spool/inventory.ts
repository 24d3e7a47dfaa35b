import { OrderedSegments } from "./ordered-segments.ts";
import type { SegmentName } from "./segment-name.ts";
import { type SegmentState, segmentStates } from "./spool-layout.ts";

export interface SpoolSegment extends SegmentName {
  /** Of its directory. */
  name: string;
  /** Of its video file; of one that is being recorded, 0. */
  sizeBytes: number;
  /** The hub has something else under this id or path. */
  conflict?: boolean;
  /** Closed, and waiting for the clock to be set before it may be uploaded. */
  held?: boolean;
}

/** What lies in the spool, in memory: about 300 bytes per segment, so that nobody walks directories. */
export class Inventory {
  readonly #segments = new Map<SegmentState, OrderedSegments<SpoolSegment>>(
    segmentStates.map((state) => [state, new OrderedSegments()]),
  );
  readonly #listeners = new Map<SegmentState, (() => void)[]>(segmentStates.map((state) => [state, []]));
  /** Directories in quarantine. */
  quarantined = 0;

  /** Oldest first. The list does not change later, and is the same one until something does. */
  list(state: SegmentState): readonly SpoolSegment[] {
    return this.#of(state).list();
  }

  get(state: SegmentState, videoId: string): SpoolSegment | undefined {
    return this.#of(state).get(videoId);
  }

  has(videoId: string): boolean {
    return segmentStates.some((state) => this.get(state, videoId));
  }

  /** Whoever waits for segments of that state hears of it. */
  add(state: SegmentState, segment: SpoolSegment): void {
    this.#of(state).set(segment);
    for (const listener of this.#listeners.get(state) ?? []) listener();
  }

  remove(state: SegmentState, videoId: string): void {
    this.#of(state).delete(videoId);
  }

  /** Calls `listener` after each segment that comes into the state. It must not throw. */
  onEnter(state: SegmentState, listener: () => void): void {
    this.#listeners.get(state)?.push(listener);
  }

  count(state: SegmentState): number {
    return this.#of(state).size;
  }

  sizeBytes(state: SegmentState): number {
    return this.#of(state).sizeBytes;
  }

  #of(state: SegmentState): OrderedSegments<SpoolSegment> {
    return this.#segments.get(state) as OrderedSegments<SpoolSegment>;
  }
}
