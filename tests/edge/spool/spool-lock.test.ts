import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Child, startChild } from "../../../src/common/child-process.ts";
import { SpoolLock } from "../../../src/edge/spool/spool-lock.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";

/** Another process that holds the lock until it is killed; resolves when it has it. */
async function holdElsewhere(root: string): Promise<Child> {
  const lockModule = join(import.meta.dir, "../../../src/edge/spool/spool-lock.ts");
  const script = `import { SpoolLock } from ${JSON.stringify(lockModule)};
    globalThis.lock = await SpoolLock.take(${JSON.stringify(root)});
    console.log("held"); await Bun.sleep(60_000);`;
  const child = startChild({ argv: [process.execPath, "-e", script], stdout: "pipe" });
  const reader = child.stdout.getReader();
  await reader.read();
  return child;
}

test("a second process is told who has the spool, and gets it when that one is killed", async () => {
  await using folder = await temporaryFolder();
  const other = await holdElsewhere(folder.path);
  await expect(SpoolLock.take(folder.path)).rejects.toMatchObject({
    code: "already_running",
    message: `another livecam-edge (process ${other.pid}) works on the spool ${folder.path}`,
  });
  other.kill("SIGKILL");
  await other.exited;
  using _lock = await SpoolLock.take(folder.path);
});

test("holds while its process is stopped", async () => {
  await using folder = await temporaryFolder();
  const other = await holdElsewhere(folder.path);
  other.kill("SIGSTOP");
  await expect(SpoolLock.take(folder.path)).rejects.toMatchObject({ code: "already_running" });
  other.kill("SIGKILL");
  await other.exited;
});

test("is not held by the pid that a dead process left, even when another program has it now", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "owner.pid"), `${process.ppid}\n`);
  using _lock = await SpoolLock.take(folder.path);
});

test("is given back", async () => {
  await using folder = await temporaryFolder();
  for (let round = 0; round < 3; round++) {
    using _lock = await SpoolLock.take(folder.path);
    await expect(SpoolLock.take(folder.path)).rejects.toMatchObject({ code: "already_running" });
  }
});
