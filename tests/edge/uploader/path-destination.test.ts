import { expect, test } from "bun:test";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { archivePathOf } from "../../../src/common/archive-path.ts";
import { runChild } from "../../../src/common/child-process.ts";
import { PathDestination } from "../../../src/edge/uploader/path-destination.ts";
import { makeArchive, testArchiveId, writeSegment } from "../../contract/archive-destination.contract.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";
import { canMount, mountSmallDisk } from "../../support/small-disk.ts";
import { testIf } from "../../support/test-if.ts";

const testAsRoot = testIf(canMount, "mounting needs root");

async function requestIn(folder: string) {
  const [sourcePath, identity] = await writeSegment(folder);
  return { sourcePath, identity, expectedArchiveId: testArchiveId };
}

const filesIn = async (root: string) =>
  (await readdir(root, { recursive: true })).filter((name) => name.includes(".")).sort();

testAsRoot("a full archive gets no half file, and the segment when there is room", async () => {
  await using folder = await temporaryFolder();
  await using disk = await mountSmallDisk(512 * 1024);
  await makeArchive(disk.path);
  await writeFile(join(disk.path, "ballast"), new Uint8Array(480 * 1024));
  const destination = new PathDestination({ path: disk.path });
  const request = await requestIn(folder.path);
  await expect(destination.put(request)).rejects.toMatchObject({
    code: "io",
    details: { side: "archive", errno: "ENOSPC" },
  });
  expect(await filesIn(disk.path)).toEqual(["metadata/archive.json"]);
  await rm(join(disk.path, "ballast"));
  expect(await destination.put(request)).toMatchObject({ alreadyThere: false });
});

testAsRoot(
  "an archive that became read-only says so, and gets the segment when it no longer is",
  async () => {
    await using folder = await temporaryFolder();
    await using disk = await mountSmallDisk(4 * 1024 * 1024);
    await makeArchive(disk.path);
    const remount = async (mode: string) => {
      const argv = ["mount", "-o", `remount,${mode}`, disk.path];
      expect(await runChild({ argv, timeoutMs: 30_000 })).toMatchObject({ exitCode: 0 });
    };
    const destination = new PathDestination({ path: disk.path });
    const request = await requestIn(folder.path);
    await remount("ro");
    await expect(destination.put(request)).rejects.toMatchObject({
      code: "io",
      details: { side: "archive", errno: "EROFS" },
    });
    await remount("rw");
    expect(await destination.put(request)).toMatchObject({ alreadyThere: false });
  },
);

testAsRoot("a mount that vanishes in the middle leaves nothing in the folder under it", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "mount");
  await mkdir(path);
  const mount = async (...argv: string[]) => {
    expect(await runChild({ argv, timeoutMs: 30_000 })).toMatchObject({ exitCode: 0 });
  };
  await mount("mount", "-t", "tmpfs", "tmpfs", path);
  await makeArchive(path);
  const request = await requestIn(folder.path);
  let vanished: Promise<void> | undefined;
  const put = new PathDestination({ path }).put(request, {
    onProgress: () => {
      vanished ??= mount("umount", "-l", path);
    },
  });
  // Whether it still got through to the file system that is no longer mounted does not matter.
  await put.catch(() => undefined);
  await vanished;
  expect(await readdir(path)).toEqual([]);
  await expect(new PathDestination({ path }).put(request)).rejects.toMatchObject({ code: "unavailable" });
  expect(await readdir(path)).toEqual([]);
});

test.each([
  ["the camera's folder is a file", "cam01"],
  ["the day's folder is a file", "cam01/2025-09-23"],
])("says so when %s", async (_what, path) => {
  await using folder = await temporaryFolder();
  const archive = join(folder.path, "videos");
  await makeArchive(archive);
  await mkdir(dirname(join(archive, path)), { recursive: true });
  await writeFile(join(archive, path), "?");
  await expect(
    new PathDestination({ path: archive }).put(await requestIn(folder.path)),
  ).rejects.toMatchObject({
    code: "io",
    details: { side: "archive", errno: "ENOTDIR" },
  });
});

test("does not follow a link that has the name of the video", async () => {
  await using folder = await temporaryFolder();
  const archive = join(folder.path, "videos");
  await makeArchive(archive);
  const request = await requestIn(folder.path);
  const planted = join(archive, archivePathOf(request.identity));
  await mkdir(dirname(planted), { recursive: true });
  const victim = join(folder.path, "victim");
  await writeFile(victim, "precious");
  await symlink(victim, planted);
  const { filePath } = await new PathDestination({ path: archive }).put(request);
  expect(filePath).toBe(archivePathOf(request.identity, 2));
  expect(await Bun.file(victim).text()).toBe("precious");
});
