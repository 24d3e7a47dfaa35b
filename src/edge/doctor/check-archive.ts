import { describeError } from "../../common/errors.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

/** A destination as the doctor needs it; its calls end by a deadline of their own. */
export interface Archive {
  check(): Promise<
    { ok: true; archiveId: string; freeBytes?: number | undefined } | { ok: false; reason: string }
  >;
  /** Writes, syncs, renames and removes a small file. */
  tryWriting?(expectedArchiveId: string | undefined): Promise<void>;
}

const littleBytes = 10e9;

/** Whether the archive can be reached, is the hub's, and takes files for good. `expectedId`: what the hub said it is. */
export async function checkArchive(archive: Archive, expectedId: string | undefined): Promise<Finding[]> {
  const check = "archive";
  const found = await archive.check();
  if (!found.ok) {
    const advice =
      "see that the NAS is on and mounted, and that livecam-hub has made metadata/archive.json in it";
    return [fail(check, found.reason, advice)];
  }
  const { archiveId, freeBytes } = found;
  if (expectedId !== undefined && expectedId !== archiveId) {
    const advice = "mount the archive that the hub uses, or give this node the hub of this archive";
    return [
      fail(check, `another archive is there: it is ${archiveId}, and the hub's is ${expectedId}`, advice),
    ];
  }
  const free = freeBytes === undefined ? "" : `, ${(freeBytes / 1e9).toFixed(1)} GB free`;
  const findings = [identified(check, `${archiveId}${free}`, expectedId, freeBytes)];
  if (archive.tryWriting) findings.push(await checkWriting(archive.tryWriting(archiveId)));
  return findings;
}

function identified(
  check: string,
  what: string,
  expectedId: string | undefined,
  freeBytes: number | undefined,
): Finding {
  if (freeBytes !== undefined && freeBytes < littleBytes) {
    return warn(check, `nearly full: ${what}`, "make room on the NAS, or let the hub keep less");
  }
  if (expectedId !== undefined) return ok(check, `the hub's: ${what}`);
  return warn(check, `${what}; whether it is the hub's is not known`, "see what is said about the hub");
}

async function checkWriting(writing: Promise<void>): Promise<Finding> {
  const check = "archive writes";
  try {
    await writing;
    return ok(check, "a file was written, synced, renamed and removed");
  } catch (error) {
    const advice =
      "see that the share is not read-only or full, and that this node's user may write to its root";
    return fail(check, describeError(error), advice);
  }
}
