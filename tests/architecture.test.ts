import { describe, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { findBreaches, rules } from "./support/architecture-rules.ts";

const root = resolve(import.meta.dir, "..");

const tree = new Map<string, string>();
for (const path of [...new Bun.Glob("src/**/*.{ts,tsx}").scanSync({ cwd: root })].sort()) {
  tree.set(path, await Bun.file(join(root, path)).text());
}

/** For each rule, trees that break it; each must be reported for that rule. */
const breaking: Record<string, Record<string, string>[]> = {
  "src imports only src": [{ "src/common/a.ts": 'import { b } from "../../scripts/b.ts"; b();' }],
  "common imports nothing of ours": [
    { "src/common/a.ts": 'import { b } from "../edge/b.ts"; b();' },
    { "src/common/mp4/a.ts": 'import type { B } from "../../hub/b.ts";\nexport type A = B;' },
  ],
  "edge and hub do not import each other": [
    { "src/edge/hub-link/a.ts": 'import { b } from "../../hub/b.ts"; b();' },
    { "src/hub/a.ts": 'import type { B } from "../edge/b.ts";\nexport type A = B;' },
    { "src/hub/a.ts": 'export type A = import("../edge/b.ts").B;' },
    { "src/edge/a.ts": 'export * from "../hub/b.ts";' },
    { "src/edge/a.ts": 'export const b = () => import("../hub/b.ts");' },
  ],
  "a stage knows only ports of another": [
    { "src/edge/a/a.ts": 'import { b } from "../b/b.ts"; b();', "src/edge/b/b.ts": "export function b() {}" },
    {
      "src/edge/a/a.ts": 'import { b } from "../b/b.ts"; b();',
      "src/edge/b/b.ts": "export const b = () => 1;",
    },
    {
      "src/hub/a/x/a.ts": 'import type { B } from "../../b/b.ts";\nexport type A = B;',
      "src/hub/b/b.ts": "export class B {}",
    },
    { "src/hub/a/a.tsx": 'export type A = import("../b/b.ts").B;', "src/hub/b/b.ts": "export class B {}" },
  ],
  "what stages share knows no stage": [
    {
      "src/hub/http/a.ts": 'import type { B } from "../db/b.ts";\nexport type A = B;',
      "src/hub/db/b.ts": "",
    },
  ],
  "a stage does not import what composes stages": [
    {
      "src/edge/a/a.ts": 'import { join } from "../edge.ts"; join();',
      "src/edge/edge.ts": 'import { b } from "./b/b.ts"; export const join = () => b;',
      "src/edge/b/b.ts": "export const b = 1;",
    },
  ],
  "routes do not touch the database": [
    { "src/hub/videos/a.routes.ts": 'import { eq } from "drizzle-orm"; eq();' },
    { "src/hub/videos/a.routes.ts": 'import { eq } from "drizzle-orm/sql"; eq();' },
    { "src/hub/videos/a.routes.ts": 'import { videos } from "../db/schema.ts"; videos();' },
    { "src/hub/videos/a.routes.ts": 'import { createClient } from "@libsql/client"; createClient();' },
  ],
  "pages know nothing of the database": [
    { "src/hub/ui/a.page.tsx": 'import type { Row } from "../db/rows.ts";\nexport type A = Row;' },
    { "src/hub/ui/a.page.tsx": 'import { sql } from "drizzle-orm"; export const A = () => <p>{sql}</p>;' },
  ],
  "environment and arguments are read at the entrance": [
    { "src/edge/a.ts": "export const a = process.env.HOME;" },
    { "src/edge/a.ts": "export const a = process.argv[2];" },
    { "src/hub/a.ts": "export const a = Bun.env.HOME;" },
    { "src/hub/db/my-config.ts": "export const { HOME } = process.env;" },
  ],
  "one function starts child processes, and one starts threads": [
    { "src/edge/a.ts": 'Bun.spawn(["ls"]);' },
    { "src/edge/a.ts": "await Bun.$`ls`;" },
    { "src/common/a.ts": 'import { spawn } from "node:child_process"; spawn("ls");' },
    { "src/common/a.ts": 'import { exec } from "child_process"; exec("ls");' },
    { "src/edge/a.ts": 'new Worker("b.js");' },
  ],
  "wall time comes from the clock": [
    { "src/edge/a.ts": "export const a = Date.now();" },
    { "src/edge/a.ts": "export const a = [Date.now];" },
    { "src/hub/a.ts": "export const a = new Date();" },
    { "src/hub/a.ts": "export const a = new Date;" },
  ],
  "no barrels": [{ "src/edge/spool/index.ts": "" }, { "src/hub/ui/index.tsx": "" }],
  "names say what a file is for": [
    { "src/common/utils.ts": "" },
    { "src/common/date-utils.ts": "" },
    { "src/edge/helpers/a.ts": "" },
    { "src/edge/upload-manager.ts": "" },
    { "src/edge/uploadQueue.ts": "" },
  ],
  "no cycles": [
    {
      "src/common/a.ts": 'import { b } from "./b.ts"; export const a = b;',
      "src/common/b.ts": 'import type { C } from "./c.ts";\nexport const b: C = 1;',
      "src/common/c.ts": 'export * from "./a.ts";',
    },
    { "src/common/a.ts": 'import { a as self } from "./a.ts"; export const a = self;' },
  ],
};

/** Looks like a breach, and is none. */
const allowed: Record<string, string> = {
  "src/common/clock.ts": "export const wallMs = () => Date.now();",
  "src/common/text.ts":
    "// Date.now() and process.env are for others\nexport const at = (ms: number) => new Date(ms);",
  "src/edge/main.ts":
    '#!/usr/bin/env bun\nimport { runEdge } from "./edge.ts";\nrunEdge(process.env, process.argv);',
  "src/edge/edge.ts":
    'import { spool } from "./spool/spool.ts";\nexport const runEdge = (...a: unknown[]) => spool(a);',
  "src/edge/spool/spool.ts":
    'import { limit } from "../recorder/sink-port.ts";\nimport type { Sink } from "../recorder/sink-port.ts";\n' +
    'import { at } from "../../common/text.ts";\nexport const spool = (a: unknown): Sink => ({ a, limit, at });',
  "src/hub/http/problem.ts": "export function problem() {}",
  "src/hub/videos/videos.routes.ts": 'import { problem } from "../http/problem.ts"; problem();',
  "src/edge/recorder/sink-port.ts":
    "/** Where a function would be (see class Sink) => elsewhere */\n" +
    "export const limit = 3;\nexport interface Sink { a: unknown; limit: number; at(ms: number): Date }",
};

describe("the rules", () => {
  for (const [name, trees] of Object.entries(breaking)) {
    for (const broken of trees) {
      test(`${name}: ${Object.entries(broken)[0]?.join(": ").replaceAll("\n", " ")}`, () => {
        const found = findBreaches(new Map(Object.entries(broken)));
        expect(found.some((breach) => breach.endsWith(`(${name})`))).toBe(true);
      });
    }
  }

  test("each has trees that break it", () => {
    expect(Object.keys(breaking).sort()).toEqual(Object.keys(rules).sort());
  });

  test("leave alone what only looks like a breach", () => {
    expect(findBreaches(new Map(Object.entries(allowed)))).toEqual([]);
  });
});

describe("src", () => {
  test("keeps the import rules of docs/architecture.md", () => {
    expect(tree.size).toBeGreaterThan(0);
    expect(findBreaches(tree)).toEqual([]);
  });

  test("has no file that should be two", () => {
    const lineCounts = [...tree].map(([path, text]) => ({ path, lines: text.split("\n").length - 1 }));
    for (const { path, lines } of lineCounts) {
      if (lines > 300) console.warn(`${path} has ${lines} lines: is it two files?`);
    }
    expect(lineCounts.filter(({ lines }) => lines > 400)).toEqual([]);
  });
});
