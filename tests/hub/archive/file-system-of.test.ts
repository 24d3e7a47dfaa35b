import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, realpath, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { parseMountInfo } from "../../../src/common/mount-info.ts";
import { fileSystemOf } from "../../../src/hub/archive/file-system-of.ts";
import { canHang, cannotHang, openHangingFolder } from "../../support/hanging-folder.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";
import { testIf } from "../../support/test-if.ts";

const line = (folder: string, type: string) => `36 35 98:0 / ${folder} rw,noatime - ${type} source rw`;
const tableOf = (...mounts: [folder: string, type: string][]) =>
  parseMountInfo(mounts.map((mount) => line(...mount)).join("\n"));

describe("by the mount table", () => {
  const table = tableOf(
    ["/", "ext4"],
    ["/mnt/nas", "nfs4"],
    ["/mnt/nas2", "xfs"],
    ["/mnt/nas/inner", "tmpfs"],
  );
  const cases: [path: string, type: string, mayHang: boolean][] = [
    ["/", "ext4", false],
    ["/mnt", "ext4", false],
    ["/mnt/nas", "nfs4", true],
    ["/mnt/nas/videos/of/2025", "nfs4", true],
    ["/mnt/nas2/videos", "xfs", false],
    // To get there somebody has to ask the NAS.
    ["/mnt/nas/inner/videos", "nfs4", true],
    ["/mnt/../mnt/./nas//videos", "nfs4", true],
  ];
  for (const [path, type, mayHang] of cases) {
    test(path, () => expect(fileSystemOf(path, table)).toEqual({ type, mayHang }));
  }

  test("every kind that another machine or process serves may hang, and no disk", () => {
    const kindOf = (type: string) =>
      fileSystemOf("/videos", tableOf(["/", "ext4"], ["/videos", type])).mayHang;
    const served = [
      "nfs",
      "nfs4",
      "cifs",
      "smb3",
      "fuse.sshfs",
      "fuse.bindfs",
      "fuse",
      "fuseblk",
      "9p",
      "ceph",
      "autofs",
    ];
    const local = [
      "ext4",
      "xfs",
      "btrfs",
      "zfs",
      "tmpfs",
      "overlay",
      "f2fs",
      "exfat",
      "vfat",
      "fusectl",
      "nfsd",
    ];
    expect(served.filter((type) => !kindOf(type))).toEqual([]);
    expect(local.filter(kindOf)).toEqual([]);
  });

  test("of mounts on one folder the one on top counts; without a table nothing is known", () => {
    expect(fileSystemOf("/v", tableOf(["/", "ext4"], ["/v", "ext4"], ["/v", "nfs4"])).type).toBe("nfs4");
    expect(fileSystemOf("/v", [])).toEqual({ type: "unknown", mayHang: false });
  });
});

describe("through links", () => {
  let root: string;
  beforeAll(async () => {
    root = await realpath((await temporaryFolder()).path);
    await mkdir(join(root, "local"));
    for (const [target, name] of [
      [join(root, "nas/videos"), "absolute"],
      ["nas/../nas", "relative"],
      ["local", "near"],
      ["loop", "loop"],
      ["nowhere", "dangling"],
    ] as const) {
      await symlink(target, join(root, name));
    }
  });
  afterAll(() => rm(root, { recursive: true }));
  const typeOf = (name: string) =>
    fileSystemOf(join(root, name), tableOf(["/", "ext4"], [join(root, "nas"), "cifs"])).type;

  test("they are followed up to the network, and no further", () => {
    expect(["absolute", "absolute/deeper", "relative"].map(typeOf)).toEqual(["cifs", "cifs", "cifs"]);
    expect(["near", "loop", "dangling", "not/there"].map(typeOf)).toEqual(["ext4", "ext4", "ext4", "ext4"]);
  });
});

testIf(canHang, cannotHang)("an answer comes while the file system hangs", async () => {
  await using folder = await openHangingFolder();
  folder.hang();
  expect(fileSystemOf(join(folder.path, "videos"))).toEqual({ type: "fuse", mayHang: true });
});
