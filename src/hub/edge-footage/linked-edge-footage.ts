import { type Clock, sleep } from "../../common/clock.ts";
import { describeError, errorCodeOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import { footageLimits } from "../../common/protocol/footage.ts";
import { formatWireTime } from "../../common/protocol/wire.ts";
import type { EdgeFootage, EdgeVideo, OnEdge } from "./edge-footage.ts";
import { parseSegmentPage } from "./node-segments.ts";

export interface LinkedEdgeFootageOptions {
  links: {
    /** Throws `unavailable`, `no_answer`, `not_supported`. */
    request(nodeId: string, method: string, params: unknown, deadlineMs: number): Promise<unknown>;
    stateOf(nodeId: string): { isConnected: boolean; sinceMs: number | undefined };
  };
  /** Throws `not_found`. */
  nodeOfCamera: (cameraId: string) => Promise<string>;
  /** Whether the catalog has it. */
  isKnown: (videoId: string) => Promise<boolean>;
  clock: Clock;
  logger: Logger;
  /** Longest time that a list waits for a node; default 1 s. */
  patienceMs?: number;
}

/** What a node told of one camera and some hours. */
interface Told {
  nodeId: string;
  /** Of the link by which it was told; what another one told is not believed. */
  linkedAtMs: number | undefined;
  /** Monotonic. */
  atMs: number;
  asOfMs: number;
  videos: readonly EdgeVideo[];
  isCut: boolean;
}

const hourMs = 3_600_000;
/** Of the last year that the wire can write. */
const lastHourMs = Date.UTC(9999, 11, 31, 23);
/** Pages and playlists that are made at the same time ask a node once. */
const freshMs = 2_000;
/** A node that let a list wait is not waited for again before it has answered, or so long. */
const slowMs = 10_000;
const defaultPatienceMs = 1_000;
const askDeadlineMs = 10_000;
/** 4,000 segments: more of one camera at once than a page or a playlist shows. */
const maxPages = 10;
/** Of one node, at once: with two indexes and two parts, what a node works on leaves room for people. */
const maxAsking = 2;
/** In all lists together, some 300 bytes each; the lists that were made first are forgotten. */
const maxRemembered = 50_000;
const nothing: OnEdge = { videos: [], asOfMs: undefined, isCut: false };

/**
 * Asks nodes over their links, for whole hours so that those who ask for nearly the same share an answer, and forgets
 * with the link what it told.
 */
export class LinkedEdgeFootage implements EdgeFootage {
  readonly #options: LinkedEdgeFootageOptions;
  readonly #told = new Map<string, Told>();
  readonly #asking = new Map<string, Promise<Told | undefined>>();
  readonly #askingOf = new Map<string, number>();
  /** By node: until when it is not waited for; monotonic. */
  readonly #slow = new Map<string, number>();
  #remembered = 0;

  constructor(options: LinkedEdgeFootageOptions) {
    this.#options = options;
  }

  async list(cameraId: string, { fromMs, toMs }: { fromMs: number; toMs: number }): Promise<OnEdge> {
    const nodeId = await this.#options.nodeOfCamera(cameraId);
    const range = {
      fromMs: Math.floor(fromMs / hourMs) * hourMs,
      toMs: Math.min(Math.ceil(toMs / hourMs) * hourMs, lastHourMs),
    };
    if (range.fromMs >= range.toMs) return nothing;
    const told = await this.#recent(nodeId, cameraId, range);
    if (!told) return nothing;
    const videos = told.videos.filter((video) => video.startTimeMs < toMs && video.endTimeMs > fromMs);
    return { videos, asOfMs: told.asOfMs, isCut: told.isCut };
  }

  async #recent(
    nodeId: string,
    cameraId: string,
    range: { fromMs: number; toMs: number },
  ): Promise<Told | undefined> {
    const { links, clock, patienceMs = defaultPatienceMs } = this.#options;
    const { isConnected, sinceMs: linkedAtMs } = links.stateOf(nodeId);
    if (!isConnected) return undefined;
    const key = `${cameraId} ${range.fromMs} ${range.toMs}`;
    const before = this.#told.get(key);
    const known = before?.nodeId === nodeId && before.linkedAtMs === linkedAtMs ? before : undefined;
    const nowMs = clock.monotonicMs();
    if (known && nowMs - known.atMs < freshMs) return known;
    const asked = this.#ask(key, { nodeId, cameraId, linkedAtMs, range });
    if (!asked || (this.#slow.get(nodeId) ?? nowMs) > nowMs) return known;
    const enough = new AbortController();
    const late = sleep(patienceMs, enough.signal).then(() => "late" as const);
    const answer = await Promise.race([asked, late]);
    enough.abort();
    if (answer !== "late") return answer ?? known;
    this.#slow.set(nodeId, clock.monotonicMs() + slowMs);
    return known;
  }

  /** Never rejects: undefined when the node does not say it. Undefined at once when it has enough to answer. */
  #ask(
    key: string,
    asked: {
      nodeId: string;
      cameraId: string;
      linkedAtMs: number | undefined;
      range: { fromMs: number; toMs: number };
    },
  ): Promise<Told | undefined> | undefined {
    const running = this.#asking.get(key);
    if (running) return running;
    const { nodeId, cameraId } = asked;
    const count = this.#askingOf.get(nodeId) ?? 0;
    if (count >= maxAsking) return undefined;
    this.#askingOf.set(nodeId, count + 1);
    const asking = this.#askAll(asked)
      .then((told) => {
        this.#remember(key, told);
        this.#slow.delete(nodeId);
        return told;
      })
      .catch((error: unknown) => {
        const isUsual = ["not_supported", "unavailable", "no_answer"].includes(errorCodeOf(error));
        this.#options.logger[isUsual ? "debug" : "error"]("a node does not tell what it has", {
          ...{ node_id: nodeId, camera_id: cameraId, error: describeError(error) },
        });
        return undefined;
      })
      .finally(() => {
        this.#asking.delete(key);
        const left = (this.#askingOf.get(nodeId) ?? 1) - 1;
        if (left > 0) this.#askingOf.set(nodeId, left);
        else this.#askingOf.delete(nodeId);
      });
    this.#asking.set(key, asking);
    return asking;
  }

  async #askAll({
    nodeId,
    cameraId,
    linkedAtMs,
    range,
  }: {
    nodeId: string;
    cameraId: string;
    linkedAtMs: number | undefined;
    range: { fromMs: number; toMs: number };
  }): Promise<Told> {
    const { links, clock, isKnown } = this.#options;
    const asOfMs = clock.wallMs();
    const videos: EdgeVideo[] = [];
    const archived = new Set<string>();
    let hasMore = true;
    for (let page = 0; page < maxPages && hasMore; page++) {
      const after = videos.at(-1)?.videoId;
      const params = {
        ...{ camera_id: cameraId, from: formatWireTime(range.fromMs), to: formatWireTime(range.toMs) },
        ...{ after, limit: footageLimits.segments },
      };
      const answer = await links.request(nodeId, "segments", params, askDeadlineMs);
      const found = parseSegmentPage(answer, { nodeId, cameraId, after });
      videos.push(...found.videos);
      for (const videoId of found.archived) archived.add(videoId);
      hasMore = found.hasMore;
    }
    // The hub may have it, and only its answer have been lost.
    for (const videoId of archived) if (!(await isKnown(videoId))) archived.delete(videoId);
    const unknown = videos.filter(({ videoId }) => !archived.has(videoId));
    unknown.sort((a, b) => a.startTimeMs - b.startTimeMs);
    return { nodeId, linkedAtMs, atMs: clock.monotonicMs(), asOfMs, videos: unknown, isCut: hasMore };
  }

  #remember(key: string, told: Told): void {
    this.#forget(key);
    this.#told.set(key, told);
    this.#remembered += 1 + told.videos.length;
    for (const oldest of this.#told.keys()) {
      if (this.#remembered <= maxRemembered) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    const told = this.#told.get(key);
    if (!told) return;
    this.#told.delete(key);
    this.#remembered -= 1 + told.videos.length;
  }
}
