import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";

/** A machine's disk to copy, and what boots it. */
export interface VmImage {
  rootDisk: string;
  kernel: string;
  initrd: string;
}

const release = "bookworm";
const rootDiskBytes = 2_500_000_000;
const packages = [
  ...[
    "linux-image-cloud-amd64",
    "initramfs-tools",
    "systemd",
    "systemd-sysv",
    "systemd-timesyncd",
    "dbus",
    "udev",
    "kmod",
  ],
  ...["iproute2", "procps", "dmsetup", "openssh-server", "ca-certificates", "netbase", "tzdata"],
  ...["ffmpeg", "nfs-common", "cifs-utils", "smbclient"],
];

/** The same for every machine; what differs is written by `VirtualMachine.create`. */
const files: Readonly<Record<string, string>> = {
  "etc/hostname": "livecam-vm\n",
  // As docs/install.md has it for a spool on a disk of its own.
  "etc/fstab": `/dev/vda / ext4 noatime 0 1
/dev/vdb /var/lib/livecam ext4 noatime,nofail,x-systemd.device-timeout=0 0 2
`,
  "etc/systemd/network/80-vm.network":
    "[Match]\nName=eth0\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\n[Link]\nRequiredForOnline=no\n",
  // The host answers as a time server where a scenario wants it to.
  "etc/systemd/timesyncd.conf.d/vm.conf": "[Time]\nNTP=10.0.2.2\nFallbackNTP=\n",
  "etc/ssh/sshd_config.d/vm.conf": "PermitRootLogin prohibit-password\nUseDNS no\n",
  "etc/systemd/system.conf.d/vm.conf": "[Manager]\nDefaultTimeoutStartSec=300s\n",
};

/** Debian as a bootable disk, made from its packages where that was not done before. Needs root, some minutes, apt. */
export async function ensureImage(say: (text: string) => void): Promise<VmImage> {
  const key = createHash("sha256").update(JSON.stringify([release, rootDiskBytes, packages, files]));
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "livecam/vm");
  const folder = join(cache, key.digest("hex").slice(0, 16));
  const image = {
    rootDisk: join(folder, "root.img"),
    kernel: join(folder, "vmlinuz"),
    initrd: join(folder, "initrd.img"),
  };
  if (existsSync(folder)) return image;
  say(`making the image of a Debian ${release} in ${folder} (some minutes)`);
  await mkdir(cache, { recursive: true });
  const unfinished = await mkdtemp(join(cache, "unfinished-"));
  try {
    const root = join(unfinished, "root");
    const bootstrap = [
      "--variant=minbase",
      "--quiet",
      `--include=${packages.join(",")}`,
      "--skip=check/qemu",
    ];
    await run("mmdebstrap", ...bootstrap, "--format=directory", release, root);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(root, path, ".."), { recursive: true });
      await writeFile(join(root, path), text);
    }
    for (const service of ["systemd-networkd", "systemd-timesyncd"]) {
      await enable(root, `/lib/systemd/system/${service}.service`);
    }
    const boot = await readdir(join(root, "boot"));
    for (const [name, target] of [
      ["vmlinuz-", "vmlinuz"],
      ["initrd.img-", "initrd.img"],
    ] as const) {
      const found = boot.find((each) => each.startsWith(name));
      if (!found) throw new Error(`the image has no ${name}`);
      await run("cp", join(root, "boot", found), join(unfinished, target));
    }
    const disk = join(unfinished, "root.img");
    await run("truncate", "-s", String(rootDiskBytes), disk);
    await run("mkfs.ext4", "-q", "-F", "-d", root, disk);
    await rm(root, { recursive: true });
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  return image;
}

async function enable(root: string, unit: string): Promise<void> {
  const wants = join(root, "etc/systemd/system/multi-user.target.wants");
  await mkdir(wants, { recursive: true });
  await symlink(unit, join(wants, unit.slice(unit.lastIndexOf("/") + 1))).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    },
  );
}

/** Of a program of this machine. Throws with its last words when it fails. */
export async function run(...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderrTail } = await runChild({ argv, timeoutMs: 900_000 });
  if (exitCode !== 0) throw new Error(`${argv.slice(0, 3).join(" ")} …: ${stderrTail}`);
  return new TextDecoder().decode(stdout);
}
