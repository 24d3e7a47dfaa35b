import { AppError } from "../../common/errors.ts";
import { SpoolChecksum } from "../spool-checksum.ts";
import type { LoadedSegment } from "./archive-destination.ts";

/** Whether what is read from the spool is what was recorded. */
export interface SegmentProof {
  /** All bytes of the spool file, in order. */
  update(bytes: Uint8Array): void;
  /** After the last byte. Throws `corrupt_file` when they are not what was recorded. */
  check(): void;
}

/**
 * By the fast checksum that was taken while recording; for a segment without one (recorded by an older release, or
 * repaired after a crash) by its SHA-256, which costs as much again as the one of the archived file.
 */
export function proofOf({ identity, spoolChecksum }: LoadedSegment): SegmentProof {
  if (spoolChecksum === undefined) {
    const hasher = new Bun.CryptoHasher("sha256");
    return {
      update: (bytes) => void hasher.update(bytes),
      check: () => compare("hash", identity.recordedSha256, hasher.digest("hex")),
    };
  }
  const checksum = new SpoolChecksum();
  return {
    update: (bytes) => checksum.update(bytes),
    check: () => compare("checksum", spoolChecksum, checksum.digest()),
  };
}

function compare(what: string, recorded: string, found: string): void {
  if (recorded === found) return;
  throw new AppError("corrupt_file", `the segment no longer has the ${what} it was recorded with`, {
    details: { side: "spool", recorded, found },
  });
}
