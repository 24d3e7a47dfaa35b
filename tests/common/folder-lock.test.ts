import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Child, startChild } from "../../src/common/child-process.ts";
import { FolderLock } from "../../src/common/folder-lock.ts";
import { temporaryFolder } from "../support/sample-recording.ts";

/** Another process that holds the lock until it is killed; resolves when it has it. */
async function holdElsewhere(root: string): Promise<Child> {
  const lockModule = join(import.meta.dir, "../../src/common/folder-lock.ts");
  const script = `import { FolderLock } from ${JSON.stringify(lockModule)};
    globalThis.lock = await FolderLock.take(${JSON.stringify(root)}, "test");
    console.log("held"); await Bun.sleep(60_000);`;
  const child = startChild({ argv: [process.execPath, "-e", script], stdout: "pipe" });
  const reader = child.stdout.getReader();
  await reader.read();
  return child;
}

test("a second process is told who has the folder, and gets it when that one is killed", async () => {
  await using folder = await temporaryFolder();
  const other = await holdElsewhere(folder.path);
  await expect(FolderLock.take(folder.path, "livecam-edge")).rejects.toMatchObject({
    code: "already_running",
    message: `another livecam-edge (process ${other.pid}) works on ${folder.path}`,
  });
  other.kill("SIGKILL");
  await other.exited;
  using _lock = await FolderLock.take(folder.path, "livecam-edge");
});

test("holds while its process is stopped", async () => {
  await using folder = await temporaryFolder();
  const other = await holdElsewhere(folder.path);
  other.kill("SIGSTOP");
  await expect(FolderLock.take(folder.path, "livecam-edge")).rejects.toMatchObject({
    code: "already_running",
  });
  other.kill("SIGKILL");
  await other.exited;
});

test("is not held by the pid that a dead process left, even when another program has it now", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "owner.pid"), `${process.ppid}\n`);
  using _lock = await FolderLock.take(folder.path, "livecam-edge");
});

test("is given back", async () => {
  await using folder = await temporaryFolder();
  for (let round = 0; round < 3; round++) {
    using _lock = await FolderLock.take(folder.path, "livecam-edge");
    await expect(FolderLock.take(folder.path, "livecam-edge")).rejects.toMatchObject({
      code: "already_running",
    });
  }
});
