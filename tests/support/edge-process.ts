import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Child, selfCommand, startChild } from "../../src/common/child-process.ts";
import { Wakeup } from "../../src/common/wakeup.ts";
import { makeArchive } from "../contract/archive-destination.contract.ts";

export interface LogLine {
  level: string;
  message: string;
  logger: string;
  properties: Record<string, unknown>;
}

const entry = join(import.meta.dir, "../../src/edge/main.ts");

/** A folder with everything an edge needs: config, key, archive. */
export interface EdgeSite {
  folder: string;
  archive: string;
  spool: string;
  configPath: string;
  socket: string;
}

export async function makeEdgeSite(
  folder: string,
  options: {
    hubUrl: string;
    apiKey: string;
    cameras: Record<string, unknown>[];
    config?: Record<string, object>;
  },
): Promise<EdgeSite> {
  const site = {
    folder,
    archive: join(folder, "videos"),
    spool: join(folder, "spool"),
    configPath: join(folder, "edge.json"),
    socket: join(folder, "edge.sock"),
  };
  await mkdir(site.archive, { recursive: true });
  await makeArchive(site.archive);
  await writeFile(join(folder, "key"), options.apiKey, { mode: 0o600 });
  const { recording, upload, network, health, system } = options.config ?? {};
  const config = {
    node_id: "node01",
    cameras: options.cameras,
    recording: { segment_seconds: 2, fsync_interval_ms: 500, ...recording },
    upload: { destination: { type: "path", path: site.archive }, ...upload },
    network: {
      hub_url: options.hubUrl,
      api_key: { file: join(folder, "key") },
      heartbeat_seconds: 1,
      ...network,
    },
    health: { ...health },
    system: {
      spool_path: site.spool,
      control_socket: site.socket,
      // Whatever this machine's NTP says.
      clock: "trusted",
      time_zone: "Asia/Seoul",
      log_level: "debug",
      ...system,
    },
  };
  await writeFile(site.configPath, JSON.stringify(config));
  return site;
}

/** The real edge as a process of its own. */
export class EdgeProcess {
  readonly log: LogLine[] = [];
  readonly #news = new Wakeup();
  readonly #child: Child;

  constructor(
    site: EdgeSite,
    options: { command?: string[]; env?: Record<string, string | undefined> } = {},
  ) {
    this.#child = startChild({
      argv: [...(options.command ?? selfCommand(entry)), "run", "--config", site.configPath],
      ...(options.env ? { env: options.env } : {}),
      onStderrLine: (line) => {
        this.log.push(parseLine(line));
        this.#news.wake();
      },
    });
    this.#child.exited.then(() => this.#news.wake());
  }

  get pid(): number {
    return this.#child.pid;
  }

  get exited() {
    return this.#child.exited;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /**
   * Resolves with the lines that say so once there are `count` of them; rejects with the end of the log when the process
   * ends before, or never says it.
   */
  async logged(message: string, count = 1): Promise<LogLine[]> {
    let ended = false;
    this.exited.then(() => {
      ended = true;
    });
    const deadline = AbortSignal.timeout(150_000);
    for (;;) {
      const found = this.log.filter((line) => line.message === message);
      if (found.length >= count) return found;
      if (ended) throw new Error(`the edge ended without saying "${message}":\n${this.tail()}`);
      if (deadline.aborted)
        throw new Error(`the edge never said "${message}" ${count} times:\n${this.tail()}`);
      await this.#news.wait(AbortSignal.timeout(250));
    }
  }

  /** SIGTERM, and its exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    return (await this.exited).exitCode;
  }

  tail(): string {
    return this.log
      .slice(-20)
      .map((line) => `${line.level} ${line.logger} ${line.message} ${JSON.stringify(line.properties)}`)
      .join("\n");
  }
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line);
  } catch {
    return { level: "TEXT", message: line, logger: "", properties: {} };
  }
}

/** Programs whose arguments hold `text`, anywhere on this machine. */
export async function processesWith(text: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const args = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (args.includes(text)) found.push(Number(name));
  }
  return found;
}

/** Relative paths of the videos in an archive. */
export async function videosIn(archive: string): Promise<string[]> {
  const names = await readdir(archive, { recursive: true });
  return names.filter((name) => name.endsWith(".mp4")).sort();
}
