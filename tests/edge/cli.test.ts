import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCli } from "../../src/edge/cli.ts";
import { temporaryFolder } from "../support/sample-recording.ts";

async function run(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const exitCode = await runCli(args, {
    env: {},
    entryFile: "unused",
    out: { write: (text) => out.push(text) },
    err: { write: (text) => err.push(text) },
  });
  return { exitCode, out: out.join(""), err: err.join("") };
}

test("--help teaches, by examples, in every command", async () => {
  const { exitCode, out } = await run("--help");
  expect(exitCode).toBe(0);
  for (const command of [
    "run",
    "check-config",
    "doctor",
    "init",
    "verify",
    "version",
    "status",
    "pause",
    "resume",
    "snapshot",
    "uploads",
    "cancel",
  ]) {
    expect(out).toContain(`\n  ${command} `.trimEnd());
    expect((await run(command, "--help")).exitCode).toBe(0);
  }
  expect(out).toContain("$ livecam-edge run --config");
  expect(out).toContain("Exit codes");
  expect(out).not.toContain("archive-worker");
});

test("version says what it is", async () => {
  expect(await run("version")).toMatchObject({
    exitCode: 0,
    out: expect.stringMatching(/^livecam-edge \S+ \(\S+\)\n$/),
  });
});

test.each([
  [[]],
  [["nonsense"]],
  [["run"]],
  [["run", "--config"]],
  [["verify"]],
  [["status", "--nope"]],
  [["status", "--watch", "0"]],
  [["status", "--watch", "often"]],
  [["config", "show"]],
  [["doctor"]],
  [["snapshot", "cam01"]],
])("%j is refused with 2 and a word about it", async (args: string[]) => {
  const { exitCode, err, out } = await run(...args);
  expect(exitCode).toBe(2);
  expect(err).not.toBe("");
  expect(out).toBe("");
});

test("check-config prints every error and ends with 2", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "edge.yaml");
  await writeFile(path, "node_id: Node\ncameras: []\n");
  const { exitCode, err } = await run("check-config", path);
  expect(exitCode).toBe(2);
  const lines = err.trim().split("\n");
  expect(lines[0]).toBe(`livecam-edge: ${path} is not valid`);
  expect(lines.slice(1).map((line) => line.trim().split(":")[0])).toEqual([
    "node_id",
    "cameras",
    "upload",
    "network",
  ]);
});

test("commands to an edge that does not run say so and end with 1", async () => {
  for (const args of [
    ["status"],
    ["uploads"],
    ["pause", "cam01"],
    ["snapshot", "cam01", "-o", "/dev/null"],
  ]) {
    const { exitCode, err } = await run(...args, "--socket", "/nonexistent/edge.sock");
    expect(exitCode).toBe(1);
    expect(err).toContain("no livecam-edge listens on /nonexistent/edge.sock");
  }
});
