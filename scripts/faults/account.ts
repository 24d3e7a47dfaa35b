import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { verifyArchiveFile } from "../../src/common/mp4/verify-file.ts";
import { type FaultSite, fragmentSeconds } from "./fault-site.ts";

interface VideoJson {
  video_id: string;
  file_path: string;
  start_time: string;
  end_time: string;
  created_at: string;
  mock?: boolean;
}

interface GapJson {
  from_time: string;
  to_time: string;
  cause: string;
}

interface Span {
  fromMs: number;
  toMs: number;
}

export interface Account {
  lostMs: number;
  /** What of a kill's loss was recorded before it: from the end of what is kept to the kill. */
  lostBeforeKillsMs: number[];
  causes: string[];
  /** What is not as promised. */
  broken: string[];
}

/** Two frames of the camera, and what the wire's milliseconds round off. */
const leastMs = 102;
/** Start-ups and clocks read one after the other. */
const toleratedMs = 300;

/** What the hub and the archive have, once all is over: what is missing, and whether it is all told and whole. */
export async function takeAccount(site: FaultSite): Promise<Account> {
  const videos = await allOf<VideoJson>(site, "videos");
  const gaps = await allOf<GapJson>(site, "gaps");
  const real = videos.filter(({ mock }) => mock !== true);
  // Where the clock was set back, time comes twice: then the order in which the hub was told is that of the footage.
  const inOrder = site.time ? real.toSorted((a, b) => a.created_at.localeCompare(b.created_at)) : real;
  const holes = holesBetween(inOrder.map(spanOf));
  const told = gaps.map(({ from_time, to_time }) => ({
    fromMs: Date.parse(from_time),
    toMs: Date.parse(to_time),
  }));
  // A clock that was set forward leaves out time that never was.
  const never = told.filter((_, i) => gaps[i]?.cause === "clock_stepped");
  const lostMs = lengthOf(holes) - holes.reduce((sum, hole) => sum + overlap(hole, never), 0);
  const untoldMs = holes.reduce((sum, hole) => sum + hole.toMs - hole.fromMs - overlap(hole, told), 0);
  const broken = untoldMs > toleratedMs ? [`${(untoldMs / 1000).toFixed(1)} s missing without a gap`] : [];

  const names = (await readdir(site.site.archive, { recursive: true })).sort();
  const paths = names.filter((name) => name.endsWith(".mp4"));
  const known = videos.map(({ file_path }) => file_path).sort();
  if (known.join() !== paths.join()) broken.push(`${paths.length} files, ${known.length} videos`);
  if (new Set(videos.map(({ video_id }) => video_id)).size !== videos.length) broken.push("a video twice");
  if (names.some((name) => name.endsWith(".partial"))) broken.push("a half file is left");
  for (const path of paths) {
    if (!(await verifyArchiveFile(join(site.site.archive, path))).ok) broken.push(`${path} is not whole`);
  }
  const lostBeforeKillsMs = site.killsMs.flatMap((killMs) => {
    const last = real.map(spanOf).findLast(({ fromMs }) => fromMs < killMs);
    return last ? [Math.max(0, killMs - last.toMs)] : [];
  });
  return { lostMs, lostBeforeKillsMs, causes: [...new Set(gaps.map(({ cause }) => cause))], broken };
}

/** `at most 0.31 s before a kill, a fragment has 0.25 s` */
export function describeKills({ lostBeforeKillsMs }: Account): string {
  const most = Math.max(...lostBeforeKillsMs) / 1000;
  return `of it before the kill at most ${most.toFixed(2)} s (a fragment has ${fragmentSeconds} s)`;
}

async function allOf<T>(site: FaultSite, what: "videos" | "gaps"): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Record<string, unknown> = await site.get(`/api/${what}?order=oldest_first&limit=200${query}`);
    items.push(...(page[what] as T[]));
    cursor = page.next_cursor as string | null;
  }
  return items;
}

function spanOf({ start_time, end_time }: VideoJson): Span {
  return { fromMs: Date.parse(start_time), toMs: Date.parse(end_time) };
}

/** Between each and the next, where it is more than nothing. */
export function holesBetween(spans: readonly Span[]): Span[] {
  const holes: Span[] = [];
  for (const [i, { fromMs }] of spans.entries()) {
    const untilMs = spans[i - 1]?.toMs ?? fromMs;
    if (fromMs - untilMs >= leastMs) holes.push({ fromMs: untilMs, toMs: fromMs });
  }
  return holes;
}

function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

function overlap(span: Span, others: readonly Span[]): number {
  return others.reduce(
    (sum, { fromMs, toMs }) => sum + Math.max(0, Math.min(span.toMs, toMs) - Math.max(span.fromMs, fromMs)),
    0,
  );
}
