import { type Clock, sleep } from "../../common/clock.ts";
import { AppError, errorCodeOf } from "../../common/errors.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { protocolVersion } from "../../common/protocol/announce.ts";
import type { GapReport } from "../../common/protocol/gap.ts";
import type { JournalEntry } from "./acknowledged-journal.ts";
import type { HubClient } from "./hub-client.ts";

export interface ReplayOptions {
  nodeId: string;
  hub: Pick<HubClient, "announce" | "reportGaps">;
  /** Called once everything before this bookmark has been told again. */
  onPassed: (bookmark: string) => Promise<void>;
  clock: Clock;
  logger: Logger;
  /** Most entries told in one go. */
  batchSize: number;
}

/** What became of the entries that were told again. */
export interface ReplayTally {
  /** The hub lacked them. */
  stored: number;
  known: number;
  /** It has something else in their place, or refuses them: logged, and left out. */
  refused: number;
}

/**
 * Of the time that the hub took: the longer it takes, the longer it is left alone. Of a hundred nodes that tell it again
 * at once ten wait for an answer, not all of them, and whoever announces something new waits for as few.
 */
const pauseFactor = 9;

type Video = Extract<JournalEntry, { video: unknown }>["video"];
type Gap = Extract<JournalEntry, { gap: unknown }>["gap"];

/**
 * Tells the hub again what it once acknowledged, in order and in batches. Rejects as the hub's client does, and when
 * aborted.
 */
export async function replay(
  entries: AsyncIterable<JournalEntry>,
  options: ReplayOptions,
  signal: AbortSignal,
): Promise<ReplayTally> {
  const { onPassed, clock, batchSize } = options;
  const tally: ReplayTally = { stored: 0, known: 0, refused: 0 };
  let videos: Video[] = [];
  let gaps: Gap[] = [];
  let passed: string | undefined;
  const tell = async () => {
    const startedMs = clock.monotonicMs();
    await tellVideos(videos, options, tally, signal);
    await tellGaps(gaps, options, tally, signal);
    [videos, gaps] = [[], []];
    if (passed !== undefined) await onPassed(passed);
    passed = undefined;
    await sleep((clock.monotonicMs() - startedMs) * pauseFactor, signal);
    if (signal.aborted) throw new AppError("cancelled", "the node is stopping");
  };
  for await (const entry of entries) {
    if ("video" in entry) videos.push(entry.video);
    else if ("gap" in entry) gaps.push(entry.gap);
    else passed = entry.bookmark;
    if (videos.length + gaps.length >= batchSize) await tell();
  }
  if (videos.length + gaps.length > 0) await tell();
  return tally;
}

async function tellVideos(
  videos: readonly Video[],
  options: ReplayOptions,
  tally: ReplayTally,
  signal: AbortSignal,
): Promise<void> {
  await byHalves(videos, options, tally, async (part) => {
    const { results } = await options.hub.announce(
      { protocol_version: protocolVersion, videos: [...part] },
      signal,
    );
    const resultOf = new Map(results.map((result) => [result.video_id, result]));
    if (part.some(({ video_id }) => !resultOf.has(video_id))) {
      throw new AppError("unavailable", "the hub acknowledged only some of them");
    }
    for (const { video_id } of part) {
      const found = resultOf.get(video_id);
      if (found?.result === "stored") tally.stored++;
      else if (found?.result === "duplicate") tally.known++;
      else {
        tally.refused++;
        options.logger.error("the hub now has something else under this id or path", {
          video_id,
          known_sha256: found?.known_sha256,
          detail: found?.detail,
        });
      }
    }
  });
}

async function tellGaps(
  gaps: readonly Gap[],
  options: ReplayOptions,
  tally: ReplayTally,
  signal: AbortSignal,
): Promise<void> {
  await byHalves(gaps, options, tally, async (part) => {
    const report: GapReport = { protocol_version: protocolVersion, gaps: [...part] };
    const { stored, known } = await options.hub.reportGaps(options.nodeId, report, signal);
    // An answer is about all of them or about none.
    if (stored + known !== part.length) {
      throw new AppError("unavailable", `the hub has ${stored + known} of ${part.length} gaps`);
    }
    tally.stored += stored;
    tally.known += known;
  });
}

/** What the hub refuses as invalid is found by halves, logged, and left out. */
async function byHalves<Item>(
  items: readonly Item[],
  options: ReplayOptions,
  tally: ReplayTally,
  tell: (part: readonly Item[]) => Promise<void>,
): Promise<void> {
  if (items.length === 0) return;
  try {
    await tell(items);
  } catch (error) {
    if (errorCodeOf(error) !== "invalid_input") throw error;
    if (items.length === 1) {
      tally.refused++;
      options.logger.error("the hub refuses what it once acknowledged", {
        item: JSON.stringify(items[0]).slice(0, 300),
        ...errorFields(error),
      });
      return;
    }
    const half = Math.ceil(items.length / 2);
    await byHalves(items.slice(0, half), options, tally, tell);
    await byHalves(items.slice(half), options, tally, tell);
  }
}
