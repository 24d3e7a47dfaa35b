import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFileAtomic } from "../../src/common/atomic-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "livecam-atomic-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("replaces the content and leaves nothing beside it", async () => {
  const path = join(folder, "state.json");
  await writeFileAtomic(path, "one");
  await writeFileAtomic(path, "two", 0o600);
  expect(await readFile(path, "utf8")).toBe("two");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(["state.json"]);
});

test("when the rename cannot be done, the old stays and the temp file goes", async () => {
  const path = join(folder, "state.json");
  await mkdir(join(path, "occupied"), { recursive: true });
  await expect(writeFileAtomic(path, "new")).rejects.toThrow();
  expect(await readdir(folder)).toEqual(["state.json"]);
  expect(await readdir(path)).toEqual(["occupied"]);
});

test("what was refused first is told, not that the temp file cannot be removed either", async () => {
  const path = join(folder, "state.json");
  await mkdir(join(`${path}.tmp-${process.pid}`, "occupied"), { recursive: true });
  await expect(writeFileAtomic(path, "new")).rejects.toMatchObject({ syscall: "open" });
});
