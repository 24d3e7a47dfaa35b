import { newUuidV7 } from "../../common/ids.ts";
import { maxReportedAlerts, type ReportedAlert } from "../../common/protocol/alert.ts";
import { formatWireTime, plainTextOf } from "../../common/protocol/wire.ts";
import type { Condition } from "./alert-rules.ts";

export interface AlertTimes {
  wallMs: number;
  monotonicMs: number;
}

/** What survives a restart of the process. */
export interface AlertMemory {
  alerts: readonly ReportedAlert[];
  /** By code, how often it had happened when it was last looked at. */
  counters: Readonly<Record<string, number>>;
}

interface Entry {
  isActive: boolean;
  /** Since when the condition says something else than `isActive`; monotonic ms. */
  changingSinceMs: number | undefined;
  /** Of a counter that grew; monotonic ms. */
  grewAtMs: number | undefined;
  /** What the hub has yet to hear, or goes on. */
  alert: ReportedAlert | undefined;
  refreshedAtMs: number;
}

/** Of all of them in one heartbeat, which a hub takes up to 256 KiB of. */
const maxListBytes = 96 * 1024;
/** The figures in a message that goes on are brought up to date no more often. */
const refreshMs = 60_000;

const keyOf = (code: string, cameraId: string | null) => `${code}/${cameraId ?? ""}`;

/**
 * What is wrong, and what was and the hub has not heard of yet. One that comes again before the hub has heard of its
 * end is the same one, counted: however often it comes and goes, a node has at most one alert per condition to tell.
 */
export class AlertBook {
  readonly #entries = new Map<string, Entry>();
  readonly #counters = new Map<string, number>();

  constructor(memory: AlertMemory = { alerts: [], counters: {} }) {
    for (const alert of memory.alerts) {
      const entry = this.#entryOf(keyOf(alert.code, alert.camera_id));
      entry.isActive = alert.cleared_at === null;
      entry.alert = alert;
    }
    for (const [code, count] of Object.entries(memory.counters)) this.#counters.set(code, count);
  }

  isActive(code: string, cameraId: string | null): boolean {
    return this.#entries.get(keyOf(code, cameraId))?.isActive ?? false;
  }

