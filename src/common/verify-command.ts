import type { Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, systemClock } from "./clock.ts";
import { AppError, describeError, errnoOf } from "./errors.ts";
import { verifyArchiveFile } from "./mp4/verify-file.ts";
import type { VerifyReport } from "./mp4/verify-report.ts";
import { formatSegmentIdentity } from "./segment-identity.ts";
import { ProgressBar, type TextSink } from "./verify-progress.ts";

export interface VerifyCommandOptions {
  /** One JSON object per line instead of text. */
  json?: boolean;
  /** Only what is wrong. */
  quiet?: boolean;
  out: TextSink;
  err: TextSink;
  signal?: AbortSignal;
  clock?: Clock;
}

interface Candidate {
  path: string;
  sizeBytes: number;
  /** Why the file is not even opened. */
  refusal?: string;
}

/**
 * `verify FILE…` of both binaries; folders are searched for `*.mp4`. Resolves to the exit code: 0 all is well,
 * 1 something is wrong, 2 bad usage (a path that is not there, a folder without videos), 130 cancelled.
 */
export async function runVerify(paths: readonly string[], options: VerifyCommandOptions): Promise<number> {
  const { json = false, quiet = false, out, err, signal, clock = systemClock } = options;
  if (paths.length === 0) {
    err.write("verify: name at least one file or folder\n");
    return 2;
  }
  const found = await collect(paths, signal).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "cancelled") return undefined;
    throw error;
  });
  if (found === undefined) return cancelled(err);
  for (const message of found.usage) err.write(`verify: ${message}\n`);
  if (found.usage.length > 0) return 2;

  const totalBytes = found.files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const isBarShown = err.isTTY === true && !json;
  const bar = new ProgressBar(isBarShown ? err : undefined, clock, totalBytes, found.files.length);
  const seen = { bytes: 0, wrong: 0 };
  try {
    for (const file of found.files) {
      const onProgress = (bytesDone: number) => bar.show(seen.bytes + bytesDone, seen.wrong);
      const report = await check(file, { onProgress, ...(signal && { signal }) });
      if (!report.ok) seen.wrong++;
      seen.bytes += file.sizeBytes;
      if (json) out.write(`${JSON.stringify(reportJson(report))}\n`);
      else if (!report.ok || !quiet) {
        bar.clear();
        out.write(`${reportLine(report)}\n`);
      }
      bar.finishFile(seen.bytes, seen.wrong);
    }
  } catch (error) {
    bar.clear();
    if (error instanceof AppError && error.code === "cancelled") return cancelled(err);
    throw error;
  }
  bar.clear();
  const summary = { files: found.files.length, wrong: seen.wrong, size_bytes: seen.bytes };
  if (json) out.write(`${JSON.stringify({ type: "summary", ...summary })}\n`);
  else if (!quiet || seen.wrong > 0) {
    const whole = summary.files - summary.wrong;
    out.write(
      `${summary.files} file${summary.files === 1 ? "" : "s"}: ${whole} whole, ${summary.wrong} wrong\n`,
    );
  }
  return seen.wrong > 0 ? 1 : 0;
}

function cancelled(err: TextSink): number {
  err.write("verify: cancelled\n");
  return 130;
}

/** The files to check, sorted within each folder, and what is wrong with the arguments. */
async function collect(
  paths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<{ files: Candidate[]; usage: string[] }> {
  const files = new Map<string, Candidate>();
  const usage: string[] = [];
  for (const path of paths) {
    try {
      const stat = await lstat(path);
      if (!stat.isDirectory()) {
        // A link that somebody names is followed; one that lies in an archive is not.
        files.set(path, { path, sizeBytes: stat.isFile() ? stat.size : 0 });
        continue;
      }
      const before = files.size;
      await walk(path, files, signal);
      if (files.size === before) usage.push(`there are no .mp4 files in ${printable(path)}`);
    } catch (error) {
      if (error instanceof AppError && error.code === "cancelled") throw error;
      const missing = ["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "");
      usage.push(missing ? `${printable(path)} does not exist` : printable(describeError(error)));
    }
  }
  return { files: [...files.values()], usage };
}

/** Adds every `*.mp4` below `folder`; leaves out dot files, which is also what NFS calls deleted ones (`.nfs…`). */
async function walk(
  folder: string,
  files: Map<string, Candidate>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (signal?.aborted) throw new AppError("cancelled", "verify was cancelled");
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    files.set(folder, { path: folder, sizeBytes: 0, refusal: `cannot be listed: ${describeError(error)}` });
    return;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await walk(path, files, signal);
    else if (!entry.name.toLowerCase().endsWith(".mp4")) continue;
    else if (entry.isSymbolicLink()) {
      files.set(path, { path, sizeBytes: 0, refusal: "a symbolic link, which is not followed" });
    } else {
      // For the progress bar only; what cannot be read is found out when it is checked.
      const stat = await lstat(path).catch(() => undefined);
      files.set(path, { path, sizeBytes: stat?.isFile() ? stat.size : 0 });
    }
  }
}

async function check(
  file: Candidate,
  options: { onProgress: (bytesDone: number) => void; signal?: AbortSignal },
): Promise<VerifyReport> {
  if (file.refusal === undefined) return verifyArchiveFile(file.path, options);
  const problems = [{ code: "unreadable" as const, message: file.refusal }];
  return { path: file.path, kind: "unknown", ok: false, problems, sizeBytes: 0 };
}

function reportLine(report: VerifyReport): string {
  const name = printable(report.path);
  if (!report.ok) {
    return `WRONG ${name}: ${report.problems.map((problem) => printable(problem.message)).join("; ")}`;
  }
  const length = report.durationMs === undefined ? "" : ` (${(report.durationMs / 1000).toFixed(3)} s)`;
  const note = report.kind === "spool_segment" ? ", not archived yet: there is no hash to check" : "";
  return `ok    ${name}${length}${note}`;
}

function reportJson(report: VerifyReport) {
  return {
    type: "file",
    path: report.path,
    kind: report.kind,
    ok: report.ok,
    problems: report.problems,
    size_bytes: report.sizeBytes,
    duration_ms: report.durationMs,
    file_sha256: report.fileSha256,
    identity: report.identity && formatSegmentIdentity(report.identity),
  };
}

/** Names come from disks that others write to: control characters would rewrite the terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd");
}
