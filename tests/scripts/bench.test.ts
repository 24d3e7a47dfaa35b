import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readProcessTree } from "../../scripts/benchmarks/process-usage.ts";
import { type Child, startChild } from "../../src/common/child-process.ts";

const names = [
  "startup",
  "archive",
  "backlog",
  "range",
  "list",
  "playlist",
  "player",
  "pictures",
  "export",
  "qualities",
  "viewers",
  "visible",
  "live",
  "edge",
  "edge4",
];
const main = join(import.meta.dir, "../../scripts/benchmarks/main.ts");
const memoryFolder = "/dev/shm";
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "livecam-bench-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function startBench(argv: readonly string[], onStderrLine?: (line: string) => void): Child {
  return startChild({
    argv: [process.execPath, "--no-orphans", main, ...argv],
    stdout: "pipe",
    env: { ...process.env, TMPDIR: folder },
    ...(onStderrLine && { onStderrLine }),
  });
}

async function runBench(...argv: string[]) {
  const child = startBench(argv);
  const stdout = await new Response(child.stdout).text();
  return { stdout, ...(await child.exited) };
}

const foldersInMemory = async () =>
  (await readdir(memoryFolder).catch(() => [])).filter((name) => name.startsWith("livecam-bench-"));

describe("command line", () => {
  test("--list names every benchmark and what it measures", async () => {
    const { exitCode, stdout } = await runBench("--list");
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => /^(\w+) +\S/.exec(line)?.[1])).toEqual(names);
  });

  test.each([[["nonsense"]], [["--nonsense"]], [["edge", "--json"]]])(
    "%p is refused with the usage",
    async (argv) => {
      const { exitCode, stdout, stderrTail } = await runBench(...argv);
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
      expect(stderrTail).toContain("Usage: scripts/bench");
    },
  );

  test("a benchmark that cannot run says why, and the exit code does, too", async () => {
    const { exitCode, stderrTail } = await runBench(
      "startup",
      "--tiny",
      "--binaries",
      join(folder, "nowhere"),
    );
    expect(exitCode).toBe(1);
    expect(stderrTail).toMatch(/startup failed: .*there is no .*nowhere\/livecam-edge-linux-/);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("benchmarks", () => {
  test("every one runs to its end, prints its table and leaves nothing behind", async () => {
    const inMemoryBefore = await foldersInMemory();
    const json = join(folder, "figures.json");
    const { exitCode, stdout, stderrTail } = await runBench("--tiny", "--json", json);
    expect({ exitCode, stderrTail }).toEqual({ exitCode: 0, stderrTail: expect.any(String) });

    const [machine, ...sections] = stdout.split(/^(?=\w+ \(\d+ s\)$)/m);
    expect(machine).toMatch(/^\d{4}-\d\d-\d\d, .*\d cores, .*Linux .*load \d/);
    expect(machine).toContain("the figures mean nothing");
    expect(sections.map((section) => /^\w+/.exec(section)?.[0])).toEqual(names);
    for (const section of sections) {
      expect(section).toMatch(/^\| figure +\| livecam +\| peer +\| the peer is +\| ratio +\| goal +\|/m);
      expect(section).toMatch(/ (?:met|MISSED) +\|$/m);
      // Nothing could not be measured, and every goal is there.
      expect(section).not.toMatch(/\| \?/);
    }
    expect((await Bun.file(json).json()).benchmarks).toHaveLength(names.length);
    await rm(json);
    expect(await readdir(folder)).toEqual([]);
    expect(await foldersInMemory()).toEqual(inMemoryBefore);
  }, 480_000);

  test("Ctrl-C in the middle ends everything it started", async () => {
    const running = Promise.withResolvers<void>();
    const child = startBench(["edge", "--tiny"], (line) => {
      if (line.includes("round 1 of 1: recording")) running.resolve();
    });
    const drained = new Response(child.stdout).text();
    await Promise.race([running.promise, child.exited]);
    const tree = (await readProcessTree(child.pid)).filter(({ pid }) => pid !== child.pid);
    expect(tree.length).toBeGreaterThan(0);
    child.kill("SIGINT");
    expect((await child.exited).exitCode).toBe(130);
    await drained;
    expect(await readdir(folder)).toEqual([]);
    for (const { pid } of tree) while ((await readProcessTree(pid)).length > 0) await Bun.sleep(50);
  }, 120_000);
});
