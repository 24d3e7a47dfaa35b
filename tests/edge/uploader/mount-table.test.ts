import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { parseMountInfo } from "../../../src/common/mount-info.ts";
import type { MountPlan } from "../../../src/edge/uploader/mount-plan.ts";
import { differenceOf, mountAt } from "../../../src/edge/uploader/mount-table.ts";

// Lines as proc_pid_mountinfo(5) and the kernel's own show_options of NFS and CIFS have them.
const nfsLine =
  "412 30 0:52 / /run/livecam/archive rw,nosuid,nodev,noexec,noatime shared:230 - nfs4 nas:/volume1/videos " +
  "rw,vers=4.2,rsize=1048576,wsize=1048576,namlen=255,softerr,proto=tcp,timeo=50,retrans=2,sec=krb5p," +
  "clientaddr=10.0.0.7,local_lock=none,addr=10.0.0.2";
const smbLine =
  "413 30 0:53 / /run/livecam/archive rw,noatime - cifs //nas/My\\040Videos rw,vers=3.1.1,username=livecam,soft";

const nfsPlan: MountPlan = {
  ...{ type: "nfs4", source: "nas:/volume1/videos", options: [] },
  shown: { vers: (value) => value === "4.2", sec: (value) => value === "krb5p" },
};

const entryOf = (line: string) => parseMountInfo(line)[0]!;

test("reads a line with and without optional fields, and escapes", () => {
  expect(entryOf(nfsLine)).toMatchObject({
    ...{ root: "/", folder: "/run/livecam/archive", type: "nfs4", source: "nas:/volume1/videos" },
  });
  expect(entryOf(nfsLine).options.get("sec")).toBe("krb5p");
  expect(entryOf(nfsLine).options.get("softerr")).toBe("");
  expect(entryOf(smbLine).source).toBe("//nas/My Videos");
});

test("reads the table of this machine", async () => {
  const text = await readFile("/proc/self/mountinfo", "utf8");
  const entries = parseMountInfo(text);
  expect(entries).toHaveLength(text.trim().split("\n").length);
  expect(mountAt(entries, "/proc")?.type).toBe("proc");
});

test("of several mounts on one folder the one on top counts, and others do not", () => {
  const entries = parseMountInfo(`${nfsLine}\n${smbLine}\n${nfsLine.replace("archive", "archive2")}\n`);
  expect(mountAt(entries, "/run/livecam/archive")?.type).toBe("cifs");
  expect(mountAt(entries, "/run/livecam")).toBeUndefined();
});

test.each([
  [nfsLine, undefined],
  [nfsLine.replace("/volume1/videos ", "/volume1/videos/ "), undefined],
  [nfsLine.replace("nas:/volume1/videos", "nas:/volume1/other"), "nas:/volume1/other"],
  [nfsLine.replace("nas:", "nas2:"), "nas2:"],
  [nfsLine.replace("vers=4.2", "vers=4.0"), "vers is 4.0"],
  [nfsLine.replace("sec=krb5p", "sec=sys"), "sec is sys"],
  [nfsLine.replace("sec=krb5p,", ""), "sec is not told"],
  [smbLine, "it is cifs"],
  [nfsLine.replace("nfs4", "tmpfs"), "it is tmpfs"],
])("%s", (line, difference) => {
  if (difference === undefined) expect(differenceOf(entryOf(line), nfsPlan)).toBeUndefined();
  else expect(differenceOf(entryOf(line), nfsPlan)).toContain(difference);
});

test("any folder survives the kernel's escapes, and no line makes the parser throw", () => {
  const escaped = (text: string) =>
    [...Buffer.from(text)]
      .map((byte) =>
        [0x20, 0x09, 0x0a, 0x5c].includes(byte)
          ? Buffer.from(`\\${byte.toString(8).padStart(3, "0")}`)
          : Buffer.from([byte]),
      )
      .reduce((all, part) => Buffer.concat([all, part]), Buffer.alloc(0))
      .toString("utf8");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (name) => {
      const folder = `/${name}`;
      return parseMountInfo(`1 2 0:1 / ${escaped(folder)} rw - nfs4 a:/b rw`)[0]?.folder === folder;
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseMountInfo(text))));
});
