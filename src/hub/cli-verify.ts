import { type Clock, systemClock } from "../common/clock.ts";
import { AppError } from "../common/errors.ts";
import { runVerify, type VerifyCommandOptions } from "../common/verify-command.ts";
import { ProgressBar } from "../common/verify-progress.ts";
import { type EvidenceFinding, verifyEvidence } from "./export/verify-evidence.ts";

/** `verify FILE…` of the hub: exports (`*.zip`) and archived files. Exit codes of {@link runVerify}. */
export async function verifyFilesAndExports(
  paths: readonly string[],
  options: VerifyCommandOptions,
): Promise<number> {
  const isExport = (path: string) => path.toLowerCase().endsWith(".zip");
  const others = paths.filter((path) => !isExport(path));
  let exitCode = others.length > 0 || paths.length === 0 ? await runVerify(others, options) : 0;
  for (const path of paths.filter(isExport)) exitCode = Math.max(exitCode, await verifyExport(path, options));
  return exitCode;
}

async function verifyExport(path: string, options: VerifyCommandOptions): Promise<number> {
  const { json = false, quiet = false, out, err, clock = systemClock } = options;
  const bar = progressBar(path, options, clock);
  const onFinding = (finding: EvidenceFinding) => {
    bar.clear();
    if (!json && (!quiet || finding.problems.length > 0)) out.write(`${findingLine(finding)}\n`);
  };
  try {
    const report = await verifyEvidence(path, { onFinding, onProgress: (done) => bar.show(done, 0) });
    bar.clear();
    const files = report.manifest?.files.length ?? 0;
    if (json) {
      const { ok, sizeBytes: size_bytes, findings } = report;
      out.write(`${JSON.stringify({ type: "export", path, ok, size_bytes, files, findings })}\n`);
    } else if (!quiet || !report.ok) {
      for (const range of report.manifest?.ranges ?? []) out.write(`      ${rangeLine(range)}\n`);
      const text = report.ok ? "unchanged since a hub made it" : "NOT as a hub made it";
      out.write(`${report.ok ? "ok   " : "WRONG"} ${printable(path)}: ${files} original files, ${text}\n`);
    }
    return report.ok ? 0 : 1;
  } catch (error) {
    bar.clear();
    if (!(error instanceof AppError)) throw error;
    err.write(`verify: ${printable(error.message)}\n`);
    return error.code === "not_found" ? 2 : 1;
  }
}

function progressBar(path: string, { json, err }: VerifyCommandOptions, clock: Clock): ProgressBar {
  const sizeBytes = Bun.file(path).size;
  return new ProgressBar(err.isTTY === true && !json ? err : undefined, clock, sizeBytes, 1);
}

function findingLine({ name, problems, durationMs }: EvidenceFinding): string {
  if (problems.length > 0) return `WRONG ${printable(name)}: ${problems.map(printable).join("; ")}`;
  return `ok    ${printable(name)}${durationMs === undefined ? "" : ` (${(durationMs / 1000).toFixed(3)} s)`}`;
}

function rangeLine(range: {
  camera_id: string;
  from_time: string;
  to_time: string;
  expected_ms: number;
  recorded_ms: number;
  missing: readonly unknown[];
}): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(3)} s`;
  const { camera_id, from_time, to_time, expected_ms, recorded_ms, missing } = range;
  const holes =
    missing.length === 0 ? "nothing is missing" : `${missing.length} holes, listed in manifest.json`;
  return `${camera_id} from ${from_time} to ${to_time}: ${seconds(recorded_ms)} of ${seconds(expected_ms)} recorded, ${holes}`;
}

/** Names come from a file that somebody else may have made: control characters would rewrite the terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd");
}
