import { expect } from "bun:test";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runChild } from "../../../src/common/child-process.ts";
import { ArchiveRoot } from "../../../src/edge/uploader/archive-root.ts";
import { makeArchive, testArchiveId } from "../../contract/archive-destination.contract.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";
import { canMount } from "../../support/small-disk.ts";
import { testIf } from "../../support/test-if.ts";

testIf(canMount, "mounting needs root")(
  "leads to the file system whose identity was read, also when another takes its place",
  async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "mount");
    await mkdir(path);
    const run = async (...argv: string[]) => {
      expect(await runChild({ argv, timeoutMs: 30_000 })).toMatchObject({ exitCode: 0 });
    };
    await run("mount", "-t", "tmpfs", "tmpfs", path);
    await makeArchive(path);
    await using root = await ArchiveRoot.open(path, testArchiveId);
    await run("umount", "-l", path);
    await mkdir(root.resolve("cam01"));
    await writeFile(root.resolve("cam01/video"), "?");
    expect(await readdir(path)).toEqual([]);
    expect((await readdir(root.resolve("."))).sort()).toEqual(["cam01", "metadata"]);
  },
);
