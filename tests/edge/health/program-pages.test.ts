import { expect, test } from "bun:test";
import { openProgramPages, untouchedMappings } from "../../../src/edge/health/program-pages.ts";

const entry = (head: string, fields: Record<string, number>) =>
  [head, ...Object.entries(fields).map(([name, kilobytes]) => `${name}:   ${kilobytes} kB`), ""].join("\n");

test("only what is mapped of the program itself, for reading, and as it is in the file", () => {
  const program = "/opt/live cam/livecam-edge";
  const smaps = [
    entry(`00200000-01a3f000 r--p 00000000 fd:00 17   ${program}`, { Rss: 8164, Anonymous: 0 }),
    entry(`01a40000-06849000 r-xp 01838000 fd:00 17   ${program}`, { Rss: 36_172, Anonymous: 0 }),
    // Somebody has written to it: a debugger, or the dynamic linker.
    entry(`06849000-0684a000 r-xp 01838000 fd:00 17   ${program}`, { Rss: 40, Anonymous: 4 }),
    entry(`06867000-07000000 rw-p 0665e000 fd:00 17   ${program}`, { Rss: 5336, Anonymous: 0 }),
    entry("7fd2a2db6000-7fd2a2f0c000 r-xp 00026000 fd:00 99   /usr/lib/libc.so.6", {
      Rss: 1200,
      Anonymous: 0,
    }),
    entry("7fd2a3000000-7fd2a3001000 r-xp 00000000 00:00 0", { Rss: 4, Anonymous: 0 }),
    entry("7ffc956ad000-7ffc956ce000 r-xp 00000000 00:00 0    [vdso]", { Rss: 4, Anonymous: 0 }),
  ].join("");
  expect(untouchedMappings(smaps, program)).toEqual([
    { address: 0x200000, sizeBytes: 0x183f000 },
    { address: 0x1a40000, sizeBytes: 0x4e09000 },
  ]);
  expect(untouchedMappings(smaps, "/opt/other")).toEqual([]);
  expect(untouchedMappings("", program)).toEqual([]);
});

test("this program's pages are given back, again and again, and it goes on", async () => {
  using pages = await openProgramPages();
  const before = process.memoryUsage.rss();
  expect(pages.release()).toBe(true);
  expect(before - process.memoryUsage.rss()).toBeGreaterThan(5_000_000);
  for (let i = 0; i < 20; i++) expect(pages.release()).toBe(true);
  expect(JSON.parse(JSON.stringify({ still: "here" }))).toEqual({ still: "here" });
});
