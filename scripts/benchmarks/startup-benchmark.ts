import { join } from "node:path";
import { startChild } from "../../src/common/child-process.ts";
import { sleep } from "../../src/common/clock.ts";
import type { Benchmark, Goal, Row } from "./benchmark.ts";
import { compileProgram } from "./compile-program.ts";
import {
  cleanEnvironment,
  hubArguments,
  isEdgeAlive,
  isHubAlive,
  startHub,
  writeEdgeConfig,
} from "./livecam-programs.ts";
import { readMemory } from "./process-usage.ts";
import { findFreePort, type ServerProcess, startServer } from "./server-process.ts";

const goal: Goal = { of: "figure", is: "at_most", value: 150 };
const rounds = { full: 15, quick: 7, tiny: 1 };
const pollMs = 2;

export const startupBenchmark: Benchmark = {
  name: "startup",
  summary: "start of both compiled programs, and memory of the hub at rest",

  async run({ scale, scratch, signal, say, binaries }) {
    const { edge, hub } = await binaries();
    say("compiling the programs to compare with");
    const empty = await compileProgram(scratch, "empty", "export {};");
    const server = await compileProgram(
      scratch,
      "server",
      `Bun.serve({ hostname: "127.0.0.1", port: Number(process.argv[2]), fetch: () => new Response("ok") });`,
    );
    const archiveDir = join(scratch, "archive");
    const dataDir = join(scratch, "data");
    // Once before: what is measured is a start of a hub that has been there, as after every reboot.
    const keys = await startHub({ hub, dataDir, archiveDir, signal });
    await keys[Symbol.asyncDispose]();

    const commands: [string, string[]][] = [
      ["livecam-edge version", [edge, "version"]],
      ["livecam-edge --help", [edge, "--help"]],
      ["livecam-hub version", [hub, "version"]],
      ["livecam-hub --help", [hub, "--help"]],
    ];
    const times = new Map<string, number[]>();
    const note = (figure: string, ms: number) => times.set(figure, [...(times.get(figure) ?? []), ms]);
    const memory: Record<"hub" | "server", number[]> = { hub: [], server: [] };

    const count = rounds[scale];
    for (let round = 1; round <= count; round++) {
      say(`round ${round} of ${count}`);
      note("empty", await timeCommand([empty], signal));
      note("bun --version", await timeCommand([process.execPath, "--version"], signal));
      for (const [figure, argv] of commands) note(figure, await timeCommand(argv, signal));

      const serverPort = await findFreePort();
      note(
        "server",
        await timeStart(
          { argv: [server, `${serverPort}`], isReady: () => isHubAlive(serverPort), signal },
          async ({ pid }) => memory.server.push(await memoryAtRest(pid, signal)),
        ),
      );
      const port = await findFreePort();
      note(
        "hub",
        await timeStart(
          { argv: hubArguments({ hub, port, dataDir, archiveDir }), isReady: () => isHubAlive(port), signal },
          async ({ pid }) => memory.hub.push(await memoryAtRest(pid, signal)),
        ),
      );
      const { argv, controlSocket } = await writeEdgeConfig({
        edge,
        folder: join(scratch, `edge-${round}`),
        hubUrl: `http://127.0.0.1:${port}`,
        nodeKey: keys.nodeKey,
        archiveDir,
        segmentSeconds: 600,
        cameras: [{ id: "cam01", source: { type: "test", width: 320, height: 180, fps: 5 } }],
      });
      const env = cleanEnvironment({ LIVECAM_API_KEY: keys.nodeKey });
      note("edge", await timeStart({ argv, env, isReady: () => isEdgeAlive(controlSocket), signal }));
    }

    const timesOf = (figure: string) => times.get(figure) ?? [];
    const emptyPeer = { name: "an empty compiled program", values: timesOf("empty") };
    const serverPeer = { name: "a compiled Bun.serve and nothing else", values: timesOf("server") };
    return [
      ...commands.map(
        ([figure]): Row => ({ figure, ours: timesOf(figure), unit: "ms", peer: emptyPeer, goal }),
      ),
      { figure: "bun --version", ours: timesOf("bun --version"), unit: "ms", peer: emptyPeer },
      {
        figure: "livecam-hub serve, to its first answer",
        ours: timesOf("hub"),
        unit: "ms",
        peer: serverPeer,
        goal,
      },
      {
        figure: "livecam-edge run, to its control socket",
        ours: timesOf("edge"),
        unit: "ms",
        peer: serverPeer,
        goal,
      },
      {
        figure: "memory of the hub at rest (RSS)",
        ours: memory.hub,
        unit: "MB",
        peer: { ...serverPeer, values: memory.server },
      },
    ];
  },
};

/** From its start to its end, in ms. */
async function timeCommand(argv: readonly string[], signal: AbortSignal): Promise<number> {
  const startedAtMs = performance.now();
  const child = startChild({ argv, env: cleanEnvironment(), signal });
  const { exitCode, stderrTail } = await child.exited;
  const ms = performance.now() - startedAtMs;
  signal.throwIfAborted();
  if (exitCode !== 0) throw new Error(`${argv.join(" ")} failed: ${stderrTail.trim()}`);
  return ms;
}

/** From the start of a server to its first answer, in ms; then lets `look` look at it and ends it. */
async function timeStart(
  options: Parameters<typeof startServer>[0],
  look: (server: ServerProcess) => Promise<unknown> = async () => {},
): Promise<number> {
  const startedAtMs = performance.now();
  await using server = await startServer({ env: cleanEnvironment(), ...options, pollMs });
  const ms = performance.now() - startedAtMs;
  await look(server);
  return ms;
}

/** MB, when it has had time to settle. */
async function memoryAtRest(pid: number, signal: AbortSignal): Promise<number> {
  await sleep(1000, signal);
  return ((await readMemory(pid))?.rssBytes ?? Number.NaN) / 1e6;
}
