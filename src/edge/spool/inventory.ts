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
  readonly #segments = new Map<SegmentState, Map<string, SpoolSegment>>(
    segmentStates.map((state) => [state, new Map()]),
  );
  readonly #listeners = new Map<SegmentState, (() => void)[]>(segmentStates.map((state) => [state, []]));
  /** Directories in quarantine. */
  quarantined = 0;

  /** Oldest first. */
  list(state: SegmentState): SpoolSegment[] {
    // UUIDv7: ids sort by the start of the segment.
    return [...this.#of(state).values()].sort((a, b) => (a.videoId < b.videoId ? -1 : 1));
  }

  get(state: SegmentState, videoId: string): SpoolSegment | undefined {
    return this.#of(state).get(videoId);
  }

  has(videoId: string): boolean {
    return segmentStates.some((state) => this.#of(state).has(videoId));
  }

  /** Whoever waits for segments of that state hears of it. */
  add(state: SegmentState, segment: SpoolSegment): void {
    this.#of(state).set(segment.videoId, segment);
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
    let sum = 0;
    for (const segment of this.#of(state).values()) sum += segment.sizeBytes;
    return sum;
  }

  #of(state: SegmentState): Map<string, SpoolSegment> {
    return this.#segments.get(state) as Map<string, SpoolSegment>;
  }
}
