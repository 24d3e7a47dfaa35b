import type { View } from "./plan-view.ts";
import { wallMs } from "./wall-clock.ts";

export interface Gap extends View {
  cause: string;
}

export interface OnEdge extends View {
  status: "recording" | "on_edge" | "uploading";
  /** 0 to 1. */
  progress: number;
}

export interface ListedVideo extends View {
  videoId: string;
  fps: number;
  hasSound: boolean;
}

/** What is known of a day of UTC. */
interface Chunk {
  recorded: View[];
  mock: View[];
  gaps: Gap[];
  videos: ListedVideo[];
}

const chunkMs = 86_400_000;
/** More are forgotten, the oldest first: a month on the screen is more than anybody drags along. */
const maxChunks = 60;
const joinMs = 1_000;

interface SpanJson {
  from_time: string;
  to_time: string;
}

interface EdgeVideoJson {
  start_time: string;
  end_time: string;
  status: OnEdge["status"];
  progress: number;
  mock: boolean;
}

const spanOf = ({ from_time, to_time }: SpanJson): View => ({
  fromMs: Date.parse(from_time),
  toMs: Date.parse(to_time),
});

/** What a camera has and has not, fetched day by day as it is looked at. */
export class TimelineData {
  readonly cameraId: string;
  readonly #onChange: () => void;
  readonly #chunks = new Map<number, Chunk>();
  readonly #loading = new Map<number, Promise<Chunk | undefined>>();
  /** What was told first of what is on the edge: the moment that a link leads to may be there. */
  #firstOnEdge: Promise<void> | undefined;
  onEdge: readonly OnEdge[] = [];
  /** The hub did not answer the last time. */
  isUnanswered = false;

  constructor(cameraId: string, onChange: () => void) {
    this.cameraId = cameraId;
    this.#onChange = onChange;
  }

  /** Sees to it that a range is known soon. */
  want({ fromMs, toMs }: View): void {
    const lastMs = Math.min(toMs, wallMs());
    for (let index = Math.floor(fromMs / chunkMs); index * chunkMs < lastMs; index++) void this.#chunk(index);
  }

