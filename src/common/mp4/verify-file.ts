import { AppError, describeError } from "../errors.ts";
import { messageOfCorrupt } from "./boxes.ts";
import { inspectArchive } from "./inspect-archive.ts";
import { RegularFile } from "./regular-file.ts";
import { type SequentialFile, SequentialReader, type SequentialReaderOptions } from "./sequential-reader.ts";
import type { Findings, VerifyProblem, VerifyReport } from "./verify-report.ts";

/**
 * Checks one file in one sequential read: structure, outer tables and `sidx` against the fragments, and both hashes.
 * Whatever is in the file ends in a report; time is linear in its size and memory bounded. Throws only `cancelled`,
 * when `signal` aborts.
 */
export function verifyArchiveFile(
  path: string,
  options: SequentialReaderOptions = {},
): Promise<VerifyReport> {
  return verifyOpenedFile(path, () => RegularFile.open(path), options);
}

/** {@link verifyArchiveFile} for a file that is not one of this machine. `open` may throw what `RegularFile.open` does. */
export async function verifyOpenedFile(
  path: string,
  open: () => Promise<SequentialFile & AsyncDisposable>,
  options: SequentialReaderOptions = {},
): Promise<VerifyReport> {
  const findings: Findings = { kind: "unknown", complete: false, problems: [] };
  let sizeBytes = 0;
  let fileSha256: string | undefined;
  let prefixSha256: string | undefined;
  try {
    await using file = await open();
    sizeBytes = file.sizeBytes;
    await using reader = new SequentialReader(file, options);
    if (sizeBytes === 0) {
      findings.problems.push({ code: "empty", message: "the file is empty" });
    } else {
      await inspect(reader, findings);
    }
    await reader.pass(reader.remaining);
    if (reader.offset < sizeBytes) {
      findings.problems.push({ code: "truncated", message: "the file got shorter while it was read" });
    }
    fileSha256 = reader.fileSha256();
    prefixSha256 = reader.prefixSha256();
  } catch (error) {
    if (error instanceof AppError && error.code === "cancelled") throw error;
    findings.problems.push(problemOfFile(error));
  }
  const { complete, ...found } = findings;
  if (!complete && found.problems.length === 0) {
    found.problems.push({ code: "structure", message: "the file could not be checked to its end" });
  }
  return {
    path,
    ...found,
    ok: found.problems.length === 0,
    ...(fileSha256 !== undefined && { fileSha256 }),
    ...(prefixSha256 !== undefined && { prefixSha256 }),
    sizeBytes,
  };
}

/** What cannot be read as boxes is a finding; what cannot be read at all is thrown. */
async function inspect(reader: SequentialReader, findings: Findings): Promise<void> {
  try {
    await inspectArchive(reader, findings);
  } catch (error) {
    findings.problems.push({ code: "structure", message: messageOfCorrupt(error) });
  }
}

function problemOfFile(error: unknown): VerifyProblem {
  if (error instanceof AppError && error.code === "invalid_input") {
    return { code: "not_a_file", message: "not a plain file" };
  }
  if (error instanceof AppError && error.code === "not_found") {
    return { code: "unreadable", message: "there is no such file" };
  }
  return { code: "unreadable", message: describeError(error) };
}
