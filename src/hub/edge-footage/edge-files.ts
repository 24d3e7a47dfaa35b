import type { Clock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import { footageLimits } from "../../common/protocol/footage.ts";
import type { LinkFrame } from "../../common/protocol/link-frame.ts";
import { Turns, TurnsByName } from "../turns.ts";
import type { EdgeFile } from "./edge-footage.ts";
import { readSegmentIndex } from "./segment-pages.ts";

export interface EdgeFilesOptions {
  links: {
    /** Throws `unavailable`, `no_answer`, `not_supported`, and what the node says. */
    request(nodeId: string, method: string, params: unknown, deadlineMs: number): Promise<unknown>;
    stateOf(nodeId: string): { isConnected: boolean; sinceMs: number | undefined };
  };
  /** Throws `not_found`. */
  nodeOfCamera: (cameraId: string) => Promise<string>;
  clock: Pick<Clock, "monotonicMs">;
}

/** Of one answer; a viewer holds two at most. */
export const partBytes = 256 * 1024;

/** One that grows is looked at again so often. */
const freshMs = 2_000;
/** Fragments of all files that are remembered, some 100 bytes each; those asked for first are forgotten. */
const maxRemembered = 200_000;
const maxPreferred = 1_000;
const indexDeadlineMs = 20_000;
const readDeadlineMs = 20_000;
const preferDeadlineMs = 10_000;
const refusal = "too much is asked of the node at once; try again in a moment";

interface Known {
  file: EdgeFile;
  /** Of the link by which it was told. */
  linkedAtMs: number | undefined;
  /** Monotonic. */
  atMs: number;
}

/** The files of segments that are still on their nodes: what is where in them, their bytes, and that somebody wants them. */
export class EdgeFiles {
  readonly #options: EdgeFilesOptions;
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<EdgeFile>>();
  readonly #indexTurns = new TurnsByName(() => new Turns({ atOnce: 2, most: 1_000, refusal }));
  readonly #partTurns = new TurnsByName(() => new Turns({ atOnce: 2, most: 100, refusal }));
  /** Bytes on their way to the hub, of all nodes. */
  readonly #allTurns = new Turns({ atOnce: 32, most: 1_000, refusal });
  /** By node, link and segment: those asked for, so that each is once. */
  readonly #preferred = new Set<string>();
  #remembered = 0;

  constructor(options: EdgeFilesOptions) {
    this.#options = options;
  }

  /**
   * The file as the node of that camera has it now, or had it two seconds ago. Throws `not_found`, `not_supported`,
   * `no_answer`, `unavailable`.
   */
  async find(cameraId: string, videoId: string): Promise<EdgeFile> {
    const { links, nodeOfCamera, clock } = this.#options;
    const nodeId = await nodeOfCamera(cameraId);
    const { isConnected, sinceMs: linkedAtMs } = links.stateOf(nodeId);
    const key = `${nodeId} ${cameraId} ${videoId}`;
    const known = this.#known.get(key);
    if (isConnected && known && known.linkedAtMs === linkedAtMs) {
      if (known.file.isComplete || clock.monotonicMs() - known.atMs < freshMs) return known.file;
    }
    const running = this.#asking.get(key);
    if (running) return running;
    const asking = this.#ask({ nodeId, cameraId, videoId })
      .then((file) => {
        this.#remember(key, { file, linkedAtMs, atMs: clock.monotonicMs() });
        return file;
      })
      .finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  /** Bytes from `start` on, up to `end` or fewer, at least one. Throws as {@link find}, and `cancelled`. */
  read(
    { nodeId, videoId }: EdgeFile,
    { start, end }: { start: number; end: number },
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const params = { video_id: videoId, start, end: Math.min(end, start + partBytes) };
    const read = () => this.#options.links.request(nodeId, "read_segment", params, readDeadlineMs);
    return this.#partTurns.take(
      nodeId,
      async () => partOf(await this.#allTurns.take(read, signal), nodeId, params),
      signal,
    );
  }

  /**
   * Moves a segment to the front of its node's upload queue. Without `again` only if that was not asked before, as for
   * each part that a player fetches. Throws as {@link find}.
   */
  async prefer(
    { nodeId, videoId }: Pick<EdgeFile, "nodeId" | "videoId">,
    { again = false } = {},
  ): Promise<void> {
    const { links } = this.#options;
    const key = `${nodeId} ${links.stateOf(nodeId).sinceMs} ${videoId}`;
    if (this.#preferred.has(key) && !again) return;
    const [oldest] = this.#preferred;
    if (this.#preferred.size >= maxPreferred && oldest !== undefined) this.#preferred.delete(oldest);
    this.#preferred.add(key);
    try {
      await links.request(nodeId, "prioritise_upload", { video_id: videoId }, preferDeadlineMs);
    } catch (error) {
      this.#preferred.delete(key);
      throw error;
    }
  }

  /** {@link prefer} for one that somebody asks for by its id. */
  async fetchNext(cameraId: string, videoId: string): Promise<void> {
    await this.prefer(await this.find(cameraId, videoId), { again: true });
  }

  #ask(asked: { nodeId: string; cameraId: string; videoId: string }): Promise<EdgeFile> {
    const { nodeId, videoId } = asked;
    return this.#indexTurns.take(nodeId, () =>
      readSegmentIndex(asked, (firstFragment) => {
        const params = { video_id: videoId, first_fragment: firstFragment };
        return this.#options.links.request(nodeId, "segment_index", params, indexDeadlineMs);
      }),
    );
  }

  #remember(key: string, known: Known): void {
    this.#forget(key);
    this.#known.set(key, known);
    this.#remembered += 1 + known.file.fragments.length;
    for (const oldest of this.#known.keys()) {
      if (this.#remembered <= maxRemembered) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    const known = this.#known.get(key);
    if (!known) return;
    this.#known.delete(key);
    this.#remembered -= 1 + known.file.fragments.length;
  }
}

function partOf(
  answer: unknown,
  nodeId: string,
  asked: { video_id: string; start: number; end: number },
): Uint8Array<ArrayBuffer> {
  const { header, payload } = (answer ?? {}) as Partial<LinkFrame>;
  const isAsked =
    header?.type === "segment_part" && header.video_id === asked.video_id && header.start === asked.start;
  const mostBytes = Math.min(asked.end - asked.start, footageLimits.partBytes);
  if (payload && isAsked && payload.length > 0 && payload.length <= mostBytes) return payload;
  throw new AppError("unavailable", `node ${nodeId} did not answer with the part that it was asked for`);
}