  /** Again, because more may have come. */
  async refresh(): Promise<void> {
    const now = wallMs();
    const onEdge = this.#loadOnEdge(now);
    this.#firstOnEdge ??= onEdge;
    const [chunk] = await Promise.all([this.#load(Math.floor(now / chunkMs)), onEdge]);
    if (chunk) this.#keep(Math.floor(now / chunkMs), chunk);
    this.#onChange();
  }

  /** What is on the edge alone, which changes by the second. */
  async refreshEdge(): Promise<void> {
    await this.#loadOnEdge(wallMs());
    this.#onChange();
  }

  get isUploading(): boolean {
    return this.onEdge.some(({ status }) => status === "uploading");
  }

  /** Of what is known, by start. */
  recorded(view: View): View[] {
    return joined(this.#in(view).flatMap(({ recorded }) => recorded));
  }

  mock(view: View): View[] {
    return joined(this.#in(view).flatMap(({ mock }) => mock));
  }

  gaps(view: View): Gap[] {
    return this.#in(view).flatMap(({ gaps }) => gaps);
  }

  videoAt(atMs: number): ListedVideo | undefined {
    const videos = this.#chunks.get(Math.floor(atMs / chunkMs))?.videos;
    return videos?.findLast(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs);
  }

  /** As much of a range around a moment, as far as it is known, as has sound throughout, or none. */
  alike(atMs: number, { fromMs, toMs }: View): View {
    const videos = this.#in({ fromMs, toMs }).flatMap((chunk) => chunk.videos);
    const first = videos.find((video) => video.toMs > atMs);
    const differs = (video: ListedVideo) => video.hasSound !== first?.hasSound;
    if (first === undefined) return { fromMs, toMs };
    const before = videos.findLast((video) => video.toMs <= atMs && differs(video));
    const after = videos.find((video) => video.fromMs > atMs && differs(video));
    return { fromMs: Math.max(fromMs, before?.toMs ?? fromMs), toMs: Math.min(toMs, after?.fromMs ?? toMs) };
  }

  gapAt(atMs: number): Gap | undefined {
    return this.gaps({ fromMs: atMs, toMs: atMs + 1 }).find(
      ({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs,
    );
  }

  isRecordedAt(atMs: number): boolean {
    const { recorded = [] } = this.#chunks.get(Math.floor(atMs / chunkMs)) ?? {};
    return recorded.some(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs);
  }

  /** Recorded, and not in the archive yet. */
  isOnEdgeAt(atMs: number): boolean {
    return !this.isRecordedAt(atMs) && this.onEdge.some(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs);
  }

  /** The moment, where it is recorded; else the next that is, within a week; else the last before it. None without an answer. */
  async nearest(atMs: number): Promise<number | undefined> {
    const next = await this.nextFrom(atMs);
    if (next !== undefined || this.isUnanswered) return next;
    const first = Math.floor(atMs / chunkMs);
    for (let index = first; index > first - 8; index--) {
      const before = (await this.#chunk(index))?.recorded.findLast(({ toMs }) => toMs <= atMs);
      if (before) return Math.max(before.fromMs, before.toMs - 1_000);
    }
    return undefined;
  }

  /** The moment, or the next that is recorded, archived or on the edge, within a week. */
  async nextFrom(atMs: number): Promise<number | undefined> {
    await this.#firstOnEdge;
    const after = (spans: readonly View[]) => {
      const span = spans.find(({ toMs }) => toMs > atMs);
      return span && Math.max(span.fromMs, atMs);
    };
    const onEdge = after(this.onEdge);
    const first = Math.floor(atMs / chunkMs);
    for (let index = first; index < first + 8 && index * chunkMs <= wallMs(); index++) {
      const chunk = await this.#chunk(index);
      if (!chunk && this.isUnanswered) return undefined;
      const archived = after(chunk?.recorded ?? []);
      if (archived !== undefined) return Math.min(archived, onEdge ?? archived);
    }
    return onEdge;
  }

  /** Where what is on the edge ends. */
  get edgeEndMs(): number {
    return this.onEdge.at(-1)?.toMs ?? 0;
  }

  /** Where what is known ends. */
  get newestMs(): number {
    return Math.max(0, ...[...this.#chunks.values()].map(({ recorded }) => recorded.at(-1)?.toMs ?? 0));
  }

  #in({ fromMs, toMs }: View): Chunk[] {
    const found: Chunk[] = [];
    for (let index = Math.floor(fromMs / chunkMs); index * chunkMs < toMs; index++) {
      const chunk = this.#chunks.get(index);
      if (chunk) found.push(chunk);
    }
    return found;
  }

  #chunk(index: number): Promise<Chunk | undefined> {
    const known = this.#chunks.get(index);
    if (known) return Promise.resolve(known);
    let loading = this.#loading.get(index);
    if (!loading) {
      loading = this.#load(index).then((chunk) => {
        this.#loading.delete(index);
        if (chunk) this.#keep(index, chunk);
        return chunk;
      });
      this.#loading.set(index, loading);
    }
    return loading;
  }

  #keep(index: number, chunk: Chunk): void {
    this.#chunks.delete(index);
    this.#chunks.set(index, chunk);
    for (const oldest of this.#chunks.keys()) {
      if (this.#chunks.size <= maxChunks) break;
      this.#chunks.delete(oldest);
    }
    this.#onChange();
  }

  /** Undefined when the hub does not say; it is asked again when the time is looked at again. */
  async #load(index: number): Promise<Chunk | undefined> {
    const chunk: Chunk = { recorded: [], mock: [], gaps: [], videos: [] };
    const toMs = (index + 1) * chunkMs;
    for (let fromMs = index * chunkMs; fromMs < toMs; ) {
      const json = await this.#get("timeline", { fromMs, toMs });
      if (!json) return undefined;
      chunk.recorded.push(...json.recorded.map(spanOf));
      chunk.mock.push(...json.mock.map(spanOf));
      chunk.gaps.push(
        ...json.gaps.map((gap: SpanJson & { cause: string }) => ({ ...spanOf(gap), cause: gap.cause })),
      );
      for (const { video_id, start_time, end_time, fps, codec } of json.videos ?? []) {
        chunk.videos.push({
          videoId: video_id,
          fps,
          // As RFC 6381 writes them, the picture's first.
          hasSound: String(codec).includes(","),
          ...spanOf({ from_time: start_time, to_time: end_time }),
        });
      }
      fromMs = Date.parse(json.to_time);
    }
    return chunk;
  }

  async #loadOnEdge(now: number): Promise<void> {
    const json = await this.#get("on-edge", { fromMs: now - chunkMs, toMs: now + 3_600_000 });
    if (!json) return;
    const videos: EdgeVideoJson[] = json.videos;
    this.onEdge = videos
      .filter(({ mock }) => !mock)
      .map((video) => ({
        ...spanOf({ from_time: video.start_time, to_time: video.end_time }),
        ...{ status: video.status, progress: video.progress },
      }));
  }

  // biome-ignore lint/suspicious/noExplicitAny: the answers are the hub's own, of the same release
  async #get(what: string, { fromMs, toMs }: View): Promise<any> {
    const range = new URLSearchParams({ from: isoOf(fromMs), to: isoOf(toMs) });
    const response = await fetch(`/api/cameras/${this.cameraId}/${what}?${range}`).catch(() => undefined);
    // A node that is away is no hub that is.
    if (what === "timeline") this.isUnanswered = response === undefined || response.status >= 500;
    return response?.ok ? await response.json().catch(() => undefined) : undefined;
  }
}

export function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** Those that the border of a day has cut are one again. */
function joined(spans: readonly View[]): View[] {
  const found: View[] = [];
  for (const span of spans) {
    const last = found.at(-1);
    if (last && span.fromMs - last.toMs < joinMs) last.toMs = Math.max(last.toMs, span.toMs);
    else found.push({ ...span });
  }
  return found;
}
