import { expect, test } from "bun:test";
import * as v from "valibot";
import {
  DestinationConfig,
  NfsDestination,
  SmbMountDestination,
} from "../../../src/edge/destination-config.ts";
import {
  mountArguments,
  planNfsMount,
  planSmbMount,
  unmountArguments,
} from "../../../src/edge/uploader/mount-plan.ts";

const nfs = { type: "nfs", server: "nas.local", export: "/volume1/videos" };
const smb = {
  ...{ type: "smb", mode: "mount", server: "nas.local", share: "videos", username: "livecam" },
  password: { file: "/etc/livecam/smb.secret" },
};
const own = { credentialsFile: "/run/livecam/smb-credentials-1-x", uid: 0, gid: 0 };

test("NFS, the shortest config", () => {
  const plan = planNfsMount(v.parse(NfsDestination, nfs));
  expect(mountArguments(plan, "/run/livecam/archive")).toEqual([
    ...["mount", "-t", "nfs4", "-o"],
    "rw,noatime,nosuid,nodev,noexec,vers=4.2,proto=tcp,sec=sys,softerr,timeo=50,retrans=2,retry=0,nosharecache",
    ...["--", "nas.local:/volume1/videos", "/run/livecam/archive"],
  ]);
});

test("NFS, everything set", () => {
  const config = { ...nfs, version: 4.1, sec: "krb5p", port: 2050, options: ["rsize=262144", "timeo=100"] };
  const { options } = planNfsMount(v.parse(NfsDestination, config));
  expect(options).toContain("vers=4.1");
  expect(options).toContain("sec=krb5p");
  expect(options).toContain("port=2050");
  expect(options.slice(-2)).toEqual(["rsize=262144", "timeo=100"]);
});

test("SMB, the shortest config; neither account nor password in it", () => {
  const argv = mountArguments(planSmbMount(v.parse(SmbMountDestination, smb), own), "/run/livecam/archive");
  expect(argv).toEqual([
    ...["mount", "-t", "cifs", "-o"],
    "rw,noatime,nosuid,nodev,noexec,vers=3,credentials=/run/livecam/smb-credentials-1-x,uid=0,gid=0," +
      "file_mode=0644,dir_mode=0755,iocharset=utf8,soft,echo_interval=10,nosharesock",
    ...["--", "//nas.local/videos", "/run/livecam/archive"],
  ]);
});

test("unmounting, properly and lazily", () => {
  expect(unmountArguments("/run/livecam/archive", false)).toEqual([
    ...["umount", "--no-canonicalize", "--", "/run/livecam/archive"],
  ]);
  expect(unmountArguments("/run/livecam/archive", true)).toEqual([
    ...["umount", "--no-canonicalize", "--lazy", "--internal-only", "--", "/run/livecam/archive"],
  ]);
});

test.each([
  [{ ...nfs, export: "volume1" }],
  [{ ...nfs, export: "/a b" }],
  [{ ...nfs, export: "/a\nb" }],
  [{ ...nfs, server: "-o" }],
  [{ ...nfs, server: "a:b" }],
  [{ ...nfs, version: 3 }],
  [{ ...nfs, sec: "none" }],
  [{ ...nfs, options: ["sec=sys"] }],
  [{ ...nfs, options: ["a=b,suid"] }],
  [{ ...nfs, options: ["rw suid"] }],
  [{ ...smb, options: ["password=secret"] }],
  [{ ...smb, options: ["credentials=/etc/passwd"] }],
  [{ ...smb, verify: "read_back" }],
  [{ ...smb, mode: "guess" }],
  [{ type: "ftp" }],
])("the config refuses %j", (config) => {
  expect(v.safeParse(DestinationConfig, config).success).toBe(false);
});

test("a config that went through its schema goes through it again", () => {
  for (const config of [{ ...nfs, version: 4.2 }, smb, { ...smb, mode: "client" }]) {
    const once = v.parse(DestinationConfig, config);
    expect(v.parse(DestinationConfig, JSON.parse(JSON.stringify(once)))).toEqual(once);
  }
});
