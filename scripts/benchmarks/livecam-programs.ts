import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { runChild } from "../../src/common/child-process.ts";
import { findFreePort, type ServerProcess, startServer } from "./server-process.ts";

export interface RunningHub extends ServerProcess {
  url: string;
  port: number;
  /** Key of kind `node`: announces. */
  nodeKey: string;
  /** Key of kind `client`: reads. */
  clientKey: string;
}

/** The environment without settings of livecam that the person at this terminal may have. */
export function cleanEnvironment(extra: Record<string, string> = {}): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("LIVECAM_"));
  return { ...Object.fromEntries(own), ...extra };
}

/** Runs a command of one of the two programs to its end; throws with its message when it fails. */
export async function runProgram(argv: readonly string[], signal: AbortSignal): Promise<string> {
  const exit = await runChild({ argv, env: cleanEnvironment(), timeoutMs: 60_000, signal });
  signal.throwIfAborted();
  if (exit.exitCode !== 0) throw new Error(`${argv.slice(0, 3).join(" ")} failed: ${exit.stderrTail.trim()}`);
  return new TextDecoder().decode(exit.stdout);
}

const CreatedKey = v.object({ key: v.string() });

async function createKey(hub: string, dataDir: string, argv: readonly string[], signal: AbortSignal) {
  const output = await runProgram([hub, "key", "create", "--json", "--data", dataDir, ...argv], signal);
  return v.parse(CreatedKey, JSON.parse(output)).key;
}

export function hubArguments(options: {
  hub: string;
  port: number;
  dataDir: string;
  archiveDir: string;
}): string[] {
  const { hub, port, dataDir, archiveDir } = options;
  return [hub, "serve", "--listen", `127.0.0.1:${port}`, "--data", dataDir, "--archive", archiveDir];
}

export async function isHubAlive(port: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/api/health/live`)).ok;
}

/** A hub with keys, over `dataDir` and `archiveDir`, which are made where they do not exist. */
export async function startHub(options: {
  hub: string;
  dataDir: string;
  archiveDir: string;
  signal: AbortSignal;
  /** How it reads the archive; by default as it would by itself. */
  archiveAccess?: "inline" | "workers";
}): Promise<RunningHub> {
  const { hub, dataDir, archiveDir, signal, archiveAccess = "auto" } = options;
  await mkdir(dataDir, { recursive: true });
  await mkdir(archiveDir, { recursive: true });
  const port = await findFreePort();
  // What it makes in the background of videos that are announced is not what is measured.
  const config = join(dataDir, "hub.json");
  await Bun.write(config, JSON.stringify({ previews: "on_demand", archive_access: archiveAccess }));
  const server = await startServer({
    argv: [...hubArguments({ hub, port, dataDir, archiveDir }), "--config", config],
    env: cleanEnvironment(),
    signal,
    isReady: () => isHubAlive(port),
  });
  try {
    const nodeKey = await createKey(hub, dataDir, ["--kind", "node", "--name", "bench-node"], signal);
    const clientKey = await createKey(hub, dataDir, ["--kind", "client", "--name", "bench-client"], signal);
    return { ...server, port, url: `http://127.0.0.1:${port}`, nodeKey, clientKey };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

export interface EdgeSetUp {
  edge: string;
  folder: string;
  hubUrl: string;
  nodeKey: string;
  archiveDir: string;
  segmentSeconds: number;
  cameras: readonly { id: string; source: Record<string, unknown> }[];
}

/** Writes the config of a node into `folder`; its spool and control socket will be there, too. */
export async function writeEdgeConfig(
  setUp: EdgeSetUp,
): Promise<{ argv: string[]; controlSocket: string; spool: string }> {
  const { folder } = setUp;
  await mkdir(folder, { recursive: true });
  const spool = join(folder, "spool");
  const controlSocket = join(folder, "edge.sock");
  const config = {
    node_id: "bench",
    cameras: setUp.cameras,
    recording: { segment_seconds: setUp.segmentSeconds },
    upload: { destination: { type: "path", path: setUp.archiveDir } },
    network: { hub_url: setUp.hubUrl, api_key: { env: "LIVECAM_API_KEY" } },
    system: {
      ...{ spool_path: spool, control_socket: controlSocket },
      ...{ clock: "trusted", time_zone: "UTC", log_level: "warning" },
    },
  };
  const path = join(folder, "edge.json");
  await Bun.write(path, JSON.stringify(config));
  return { argv: [setUp.edge, "run", "--config", path], controlSocket, spool };
}

export async function isEdgeAlive(controlSocket: string): Promise<boolean> {
  return (await fetch("http://edge/status", { unix: controlSocket })).ok;
}

export async function startEdge(
  setUp: EdgeSetUp & { signal: AbortSignal },
): Promise<ServerProcess & { spool: string }> {
  const { argv, controlSocket, spool } = await writeEdgeConfig(setUp);
  const server = await startServer({
    argv,
    env: cleanEnvironment({ LIVECAM_API_KEY: setUp.nodeKey }),
    signal: setUp.signal,
    isReady: () => isEdgeAlive(controlSocket),
  });
  return { ...server, spool };
}
