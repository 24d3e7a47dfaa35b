import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type * as v from "valibot";
import type { Clock } from "../../common/clock.ts";
import type { SystemInfo, Throttling } from "../../common/protocol/node.ts";
import { plainTextOf } from "../../common/protocol/wire.ts";

export interface SystemInfoOptions {
  spoolPath: string;
  /** Null where the machine does not tell. Must not reject. */
  throttling?: () => Promise<Throttling | null>;
  clock: Clock;
  /** Where `/proc`, `/sys` and `/etc` are; another folder in tests. */
  root?: string;
}

/** All but the clock, of which others know. */
type MachineInfo = Omit<v.InferInput<typeof SystemInfo>, "clock">;

interface CpuTimes {
  busy: number;
  total: number;
}

/**
 * How the machine is, from files of the kernel only: no programs are started, so it costs a millisecond. What a
 * machine cannot tell is null, never a guess.
 */
export class SystemInfoReader {
  readonly #spoolPath: string;
  readonly #root: string;
  readonly #clock: Clock;
  readonly #throttling: () => Promise<Throttling | null>;
  #lastCpu: CpuTimes | undefined;
  #last: { atMs: number; info: MachineInfo } | undefined;
  #about: Pick<MachineInfo, "model" | "os" | "cpu_count"> | undefined;

  constructor(options: SystemInfoOptions) {
    this.#spoolPath = options.spoolPath;
    this.#root = options.root ?? "/";
    this.#clock = options.clock;
    this.#throttling = options.throttling ?? (async () => null);
  }

  /** `cpu_usage` is of the time since the call before; null at the first. */
  async read(): Promise<MachineInfo> {
    const info = await this.#read();
    this.#last = { atMs: this.#clock.monotonicMs(), info };
    return info;
  }

  /** As it was read at most `maxAgeMs` ago. */
  async recent(maxAgeMs: number): Promise<MachineInfo> {
    const last = this.#last;
    return last && this.#clock.monotonicMs() - last.atMs <= maxAgeMs ? last.info : this.read();
  }

  async #read(): Promise<MachineInfo> {
    const [spool, throttling] = await Promise.all([
      statfs(this.#spoolPath).catch(() => undefined),
      this.#throttling(),
    ]);
    const memory = this.#text("proc/meminfo");
    const milliCelsius = numberIn(this.#text("sys/class/thermal/thermal_zone0/temp"), /^(-?\d+)/);
    const network = this.#text("proc/net/dev");
    const bytes = network === undefined ? undefined : networkBytes(network);
    this.#about ??= this.#readAbout();
    return {
      hostname: plain(hostname(), 255),
      ...this.#about,
      cpu_usage: this.#cpuUsage() ?? null,
      load_1m: numberIn(this.#text("proc/loadavg"), /^([\d.]+)/) ?? null,
      memory_total_bytes: (numberIn(memory, /^MemTotal:\s+(\d+)/m) ?? 0) * 1024,
      memory_available_bytes: (numberIn(memory, /^MemAvailable:\s+(\d+)/m) ?? 0) * 1024,
      process_rss_bytes: process.memoryUsage.rss(),
      process_cpu_seconds: processSeconds(),
      spool_total_bytes: spool ? spool.blocks * spool.bsize : null,
      spool_free_bytes: spool ? spool.bavail * spool.bsize : null,
      temperature_celsius: milliCelsius === undefined ? null : milliCelsius / 1000,
      network_received_bytes: bytes?.received ?? null,
      network_sent_bytes: bytes?.sent ?? null,
      uptime_seconds: Math.floor(numberIn(this.#text("proc/uptime"), /^([\d.]+)/) ?? 0),
      throttling,
    };
  }

  /** What does not change while the machine is up. */
  #readAbout(): Pick<MachineInfo, "model" | "os" | "cpu_count"> {
    const model = this.#text("proc/device-tree/model");
    const release = this.#text("etc/os-release") ?? "";
    return {
      model: model === undefined ? null : plain(model, 128),
      os: plain(/^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? process.platform, 128),
      cpu_count: navigator.hardwareConcurrency,
    };
  }

  /** 0 to 1 over all cores. */
  #cpuUsage(): number | undefined {
    const fields = /^cpu\s+([\d ]+)/m
      .exec(this.#text("proc/stat") ?? "")?.[1]
      ?.trim()
      .split(/\s+/);
    if (!fields || fields.length < 5) return undefined;
    // user nice system idle iowait irq softirq steal; what guests take is in user already.
    const times = fields.slice(0, 8).map(Number);
    const total = times.reduce((sum, time) => sum + time, 0);
    const now = { total, busy: total - (times[3] ?? 0) - (times[4] ?? 0) };
    const last = this.#lastCpu;
    this.#lastCpu = now;
    if (!last || now.total <= last.total) return undefined;
    return Math.min(1, Math.max(0, (now.busy - last.busy) / (now.total - last.total)));
  }

  /**
   * Undefined where there is no such file, or it cannot be read. The kernel answers from memory within microseconds, less
   * than it takes to wake a thread that may wait.
   */
  #text(path: string): string | undefined {
    try {
      return readFileSync(join(this.#root, path), "utf8");
    } catch {
      return undefined;
    }
  }
}

function processSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function numberIn(text: string | undefined, pattern: RegExp): number | undefined {
  const found = text === undefined ? undefined : pattern.exec(text)?.[1];
  const value = Number(found);
  return found === undefined || !Number.isFinite(value) ? undefined : value;
}

/** Of all interfaces but the loopback, since boot. */
function networkBytes(text: string): { received: number; sent: number } {
  let received = 0;
  let sent = 0;
  for (const line of text.split("\n")) {
    const [name, rest] = line.split(":");
    if (rest === undefined || name?.trim() === "lo") continue;
    const fields = rest.trim().split(/\s+/).map(Number);
    received += fields[0] || 0;
    sent += fields[8] || 0;
  }
  return { received, sent };
}

/** The device tree ends its strings with NUL. */
function plain(text: string, maxLength: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
  return plainTextOf(text.replace(/[\u0000-\u001f\u007f]/g, ""), maxLength);
}
