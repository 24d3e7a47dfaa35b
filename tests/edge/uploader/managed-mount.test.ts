import { expect, test } from "bun:test";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { Secret } from "../../../src/common/secret.ts";
import { NfsDestination, SmbMountDestination } from "../../../src/edge/destination-config.ts";
import { openCredentialsFile } from "../../../src/edge/uploader/credentials-file.ts";
import { ManagedMount, type ManagedMountOptions } from "../../../src/edge/uploader/managed-mount.ts";
import { planNfsMount, planSmbMount } from "../../../src/edge/uploader/mount-plan.ts";
import { MountedDestination } from "../../../src/edge/uploader/mounted-destination.ts";
import { makeArchive, testArchiveId, writeSegment } from "../../contract/archive-destination.contract.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";

/*
 * The flow with programs in place of mount and umount, and a mount table of our own: this shows what is called when,
 * and what is believed. That the kernel takes the options is for a machine that has NFS and CIFS.
 */

const nfsPlan = planNfsMount(v.parse(NfsDestination, { type: "nfs", server: "nas", export: "/videos" }));
const shown = "rw,vers=4.2,sec=sys";

async function setUp(options: { mountScript?: string; umountScript?: string } = {}) {
  const at = await temporaryFolder();
  const [table, log, folder, nas] = ["table", "log", "run/archive", "nas"].map((name) =>
    join(at.path, name),
  ) as [string, string, string, string];
  await writeFile(table, "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
  await makeArchive(nas);
  const line = `9 1 0:9 / ${folder} rw - nfs4 nas:/videos ${shown}`;
  const programs = {
    mount: await program(
      join(at.path, "mount"),
      options.mountScript ?? `echo "${line}" >> ${table}; cp -r ${nas}/. ${folder}`,
      log,
    ),
    umount: await program(
      join(at.path, "umount"),
      options.umountScript ?? `sed -i '$d' ${table}; rm -rf ${folder}/*`,
      log,
    ),
  };
  const open = (more: Partial<ManagedMountOptions> = {}) =>
    new ManagedMount({
      ...{ folder, programs, mountInfoPath: table },
      withPlan: (use) => use(nfsPlan),
      ...more,
    });
  return {
    ...{ path: at.path, folder, table, line, nas, open },
    calls: async () => (await readFile(log, "utf8").catch(() => "")).split("\n").filter(Boolean),
    [Symbol.asyncDispose]: () => at[Symbol.asyncDispose](),
  };
}

async function program(path: string, script: string, log: string): Promise<string> {
  await writeFile(path, `#!/bin/sh\necho "$(basename $0) $*" >> ${log}\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

test("mounts once, however often and from however many sides it is asked, and is taken off at the end", async () => {
  await using at = await setUp();
  const mount = at.open();
  await Promise.all([mount.ensure(), mount.ensure()]);
  await mount.ensure();
  await at.open().ensure();
  expect(await at.calls()).toEqual([
    `mount -t nfs4 -o ${nfsPlan.options.join(",")} -- nas:/videos ${at.folder}`,
  ]);
  await mount.unmount();
  await mount.unmount();
  expect((await at.calls()).slice(1)).toEqual([`umount --no-canonicalize -- ${at.folder}`]);
});

test("brings a segment to what it has mounted, and checks it", async () => {
  await using at = await setUp();
  const destination = new MountedDestination({ mount: at.open(), path: "" });
  const [sourcePath, identity] = await writeSegment(at.path);
  const request = { sourcePath, identity, expectedArchiveId: testArchiveId };
  expect(await destination.put(request)).toMatchObject({ alreadyThere: false });
  expect(await destination.check()).toMatchObject({ ok: true, archiveId: testArchiveId });
  await destination.close();
  expect(await readdir(at.folder)).toEqual([]);
});

test("what is mounted there and is not what was asked for is taken off first", async () => {
  await using at = await setUp();
  await mkdir(at.folder, { recursive: true });
  await writeFile(at.table, `${at.line.replace("nas:/videos", "old:/videos")}\n`);
  await at.open().ensure();
  expect((await at.calls()).map((call) => call.split(" ")[0])).toEqual(["umount", "mount"]);
  expect(await readFile(at.table, "utf8")).toBe(`${at.line}\n`);
});

test("writes nothing when the program says done and nothing is mounted", async () => {
  await using at = await setUp({ mountScript: "exit 0" });
  const destination = new MountedDestination({ mount: at.open(), path: "" });
  const [sourcePath, identity] = await writeSegment(at.path);
  await expect(destination.put({ sourcePath, identity, expectedArchiveId: undefined })).rejects.toMatchObject(
    {
      code: "unavailable",
      message: expect.stringContaining("not mounted as asked: the mount table does not have it"),
    },
  );
  expect(await readdir(at.folder)).toEqual([]);
});

test("a mount with less security than asked for is taken off again", async () => {
  await using at = await setUp();
  const plan = planNfsMount(
    v.parse(NfsDestination, { type: "nfs", server: "nas", export: "/videos", sec: "krb5p" }),
  );
  await expect(at.open({ withPlan: (use) => use(plan) }).ensure()).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("its sec is sys"),
  });
  expect((await at.calls()).map((call) => call.split(" ")[0])).toEqual(["mount", "umount"]);
});

test.each([
  ["mount.nfs4: access denied by server while mounting nas:/videos", "the server refuses"],
  ["mount: bad option; for several filesystems you might need a helper program", "install nfs-common"],
  ["mount: /x: unknown filesystem type 'nfs4'.", "this kernel cannot mount it"],
  ["mount.nfs4: Operation not permitted", "mounting needs root"],
  ["mount.nfs4: failed to apply fstab options", "mounting needs root"],
  ["mount.cifs: permission denied: no match for /x found in /etc/fstab", "mounting needs root"],
  ["mount error(2): No such file or directory", "no such export or share"],
  ["mount.nfs4: Connection refused", "cannot be reached"],
])("%s", async (said, hint) => {
  await using at = await setUp({ mountScript: `echo "${said}" >&2; exit 32` });
  const destination = new MountedDestination({ mount: at.open(), path: "" });
  const check = await destination.check();
  expect(check).toEqual({ ok: false, reason: expect.stringContaining(hint) });
  expect(!check.ok && check.reason).toContain(said);
});

test("what cannot be unmounted properly is unmounted lazily", async () => {
  await using at = await setUp();
  await using hung = await setUp({
    umountScript: `case "$*" in *--lazy*) : > "$0.table";; *) exit 32;; esac`,
  });
  const table = join(hung.path, "umount.table");
  await writeFile(table, `${hung.line}\n`);
  await hung.open({ mountInfoPath: table }).unmount();
  expect(await hung.calls()).toEqual([
    `umount --no-canonicalize -- ${hung.folder}`,
    `umount --no-canonicalize --lazy --internal-only -- ${hung.folder}`,
  ]);
  await at.open().unmount();
  expect(await at.calls()).toEqual([]);
});

test("an SMB password is in a file for us alone while mount runs, and nowhere afterwards", async () => {
  await using at = await setUp();
  const run = join(at.path, "run");
  const config = v.parse(SmbMountDestination, {
    ...{ type: "smb", mode: "mount", server: "nas", share: "videos", username: "livecam", domain: "HOME" },
    password: { env: "X" },
  });
  let seen = "";
  const mount = await program(
    join(at.path, "mount-smb"),
    `f=$(echo "$*" | sed 's/.*credentials=\\([^,]*\\).*/\\1/'); stat -c %a $f > ${at.path}/seen; cat $f >> ${at.path}/seen
     echo "9 1 0:9 / ${at.folder} rw - cifs //nas/videos rw" >> ${at.table}`,
    join(at.path, "log"),
  );
  const managed = at.open({
    programs: { mount },
    async withPlan(use) {
      await using credentials = await openCredentialsFile(run, {
        ...{ username: "livecam", domain: "HOME", password: new Secret("hunter 2") },
      });
      return await use(planSmbMount(config, { credentialsFile: credentials.path, uid: 0, gid: 0 }));
    },
  });
  await managed.ensure();
  seen = await readFile(join(at.path, "seen"), "utf8");
  expect(seen).toBe("600\nusername=livecam\npassword=hunter 2\ndomain=HOME\n");
  expect((await at.calls()).join()).not.toContain("hunter");
  expect(await readdir(run)).toEqual(["archive"]);
});
