import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { runChild } from "../../src/common/child-process.ts";
import { PathDestination } from "../../src/edge/uploader/path-destination.ts";
import { canLoop } from "../support/loop-disk.ts";
import { testIf } from "../support/test-if.ts";
import { archiveDestinationContract, makeArchive } from "./archive-destination.contract.ts";

const canExfat = canLoop && existsSync("/usr/sbin/mount.exfat-fuse") && existsSync("/usr/sbin/mkfs.exfat");

async function run(...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderrTail } = await runChild({ argv, timeoutMs: 30_000 });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderrTail}`);
  return stdout.toString();
}

if (canExfat) {
  // It knows neither hard links nor case, like an SMB mount, and its calls go through FUSE.
  archiveDestinationContract("path destination on exFAT by FUSE", async (archive) => {
    const image = `${archive}.img`;
    await run("truncate", "-s", "16M", image);
    await run("mkfs.exfat", image);
    const device = (await run("losetup", "--find", "--show", image)).trim();
    await run("mount.exfat-fuse", device, archive, "-o", "nonempty");
    await makeArchive(archive);
    return {
      archive,
      destination: new PathDestination({ path: archive }),
      async [Symbol.asyncDispose]() {
        await run("umount", "-l", archive).catch(() => undefined);
        await run("losetup", "--detach", device);
        await rm(image);
      },
    };
  });
} else {
  testIf(false, "needs root, loop devices, exfat-fuse and exfatprogs (scripts/setup exfat)")(
    "path destination on exFAT keeps the contract of destinations",
    () => undefined,
  );
}
