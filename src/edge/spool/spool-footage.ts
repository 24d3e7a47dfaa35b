import { AppError, errorCodeOf } from "../../common/errors.ts";
import { RegularFile } from "../../common/mp4/regular-file.ts";
import type { ClockState } from "../../common/segment-identity.ts";
import type { FootageQuery } from "../control/controlled-node.ts";
import type { Inventory, SpoolSegment } from "./inventory.ts";
import { readSegmentRecord } from "./segment-record.ts";
import { type SegmentState, type SpoolLayout, segmentStates } from "./spool-layout.ts";
import type { GrowingSegment } from "./spool-sink.ts";

/** A segment that the hub has not acknowledged; one that is being recorded as far as it is written. */
export interface FootageSegment {
  videoId: string;
  cameraId: string;
  runId: string;
  sequence: number;
  startTimeMs: number;
  endTimeMs: number;
  sizeBytes: number;
  codec: string;
  width: number;
  height: number;
  clockState: ClockState;
  isMock: boolean;
  state: "recording" | "closed" | "archived";
}

/** A segment's video, open for reading. */
export interface FootageFile {
  videoId: string;
  cameraId: string;
  file: RegularFile;
  /** Nothing will be added to it. */
  isComplete: boolean;
  /** As far as it is written whole. */
  sizeBytes: number;
}

/** No segment is longer: one that reaches into a range did not start further before it. */
const longestSegmentMs = 3_700_000;

/** What of the spool the hub has not yet, for whoever wants to see it before it is archived. */
export class SpoolFootage {
  readonly #layout: SpoolLayout;
  readonly #inventory: Inventory;
  readonly #growing: ReadonlyMap<string, GrowingSegment>;

  constructor(options: {
    layout: SpoolLayout;
    inventory: Inventory;
    growing: ReadonlyMap<string, GrowingSegment>;
  }) {
    this.#layout = options.layout;
    this.#inventory = options.inventory;
    this.#growing = options.growing;
  }

  /** Throws `io`. What changes its state meanwhile may be left out. */
  async list(query: FootageQuery): Promise<{ segments: FootageSegment[]; hasMore: boolean }> {
    const { cameraId, fromMs = 0, toMs = Number.POSITIVE_INFINITY, after = "", limit } = query;
    const candidates = (["recording", "closed", "archived"] as const)
      .flatMap((state) => this.#inventory.list(state).map((segment) => ({ segment, state })))
      .filter(
        ({ segment: { videoId, cameraId: own, startTimeMs } }) =>
          videoId > after &&
          (cameraId === undefined || own === cameraId) &&
          startTimeMs < toMs &&
          startTimeMs > fromMs - longestSegmentMs,
      )
      .sort((a, b) => (a.segment.videoId < b.segment.videoId ? -1 : 1));
    const segments: FootageSegment[] = [];
    for (const { segment, state } of candidates) {
      if (segments.length === limit) return { segments, hasMore: true };
      const found = this.#growing.has(segment.videoId)
        ? this.#asGrowing(segment.videoId)
        : await this.#asClosed(segment, state);
      if (found && found.endTimeMs > fromMs) segments.push(found);
    }
    return { segments, hasMore: false };
  }

  /**
   * The file of a segment, wherever it is in its life, as long as it is on the node. Throws `not_found`, `io`. The caller
   * closes it.
   */
  async open(videoId: string): Promise<FootageFile> {
    for (let tries = 0; tries < 3; tries++) {
      const found = segmentStates
        .map((state) => ({ state, segment: this.#inventory.get(state, videoId) }))
        .find(({ segment }) => segment !== undefined);
      if (!found?.segment) break;
      const { cameraId, name } = found.segment;
      // Before the file: what is written after this is not looked at.
      const growing = this.#growing.get(videoId);
      const sizeBytes = growing?.sizeBytes;
      for (const state of statesFrom(found.state)) {
        const file = await openIfThere(this.#layout.videoPathOf(state, name));
        if (!file) continue;
        const isComplete = growing === undefined && found.state !== "recording";
        return { videoId, cameraId, file, isComplete, sizeBytes: sizeBytes ?? file.sizeBytes };
      }
    }
    throw new AppError("not_found", `there is no segment ${videoId} on this node`);
  }

  #asGrowing(videoId: string): FootageSegment | undefined {
    const { start, sizeBytes, endTimeMs } = this.#growing.get(videoId) ?? {};
    if (!start || !sizeBytes || endTimeMs === undefined || endTimeMs <= start.startTimeMs) return undefined;
    return { ...factsOf(start), endTimeMs, sizeBytes, state: "recording" };
  }

  async #asClosed(
    segment: SpoolSegment,
    state: FootageSegment["state"],
  ): Promise<FootageSegment | undefined> {
    for (const later of statesFrom(state)) {
      const record = await readSegmentRecord(this.#layout.directoryOf(later, segment.name));
      if (record.kind !== "closed" || record.identity.videoId !== segment.videoId) continue;
      const { identity, sizeBytes } = record;
      return {
        ...factsOf(identity),
        endTimeMs: identity.endTimeMs,
        sizeBytes,
        state: state === "recording" ? "closed" : state,
      };
    }
    return undefined;
  }
}

/** It may have come to a later state since: those are looked at after its own. */
function statesFrom(state: SegmentState): readonly SegmentState[] {
  return segmentStates.slice(segmentStates.indexOf(state));
}

async function openIfThere(path: string): Promise<RegularFile | undefined> {
  try {
    return await RegularFile.open(path);
  } catch (error) {
    if (errorCodeOf(error) === "not_found") return undefined;
    throw error;
  }
}

function factsOf(facts: {
  videoId: string;
  cameraId: string;
  runId: string;
  sequence: number;
  startTimeMs: number;
  codec: string;
  width: number;
  height: number;
  clockState: ClockState;
  isMock?: true | undefined;
}): Omit<FootageSegment, "endTimeMs" | "sizeBytes" | "state"> {
  const { videoId, cameraId, runId, sequence, startTimeMs, codec, width, height, clockState } = facts;
  return {
    ...{ videoId, cameraId, runId, sequence, startTimeMs, codec, width, height, clockState },
    isMock: facts.isMock === true,
  };
}
