import { expect } from "bun:test";
import { join } from "node:path";
import { canBootGuest, runInGuest, whyNoGuest } from "../support/guest-kernel.ts";
import { hasGanesha, whyNoNfs } from "../support/nfs-server.ts";
import { hasSamba } from "../support/smb-server.ts";
import { testIf } from "../support/test-if.ts";

const root = join(import.meta.dir, "../..");

/**
 * Runs tests of a file of this folder in a kernel of their own, with root's rights. Protocols that are tried beside the
 * newest ones, with LIVECAM_LONG=1.
 */
async function runInside(file: string, technology: string): Promise<void> {
  const long = process.env.LIVECAM_LONG ? [`LIVECAM_LONG=${process.env.LIVECAM_LONG}`] : [];
  const {
    exitCode,
    output,
    console: said,
  } = await runInGuest(
    [
      ...["env", ...long, "bun", "test", "--timeout", "60000", "--test-name-pattern", technology],
      `./tests/kernel/${file}.inside.ts`,
    ],
    { cwd: root, timeoutMs: 280_000 },
  );
  console.log(
    output
      .split("\n")
      .filter((line) => /^\((?:pass|skip)\)/.test(line))
      .join("\n"),
  );
  if (exitCode !== 0) throw new Error(exitCode === null ? `the guest died: ${said}\n${output}` : output);
  expect(output).toContain("\n 0 fail");
}

const whyNoSamba = "needs samba and smbclient (scripts/setup smb)";
const testNfs = testIf(canBootGuest && hasGanesha, canBootGuest ? whyNoNfs : whyNoGuest, {
  concurrent: true,
});
const testSmb = testIf(canBootGuest && hasSamba, canBootGuest ? whyNoSamba : whyNoGuest, {
  concurrent: true,
});

testNfs(
  "NFS mounted by a real kernel keeps the contract of destinations",
  () => runInside("nfs-contract", "NFS"),
  300_000,
);
testSmb(
  "SMB mounted by a real kernel keeps the contract of destinations",
  () => runInside("smb-contract", "SMB"),
  300_000,
);
testNfs(
  "NFS mounted by a real kernel bears what a NAS does",
  () => runInside("mount-faults", "NFS"),
  300_000,
);
testSmb(
  "SMB mounted by a real kernel bears what a NAS does",
  () => runInside("mount-faults", "SMB"),
  300_000,
);
testNfs(
  "a hub whose archive is on NFS bears a server that is stopped",
  () => runInside("hub-on-nas", "NFS"),
  300_000,
);
testSmb(
  "a hub whose archive is on SMB bears a server that is stopped",
  () => runInside("hub-on-nas", "SMB"),
  300_000,
);
