import { expect, test } from "bun:test";
import { join } from "node:path";

const root = join(import.meta.dir, "../../..");

test("docs/segment-lifecycle.md names tests that are there", async () => {
  const text = await Bun.file(join(root, "docs/segment-lifecycle.md")).text();
  const named = [...text.matchAll(/(?:^|[\s[])((?:common|edge|e2e|contract)\/[a-z0-9/-]+)/gm)].map(
    ([, name]) => name,
  );
  expect(named.length).toBeGreaterThan(15);
  const there = new Set(
    [...new Bun.Glob("**/*.ts").scanSync({ cwd: join(root, "tests") })].map((path) => path.split(".")[0]),
  );
  expect(named.filter((name) => !there.has(name ?? ""))).toEqual([]);
});
