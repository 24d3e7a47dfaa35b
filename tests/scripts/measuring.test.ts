import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  cpuOfTree,
  readIo,
  readMemory,
  readProcess,
  readProcessTree,
} from "../../scripts/benchmarks/process-usage.ts";
import { formatNumber, formatTable, judgeRow } from "../../scripts/benchmarks/report.ts";
import { percentile, ratios, summarize } from "../../scripts/benchmarks/statistics.ts";
import { startChild } from "../../src/common/child-process.ts";

describe("statistics", () => {
  test("median of odd, even and no values", () => {
    expect(summarize([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(summarize([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
    expect(summarize([]).median).toBeNaN();
  });

  test("percentiles are values that were seen, by the nearest rank", () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([0, 0.5, 0.95, 0.99, 1].map((share) => percentile(values, share))).toEqual([1, 50, 95, 99, 100]);
    expect(percentile([7], 0.99)).toBe(7);
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true }), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (some, share) => some.includes(percentile(some, share)),
      ),
    );
  });

  test("ratios go round by round", () => {
    expect(ratios([2, 9], [1, 3])).toEqual([2, 3]);
  });
});

describe("table", () => {
  const peer = { name: "cp", values: [1, 2, 2] };

  test("a goal for the ratio is judged by the median of the rounds' ratios", () => {
    // Medians alone would say 1.5; the rounds say 2, 1 and 3.
    const row = judgeRow({
      figure: "f",
      unit: "s",
      ours: [2, 2, 6],
      peer,
      goal: { of: "ratio", is: "at_most", value: 1.9 },
    });
    expect(row).toMatchObject({ ratio: 2, met: false, ours: { median: 2 }, peer: { median: 2 } });
  });

  test("a goal for the figure, and no goal", () => {
    const goal = { of: "figure", is: "at_least", value: 2 } as const;
    expect(judgeRow({ figure: "f", unit: "s", ours: [2], peer, goal }).met).toBe(true);
    expect(judgeRow({ figure: "f", unit: "s", ours: [1.9], goal }).met).toBe(false);
    expect(judgeRow({ figure: "f", unit: "s", ours: [1] })).not.toHaveProperty("met");
  });

  test("a figure that could not be measured does not meet its goal", () => {
    const goal = { of: "figure", is: "at_most", value: 2 } as const;
    expect(judgeRow({ figure: "f", unit: "s", ours: [], goal }).met).toBe(false);
  });

  test("rows, notes once, and what was missed", () => {
    const goal = { of: "ratio", is: "at_least", value: 0.9 } as const;
    const rows = ["a", "b"].map((figure) =>
      judgeRow({ figure, unit: "MB/s", ours: [0.5, 1, 1], peer, goal, note: "once" }),
    );
    const table = formatTable(rows);
    expect(table.split("\n")[2]).toMatch(
      /^\| a +\| 1\.00 \(0\.500–1\.00\) MB\/s +\| 2\.00 .* \| cp .* 0\.500 × .* ≥ 0\.9 × \| MISSED \|$/,
    );
    expect(table.match(/once/g)).toHaveLength(1);
  });

  test("numbers have three digits that count", () => {
    expect([0, 0.01234, 1.005, 12.345, 1234.5, Number.NaN].map(formatNumber)).toEqual([
      "0.00",
      "0.0123",
      "1.00",
      "12.3",
      "1235",
      "?",
    ]);
  });
});

describe("usage of processes", () => {
  test("this process, its memory and its bytes", async () => {
    const own = await readProcess(process.pid);
    expect(own).toMatchObject({ pid: process.pid, parentPid: process.ppid });
    expect(own?.cpuSeconds).toBeGreaterThan(0);
    const memory = await readMemory(process.pid);
    expect(memory?.pssBytes).toBeGreaterThan(0);
    expect(memory?.rssBytes).toBeGreaterThanOrEqual(memory?.pssBytes ?? Number.NaN);
    const before = await readIo(process.pid);
    await Bun.file("/dev/zero").slice(0, 1_000_000).arrayBuffer();
    const after = await readIo(process.pid);
    expect((after?.readBytes ?? 0) - (before?.readBytes ?? 0)).toBeGreaterThanOrEqual(1_000_000);
  });

  test("a process that is gone is undefined", async () => {
    const child = startChild({ argv: ["true"] });
    await child.exited;
    expect(await readProcess(child.pid)).toBeUndefined();
    expect(await readMemory(child.pid)).toBeUndefined();
  });

  test("CPU of children that came and went stays in the tree's sum", async () => {
    const work = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done";
    // The children end, and are waited for, before the shell says so.
    const child = startChild({
      argv: ["sh", "-c", `(${work}; ${work}) ; echo done; exec sleep 60`],
      stdout: "pipe",
    });
    try {
      for await (const _ of child.stdout) break;
      const tree = await readProcessTree(child.pid);
      expect(tree.map(({ pid }) => pid)).toEqual([child.pid]);
      const [root] = tree;
      expect(root?.reapedCpuSeconds).toBeGreaterThan(0.02);
      expect(cpuOfTree(tree)).toBeGreaterThanOrEqual(root?.reapedCpuSeconds ?? Number.NaN);
    } finally {
      child.kill("SIGKILL");
    }
  });
});
