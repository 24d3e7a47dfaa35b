import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import { sleep } from "../../src/common/clock.ts";
import { ControlClient } from "../../src/edge/control/control-client.ts";
import { EdgeProcess, type EdgeSite, type LogLine, makeEdgeSite } from "../../tests/support/edge-process.ts";
import { FakeTime } from "../../tests/support/fake-time.ts";
import { type FaultProxy, startFaultProxy } from "../../tests/support/fault-proxy.ts";
import type { Binaries } from "../benchmarks/benchmark.ts";
import { cleanEnvironment, hubArguments, isHubAlive, runProgram } from "../benchmarks/livecam-programs.ts";
import { readProcessTree } from "../benchmarks/process-usage.ts";
import { findFreePort, type ServerProcess, startServer } from "../benchmarks/server-process.ts";

/** Seconds between keyframes: the length of a fragment. */
export const fragmentSeconds = 0.25;
export const cameraId = "cam01";

export interface SiteOptions {
  /** Sections of the edge's config, over those of every site. */
  config?: Record<string, object>;
  /** Over those of every site. */
  camera?: { width?: number; height?: number; bitrate?: number };
  /** The archive is a disk of its own, of so many bytes. */
  archiveDiskBytes?: number;
  /** So is the spool. */
  spoolDiskBytes?: number;
  /** The edge's clock can be set, and starts so many seconds from the real one. */
  clockOffsetSeconds?: number;
  /** Ends with the site. */
  resource?: AsyncDisposable;
}

/** An edge and a hub as they are shipped, with a camera, an archive, and a way between them that can be made to fail. */
export class FaultSite implements AsyncDisposable {
  /** Of every edge process so far. */
  readonly log: LogLine[] = [];
  /** When the edge was killed, ms since 1970. */
  readonly killsMs: number[] = [];
  edge!: EdgeProcess;
  hub: ServerProcess | undefined;
  time: FakeTime | undefined;
  readonly client: ControlClient;

  private constructor(
    readonly folder: string,
    readonly site: EdgeSite,
    readonly proxy: FaultProxy,
    readonly clientKey: string,
    readonly binaries: Binaries,
    readonly signal: AbortSignal,
    readonly stack: AsyncDisposableStack,
  ) {
    this.client = new ControlClient(site.socket);
  }

  static async open(
    folder: string,
    options: SiteOptions,
    binaries: Binaries,
    signal: AbortSignal,
  ): Promise<FaultSite> {
    await using stack = new AsyncDisposableStack();
    if (options.resource) stack.use(options.resource);
    const data = join(folder, "data");
    const key = async (...args: string[]) => {
      const argv = [binaries.hub, "key", "create", "--json", "--data", data, ...args];
      return JSON.parse(await runProgram(argv, signal)).key as string;
    };
    await mkdir(data, { recursive: true });
    const nodeKey = await key("--node", "node01");
    const clientKey = await key("--client", "simulate");
    for (const [name, bytes] of [
      ["videos", options.archiveDiskBytes],
      ["spool", options.spoolDiskBytes],
    ] as const) {
      if (bytes === undefined) continue;
      const path = join(folder, name);
      await mkdir(path);
      await runCommand("mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", path);
      stack.defer(() => runCommand("umount", "-l", path));
    }
    const proxy = stack.use(await startFaultProxy());
    const { recording, upload, network, system } = options.config ?? {};
    const picture = { width: 192, height: 108, bitrate: 60_000, ...options.camera };
    const source = { type: "test", fps: 20, keyframe_seconds: fragmentSeconds, ...picture };
    const site = await makeEdgeSite(folder, {
      ...{ hubUrl: proxy.url, apiKey: nodeKey },
      cameras: [{ id: cameraId, source }],
      config: {
        recording: { segment_seconds: 2, fsync_interval_ms: 2000, stall_seconds: 2, ...recording },
        upload: { stall_seconds: 3, check_cron: "* * * * * *", ...upload },
        network: { heartbeat_seconds: 1, ...network },
        system: { run_path: join(folder, "run"), log_level: "info", ...system },
      },
    });
    await writeWrapper(folder);
    const of = new FaultSite(folder, site, proxy, clientKey, binaries, signal, stack.move());
    if (options.clockOffsetSeconds !== undefined) {
      of.time = await FakeTime.create(folder, options.clockOffsetSeconds);
    }
    await of.startHub();
    of.startEdge();
    return of;
  }

  async startHub(): Promise<void> {
    const port = await findFreePort();
    const { hub } = this.binaries;
    const argv = hubArguments({
      hub,
      port,
      dataDir: join(this.folder, "data"),
      archiveDir: this.site.archive,
    });
    const { signal } = this;
    this.hub = await startServer({ argv, env: cleanEnvironment(), signal, isReady: () => isHubAlive(port) });
    this.proxy.port = port;
  }