  /** Takes in all that may be wrong now; answers what was raised, and what is over. */
  update(
    conditions: readonly Condition[],
    times: AlertTimes,
  ): { raised: ReportedAlert[]; cleared: ReportedAlert[]; isChanged: boolean } {
    const raised: ReportedAlert[] = [];
    const cleared: ReportedAlert[] = [];
    let isChanged = false;
    const named = new Set<string>();
    for (const condition of conditions) {
      const key = keyOf(condition.code, condition.cameraId);
      named.add(key);
      const entry = this.#entryOf(key);
      const { counter } = condition;
      if (counter) isChanged = this.#count(condition.code, counter.count, entry, times) || isChanged;
      const holds = counter ? hasGrown(entry, counter.quietMs, times) : condition.holds;
      switch (this.#turn(entry, holds, condition, times)) {
        case "raise":
          raised.push(this.#raise(entry, condition, times));
          break;
        case "clear":
          cleared.push(...this.#clear(entry, times));
          break;
        case "stay":
          if (entry.isActive && holds) this.#refresh(entry, condition, times);
      }
    }
    // Of a camera that is no more.
    for (const [key, entry] of this.#entries) {
      if (!named.has(key) && entry.isActive) cleared.push(...this.#clear(entry, times));
    }
    return { raised, cleared, isChanged: isChanged || raised.length > 0 || cleared.length > 0 };
  }

  /** For a heartbeat: those that go on first, the most severe first. */
  list(): ReportedAlert[] {
    const rank = ({ cleared_at, severity }: ReportedAlert) =>
      (cleared_at === null ? 0 : 2) + (severity === "critical" ? 0 : 1);
    const sorted = [...this.#entries.values()]
      .flatMap(({ alert }) => alert ?? [])
      .sort((a, b) => rank(a) - rank(b) || (a.raised_at < b.raised_at ? -1 : 1));
    let bytes = 0;
    const end = sorted.findIndex((alert) => {
      bytes += Buffer.byteLength(JSON.stringify(alert));
      return bytes > maxListBytes;
    });
    return sorted.slice(0, Math.min(maxReportedAlerts, end === -1 ? sorted.length : end));
  }

  /** The hub has heard of these: what is over need not be told again. True when that changed anything. */
  heard(alerts: readonly ReportedAlert[]): boolean {
    let isChanged = false;
    for (const { alert_id, cleared_at, code, camera_id } of alerts) {
      const entry = this.#entries.get(keyOf(code, camera_id));
      // It may have come again meanwhile.
      if (cleared_at === null || entry?.alert?.alert_id !== alert_id || entry.isActive) continue;
      if (entry.alert.cleared_at !== cleared_at) continue;
      entry.alert = undefined;
      isChanged = true;
    }
    return isChanged;
  }

  memory(): AlertMemory {
    return {
      alerts: [...this.#entries.values()].flatMap(({ alert }) => alert ?? []),
      counters: Object.fromEntries(this.#counters),
    };
  }

  #entryOf(key: string): Entry {
    let entry = this.#entries.get(key);
    if (!entry) {
      entry = {
        ...{ isActive: false, changingSinceMs: undefined, grewAtMs: undefined, alert: undefined },
        refreshedAtMs: 0,
      };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  /** True when the count is to be remembered. */
  #count(code: string, count: number, entry: Entry, { monotonicMs }: AlertTimes): boolean {
    const known = this.#counters.get(code);
    if (known === count) return false;
    if (known !== undefined && count > known) entry.grewAtMs = monotonicMs;
    this.#counters.set(code, count);
    return true;
  }

  #turn(
    entry: Entry,
    holds: boolean | undefined,
    { raiseAfterMs, clearAfterMs }: Condition,
    { monotonicMs }: AlertTimes,
  ): "raise" | "clear" | "stay" {
    if (holds === undefined || holds === entry.isActive) {
      entry.changingSinceMs = undefined;
      return "stay";
    }
    entry.changingSinceMs ??= monotonicMs;
    if (monotonicMs - entry.changingSinceMs < (holds ? raiseAfterMs : clearAfterMs)) return "stay";
    entry.changingSinceMs = undefined;
    return holds ? "raise" : "clear";
  }

  #raise(entry: Entry, condition: Condition, { wallMs, monotonicMs }: AlertTimes): ReportedAlert {
    const { code, cameraId, severity } = condition;
    const before = entry.alert;
    entry.isActive = true;
    entry.refreshedAtMs = monotonicMs;
    entry.alert = {
      alert_id: before?.alert_id ?? newUuidV7(wallMs),
      ...{ code, severity, camera_id: cameraId },
      ...wordsOf(condition),
      raised_at: before?.raised_at ?? formatWireTime(wallMs),
      cleared_at: null,
      count: (before?.count ?? 0) + 1,
    };
    return entry.alert;
  }

  #clear(entry: Entry, { wallMs }: AlertTimes): ReportedAlert[] {
    entry.isActive = false;
    if (!entry.alert) return [];
    entry.alert = { ...entry.alert, cleared_at: formatWireTime(wallMs) };
    return [entry.alert];
  }

  #refresh(entry: Entry, condition: Condition, { monotonicMs }: AlertTimes): void {
    if (!entry.alert || monotonicMs - entry.refreshedAtMs < refreshMs) return;
    entry.refreshedAtMs = monotonicMs;
    entry.alert = { ...entry.alert, ...wordsOf(condition) };
  }
}

function hasGrown({ grewAtMs }: Entry, quietMs: number, { monotonicMs }: AlertTimes): boolean {
  return grewAtMs !== undefined && monotonicMs - grewAtMs < quietMs;
}

/** Foreign words may hold anything; the protocol takes no control characters. */
function wordsOf({ message, params }: Condition): Pick<ReportedAlert, "message" | "params"> {
  return {
    message: plainTextOf(message, 500),
    params: Object.fromEntries(
      Object.entries(params).map(([name, value]) => [
        name,
        typeof value === "string" ? plainTextOf(value, 500) : value,
      ]),
    ),
  };
}
