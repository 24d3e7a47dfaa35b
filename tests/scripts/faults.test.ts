import { expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { holesBetween } from "../../scripts/faults/account.ts";
import { formatColumns } from "../../scripts/faults/fault-table.ts";
import { latencyFigures, parseLatencies } from "../../scripts/faults/ffmpeg-relay.ts";
import { runChild } from "../../src/common/child-process.ts";

const root = resolve(import.meta.dir, "../..");

async function simulate(...args: string[]) {
  const program = join(root, "scripts/faults/main.ts");
  const { exitCode, stdout, stderrTail } = await runChild({
    argv: [process.execPath, program, ...args],
    timeoutMs: 30_000,
  });
  return { exitCode, text: new TextDecoder().decode(stdout), stderrTail };
}

test("docs/faults.md has a row for every fault that scripts/simulate tries, by its name, and for no other", async () => {
  const { text, exitCode } = await simulate("all", "--list");
  expect(exitCode).toBe(0);
  const names = text.trim().split("\n");
  expect(new Set(names).size).toBe(names.length);
  const doc = await Bun.file(join(root, "docs/faults.md")).text();
  const measured = doc.slice(
    doc.indexOf("## What was measured"),
    doc.indexOf("## A NAS that hangs for an hour"),
  );
  const rows = [...measured.matchAll(/^\| (.+?) +\|/gm)].map(([, name]) => name);
  expect(rows.filter((name) => name !== "fault" && !/^-+$/.test(name ?? ""))).toEqual(names);
});

test.each([
  [["all", "--seconds", "0"]],
  [["all", "--seconds", "x"]],
  [["hung-nas", "--minutes", "-1"]],
  [["hung-nas", "--minutes", ""]],
  [["nothing"]],
  [["all", "more"]],
  [["all", "--unknown"]],
  [[]],
])("%j is refused with the way to the help", async (args) => {
  const { exitCode, stderrTail } = await simulate(...args);
  expect(exitCode).toBe(2);
  expect(stderrTail).toContain("--help");
});

test("holes are what lies between neighbours; a clock that was set back makes none", () => {
  expect(holesBetween([])).toEqual([]);
  const second = (from: number, to: number) => ({ fromMs: from * 1000, toMs: to * 1000 });
  expect(holesBetween([second(0, 2), second(2.05, 4), second(7, 9), second(1, 3), second(3, 5)])).toEqual([
    second(4, 7),
  ]);
});

test("figures of a relay's log", () => {
  const text = Array.from({ length: 200 }, (_, i) => `${1000 + i}.500 ${i + 1}.250\n`).join("");
  const latencies = parseLatencies(text);
  expect(latencies[0]).toEqual({ atMs: 1000.5, latencyMs: 1.25 });
  expect(latencyFigures(latencies)).toEqual({ count: 200, p50: 100.25, p99: 198.25, max: 200.25 });
});

test("a table is one that Markdown takes", () => {
  expect(formatColumns(["a", "b"], [["long one", "x"]])).toBe(
    "| a        | b   |\n| -------- | --- |\n| long one | x   |\n",
  );
});
