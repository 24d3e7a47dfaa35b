import type { FragmentRange } from "../../common/mp4/archive-file.ts";
import type { ClockState } from "../../common/segment-identity.ts";

/** `recording`: it still grows. `on_edge`: it waits to be archived. `uploading`: it is on its way. */
export const edgeVideoStatuses = ["recording", "on_edge", "uploading"] as const;
export type EdgeVideoStatus = (typeof edgeVideoStatuses)[number];

/** A segment that is on its node and not in the catalog yet. Times in ms since 1970 UTC. */
export interface EdgeVideo {
  videoId: string;
  cameraId: string;
  nodeId: string;
  runId: string;
  sequence: number;
  startTimeMs: number;
  /** Of what is written, while it is being recorded. */
  endTimeMs: number;
  sizeBytes: number;
  codec: string;
  width: number;
  height: number;
  clockState: ClockState;
  /** No footage, but the picture that says so. */
  isMock: boolean;
  status: EdgeVideoStatus;
  /** Of the upload, 0 to 1. */
  progress: number;
}

export interface OnEdge {
  /** By start. */
  videos: readonly EdgeVideo[];
  /** When the node told it; undefined while nobody can tell, because it is not linked or does not answer. */
  asOfMs: number | undefined;
  /** There are more than are given. */
  isCut: boolean;
}

/** A segment's file on its node, as its index says it is: the init segment, and then the fragments end to end. */
export interface EdgeFile {
  videoId: string;
  cameraId: string;
  nodeId: string;
  /** Nothing will be added to it. */
  isComplete: boolean;
  sizeBytes: number;
  initSizeBytes: number;
  /** Ticks per second. */
  timescale: number;
  fragments: readonly FragmentRange[];
}

/** What nodes have and the catalog has not yet, as they tell it when they are asked. */
export interface EdgeFootage {
  /**
   * What of a camera overlaps [fromMs, toMs). Comes within about a second, whatever the node does: then with what it
   * told last, or with nothing. Throws `not_found` for a camera that is not known.
   */
  list(cameraId: string, range: { fromMs: number; toMs: number }): Promise<OnEdge>;
}
