import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Clock } from "../../common/clock.ts";
import type { HealthService, PartStatus } from "./health-service.ts";
import { partStates } from "./health-service.ts";

export interface Answer {
  path: string;
  status: number;
  tookMs: number;
}

/** What the hub made in other qualities; counts since its start. */
export interface TranscodingFigures {
  running: number;
  waiting: number;
  made: number;
  failed: number;
  cancelled: number;
  cacheHits: number;
  cacheMisses: number;
  cacheBytes: number;
}

/** A video that was read so lately is being watched: players read on every few seconds. */
const streamMs = 60_000;
/** More videos at a time are not told apart. */
const maxStreams = 10_000;
const streamPath = /^\/api\/videos\/([0-9a-f-]{36})\/(?:stream(?:\.mp4)?|parts\/.*)$/;

/** Since the start; waiting are those being made, too. */
export interface PreviewCounts {
  made: number;
  failed: number;
  waiting: number;
}

export interface HubMetricsOptions {
  health: HealthService;
  previews: () => PreviewCounts;
  /** What goes on beside the reading of videos. */
  running?: () => { liveViews: number; exports: number };
  /** Undefined where nothing is transcoded. */
  transcoding?: () => TranscodingFigures | undefined;
  /** Errors logged since the start, by module. */
  errorCounts?: () => ReadonlyMap<string, number>;
  clock: Clock;
}

/** The hub's figures for Prometheus; docs/metrics.md has the list. Labels have few values. */
export class HubMetrics {
  readonly #registry = new Registry();
  readonly #clock: Clock;
  readonly #health: HealthService;
  readonly #previews: () => PreviewCounts;
  readonly #running: () => { liveViews: number; exports: number };
  readonly #durations: Histogram<"code">;
  readonly #transcoding: () => TranscodingFigures | undefined;
  readonly #errorCounts: () => ReadonlyMap<string, number>;
  /** When each video was read last, the longest ago first. */
  readonly #streams = new Map<string, number>();