  /** As its power cut; nobody answers at its address then. */
  async killHub(): Promise<void> {
    this.proxy.port = undefined;
    if (this.hub) trySignal(this.hub.pid, "SIGKILL");
    await this.hub?.[Symbol.asyncDispose]();
    this.hub = undefined;
  }

  startEdge(): void {
    const path = `${join(this.folder, "bin")}:${process.env.PATH}`;
    const env = { ...cleanEnvironment(), ...this.time?.env, PATH: path };
    this.edge = new EdgeProcess(this.site, { command: [this.binaries.edge], env });
  }

  /** The edge is ended, and started again at once, as systemd does it. */
  async endEdge(how: "SIGKILL" | "SIGTERM"): Promise<void> {
    this.killsMs.push(Date.now());
    this.edge.kill(how);
    await this.edge.exited;
    this.log.push(...this.edge.log);
    this.startEdge();
  }

  async endForGood(): Promise<void> {
    await this.edge.stop();
    this.log.push(...this.edge.log);
  }

  /** Pids of the edge's children whose command line holds `text`. */
  async childrenWith(text: string): Promise<number[]> {
    const found: number[] = [];
    for (const { pid } of (await readProcessTree(this.edge.pid)).slice(1)) {
      const argv = await Bun.file(`/proc/${pid}/cmdline`)
        .text()
        .catch(() => "");
      if (argv.includes(text)) found.push(pid);
    }
    return found;
  }

  /** To every child with it; false when there was none. */
  async signalChildren(text: string, name: NodeJS.Signals): Promise<boolean> {
    const pids = await this.childrenWith(text);
    for (const pid of pids) trySignal(pid, name);
    return pids.length > 0;
  }

  /** When the last fragment came, by the edge's clock; undefined while it does not answer or nothing came. */
  async lastFragmentAt(): Promise<string | undefined> {
    const status = await this.client.status().catch(() => undefined);
    return status?.cameras[0]?.last_fragment_at ?? undefined;
  }

  /** Segments that were closed and are not acknowledged, and gaps that are not reported. */
  async undelivered(): Promise<string[]> {
    const of = (name: string) => readdir(join(this.site.spool, name)).catch(() => [] as string[]);
    return [...(await of("closed")), ...(await of("archived")), ...(await of("gaps"))];
  }

  /** The source does what the wrapper in ffmpeg's place makes of it: see {@link writeWrapper}. */
  async spoilSource(how: "dead" | "noisy" | "larger"): Promise<() => Promise<void>> {
    const path = join(this.folder, "bin", how);
    await writeFile(path, "");
    return () => rm(path);
  }

  async until(condition: () => Promise<boolean> | boolean, what: string, timeoutMs = 120_000): Promise<void> {
    const startedMs = performance.now();
    while (!(await condition())) {
      this.signal.throwIfAborted();
      if (performance.now() - startedMs > timeoutMs)
        throw new Error(`${what} took more than ${timeoutMs / 1000} s`);
      await sleep(20, this.signal);
    }
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${this.proxy.port}${path}`, {
      headers: { authorization: `Bearer ${this.clientKey}` },
    });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return (await response.json()) as T;
  }

  /** Each of them, whatever becomes of the others. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { stack } = this;
    stack.defer(() => this.killHub());
    stack.defer(async () => {
      this.edge.kill("SIGKILL");
      await this.edge.exited;
    });
    await stack[Symbol.asyncDispose]();
  }
}

export function trySignal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

export async function runCommand(...argv: string[]): Promise<void> {
  const { exitCode, stderrTail } = await runChild({ argv, timeoutMs: 30_000 });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderrTail}`);
}

/** Stands in ffmpeg's place, and makes the camera (never the "no signal" picture) fail while a file says so. */
async function writeWrapper(folder: string): Promise<void> {
  const bin = join(folder, "bin");
  await mkdir(bin, { recursive: true });
  const path = join(bin, "ffmpeg");
  const text = `#!/bin/sh
case "$*" in *"test picture"*)
  if [ -e ${bin}/dead ]; then echo "no such camera" >&2; exit 1; fi
  if [ -e ${bin}/noisy ]; then (head -c 20000000 /dev/zero | tr '\\0' x | fold >&2 &) fi
  if [ -e ${bin}/larger ]; then
    for a; do shift; set -- "$@" "$(printf %s "$a" | sed 's/192x108/256x144/g')"; done
  fi
esac
exec ${Bun.which("ffmpeg") ?? "ffmpeg"} "$@"
`;
  await writeFile(path, text);
  await chmod(path, 0o755);
}
