import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import { temporaryFolder } from "./sample-recording.ts";

/*
 * Debian's user-mode-linux: a whole Linux kernel as an ordinary process, up in two seconds, with NFS, CIFS and network
 * faults that the kernel of a CI machine has not. Its files are this machine's, read-only; /tmp, /run and the like are
 * its own, in memory. It has one processor and no network but its own loopback.
 */

const modulesFolder = "/usr/lib/uml/modules";

export const canBootGuest =
  Bun.which("linux.uml") !== null &&
  existsSync(modulesFolder) &&
  Bun.which("modprobe", { PATH: path() }) !== null;
export const whyNoGuest = "needs user-mode-linux and kmod (scripts/setup kernel)";

/**
 * Runs as root in the guest, in a read-only view of `cwd`, with the Bun of this process on PATH. `output` is stdout and stderr.
 * `exitCode` is null when the guest ended without telling; `console` says why.
 */
export async function runInGuest(
  argv: readonly string[],
  { cwd, memoryMb = 1024, timeoutMs }: { cwd: string; memoryMb?: number; timeoutMs: number },
): Promise<{ exitCode: number | null; output: string; console: string }> {
  await using folder = await temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  await mkdir(at("result"));
  await writeFile(at("result/argv"), argv.map((argument) => `${argument}\0`).join(""));
  const [release = ""] = await readdir(modulesFolder);
  await writeFile(at("init"), initScript({ cwd, release, resultFolder: at("result") }));
  await chmod(at("init"), 0o755);
  const { stdout, stderrTail } = await runChild({
    argv: [
      ...["linux.uml", `mem=${memoryMb}M`, "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro"],
      ...[`init=${at("init")}`, "con=null", "con0=null,fd:1", "quiet"],
    ],
    timeoutMs,
    maxOutputBytes: 16 * 1024 * 1024,
  });
  const read = (name: string) => readFile(at(`result/${name}`), "utf8").catch(() => "");
  const exitCode = Number.parseInt(await read("exit_code"), 10);
  return {
    exitCode: Number.isNaN(exitCode) ? null : exitCode,
    output: await read("output"),
    console: `${new TextDecoder().decode(stdout)}${stderrTail}`,
  };
}

/** The first process of the guest. Modules lie beside their usual place, where the kernel would not find them. */
function initScript({ cwd, release, resultFolder }: { cwd: string; release: string; resultFolder: string }) {
  return `#!/bin/bash
export PATH=${path()} HOME=/tmp LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
for folder in /tmp /run /mnt /var/lib /var/log /var/cache; do mount -t tmpfs tmpfs "$folder"; done
mkdir -p /run/kernel/lib/modules /run/result /run/cwd /run/bun /var/lib/nfs /var/lib/samba
ln -s ${modulesFolder}/${release} /run/kernel/lib/modules/${release}
printf '#!/bin/sh\\nexec modprobe -d /run/kernel "$@"\\n' >/run/kernel/modprobe
chmod 755 /run/kernel/modprobe
echo /run/kernel/modprobe >/proc/sys/kernel/modprobe
/run/kernel/modprobe -a nfsv4 cifs loop
ip link set lo up
hostname guest
mount -t hostfs -o ${resultFolder} none /run/result
mount -t hostfs -o ro,${cwd} none /run/cwd
mount -t hostfs -o ro,${dirname(process.execPath)} none /run/bun
cd /run/cwd || exit
mapfile -d '' argv </run/result/argv
"\${argv[@]}" >/run/result/output 2>&1 </dev/null
echo $? >/run/result/exit_code
sync /run/result
echo o >/proc/sysrq-trigger
sleep 60
`;
}

function path(): string {
  return "/run/bun:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}