  constructor(options: HubMetricsOptions) {
    this.#health = options.health;
    this.#previews = options.previews;
    this.#running = options.running ?? (() => ({ liveViews: 0, exports: 0 }));
    this.#clock = options.clock;
    this.#transcoding = options.transcoding ?? (() => undefined);
    this.#errorCounts = options.errorCounts ?? (() => new Map());
    this.#durations = new Histogram({
      name: "livecam_hub_http_request_duration_seconds",
      help: "Until an answer began, by the first digit of its status.",
      labelNames: ["code"],
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [this.#registry],
    });
  }

  /** Of every request, so it has to be quick. */
  answered({ path, status, tookMs }: Answer): void {
    this.#durations.observe({ code: `${Math.floor(status / 100)}xx` }, tookMs / 1000);
    if (status !== 200 && status !== 206) return;
    const videoId = streamPath.exec(path)?.[1];
    if (videoId === undefined) return;
    this.#streams.delete(videoId);
    this.#streams.set(videoId, this.#clock.monotonicMs());
    if (this.#streams.size > maxStreams) this.#forgetOldest();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    const { parts, state, softwareVersion, uptimeSeconds } = await this.#health.status();
    const now = new Registry();
    const gauge = (name: string, help: string, values: [Record<string, string>, unknown][]) => {
      const known = values.filter(([, value]) => typeof value === "number" && Number.isFinite(value));
      if (known.length === 0) return;
      const labelNames = Object.keys(known[0]?.[0] ?? {});
      const made = new Gauge({ name: `livecam_hub_${name}`, help, labelNames, registers: [now] });
      for (const [labels, value] of known) made.set(labels, value as number);
    };
    const counter = (name: string, help: string, label: string, values: Iterable<[string, number]>) => {
      const made = new Counter({ name: `livecam_hub_${name}`, help, labelNames: [label], registers: [now] });
      for (const [of, value] of values) made.inc({ [label]: of }, value);
    };
    const figure = (part: PartStatus, name: string) => part.figures[name];
    const { user, system } = process.cpuUsage();
    gauge("info", "Always 1; who this is.", [[{ version: softwareVersion }, 1]]);
    gauge("uptime_seconds", "Since its start.", [[{}, uptimeSeconds]]);
    gauge("resident_memory_bytes", "Memory of the process.", [[{}, process.memoryUsage.rss()]]);
    gauge("cpu_seconds", "Processor time of the process, user and system.", [[{}, (user + system) / 1e6]]);
    gauge("active_streams", "Videos that were read in the last minute.", [[{}, this.#activeStreams()]]);
    const { liveViews, exports } = this.#running();
    gauge("live_views", "Live views that are open; those by HLS of one camera are one.", [[{}, liveViews]]);
    gauge("exports", "Clips, ZIPs and evidence that are being sent.", [[{}, exports]]);
    const { made, failed, waiting } = this.#previews();
    counter("errors_total", "Errors logged since start.", "module", this.#errorCounts());
    counter("previews_total", "Videos whose previews were made, and tries that failed.", "result", [
      ["made", made],
      ["failed", failed],
    ]);
    gauge("previews_waiting", "Videos whose previews are being made or wait for it.", [[{}, waiting]]);
    const all = {
      system: state,
      ...Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.state])),
    };
    gauge(
      "part_state",
      "1 for the state that the system and each of its parts is in.",
      Object.entries(all).flatMap(([part, is]) =>
        partStates.map((word): [Record<string, string>, number] => [
          { part, state: word },
          Number(word === is),
        ]),
      ),
    );
    gauge(
      "nodes",
      "Nodes by the age of their last heartbeat.",
      ["online", "late", "offline", "never_seen"].map((status) => [{ status }, figure(parts.nodes, status)]),
    );
    gauge("alerts", "Alerts that go on; docs/alerts.md.", [
      [{ severity: "critical" }, figure(parts.nodes, "critical_alerts")],
      [{ severity: "warning" }, figure(parts.nodes, "warning_alerts")],
    ]);
    gauge("archive_free_bytes", "Room in the archive.", [[{}, figure(parts.archive, "free_bytes")]]);
    gauge("archive_total_bytes", "Size of the archive's file system.", [
      [{}, figure(parts.archive, "total_bytes")],
    ]);
    gauge("disk_free_bytes", "Room on the hub's own disk.", [[{}, figure(parts.disk, "free_bytes")]]);
    gauge("disk_total_bytes", "Size of the hub's own disk.", [[{}, figure(parts.disk, "total_bytes")]]);
    const answerMs = figure(parts.catalog, "answer_ms");
    gauge("catalog_answer_seconds", "How long the catalog took to answer.", [
      [{}, typeof answerMs === "number" ? answerMs / 1000 : undefined],
    ]);
    addTranscoding(now, this.#transcoding());
    return `${(await now.metrics()).trimEnd()}\n${await this.#registry.metrics()}`;
  }

  #activeStreams(): number {
    this.#forgetOldest();
    return this.#streams.size;
  }

  #forgetOldest(): void {
    const untilMs = this.#clock.monotonicMs() - streamMs;
    for (const [videoId, atMs] of this.#streams) {
      if (atMs >= untilMs && this.#streams.size <= maxStreams) return;
      this.#streams.delete(videoId);
    }
  }
}

function addTranscoding(registry: Registry, figures: TranscodingFigures | undefined): void {
  if (figures === undefined) return;
  const registers = [registry];
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `livecam_hub_${name}`, help, labelNames, registers });
  const counts = (name: string, help: string, byResult: Record<string, number>) => {
    const counter = new Counter({ name: `livecam_hub_${name}`, help, labelNames: ["result"], registers });
    for (const [result, count] of Object.entries(byResult)) counter.inc({ result }, count);
  };
  const { running, waiting, made, failed, cancelled, cacheHits, cacheMisses, cacheBytes } = figures;
  const states = gauge("transcodes", "Parts that are being made in another quality.", ["state"]);
  states.set({ state: "running" }, running);
  states.set({ state: "waiting" }, waiting);
  counts("transcodes_total", "How making a part in another quality ended.", { made, failed, cancelled });
  counts("transcode_cache_requests_total", "Parts in other qualities by whether they were kept.", {
    ...{ hit: cacheHits, miss: cacheMisses },
  });
  gauge("transcode_cache_bytes", "What is kept of parts in other qualities.").set(cacheBytes);
}
