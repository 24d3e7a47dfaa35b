import * as v from "valibot";
import { AppError, describeError, errorCodeOf } from "../../common/errors.ts";
import { verifyOpenedFile } from "../../common/mp4/verify-file.ts";
import { formatSegmentIdentity } from "../../common/segment-identity.ts";
import { EvidenceManifest, hashesName, hashesText, manifestName, readmeName } from "./evidence-manifest.ts";
import { StoredZip, type ZipEntry } from "./zip-file.ts";

export interface EvidenceFinding {
  /** Of the entry, or of the export itself. */
  name: string;
  problems: readonly string[];
  durationMs?: number;
}

export interface EvidenceReport {
  ok: boolean;
  sizeBytes: number;
  findings: readonly EvidenceFinding[];
  manifest?: EvidenceManifest;
}

const maxTextBytes = 64 * 1024 * 1024;

/**
 * Whether an export is, to the last bit, as a hub made it: the ZIP around the files, its own texts against each other,
 * each video against the manifest and against the hash in the video itself. Reads it twice. Throws `not_found`, `io`.
 */
export async function verifyEvidence(
  path: string,
  options: { onFinding?: (finding: EvidenceFinding) => void; onProgress?: (bytesDone: number) => void } = {},
): Promise<EvidenceReport> {
  const findings: EvidenceFinding[] = [];
  const note = (finding: EvidenceFinding) => {
    findings.push(finding);
    options.onFinding?.(finding);
  };
  let sizeBytes = 0;
  let manifest: EvidenceManifest | undefined;
  try {
    await using zip = await StoredZip.open(path);
    sizeBytes = zip.file.sizeBytes;
    manifest = await checkTexts(zip, note);
    const listed = new Map(manifest?.files.map((file) => [file.path, file]));
    let bytesDone = 0;
    for (const entry of zip.entries) {
      if (ownNames.has(entry.name)) continue;
      const onProgress = (done: number) => options.onProgress?.((bytesDone + done) / 2);
      note(await checkVideo(zip, entry, listed.get(entry.name), onProgress));
      bytesDone += entry.sizeBytes;
      listed.delete(entry.name);
    }
    for (const missing of listed.keys())
      note({ name: missing, problems: ["is in the manifest and not in the export"] });
    const foreign = await zip.firstForeignByte((done) => options.onProgress?.((sizeBytes + done) / 2));
    const name = "the ZIP around the files";
    if (foreign !== undefined) note({ name, problems: [`is not as it was written, at byte ${foreign}`] });
  } catch (error) {
    if (errorCodeOf(error) === "not_found" || errorCodeOf(error) === "io") throw error;
    note({ name: "the export", problems: [describeError(error)] });
  }
  const ok = findings.every(({ problems }) => problems.length === 0);
  return { ok, sizeBytes, findings, ...(manifest && { manifest }) };
}

const ownNames = new Set([readmeName, manifestName, hashesName]);

/** The texts against each other; a manifest that cannot be read is a finding. */
async function checkTexts(
  zip: StoredZip,
  note: (finding: EvidenceFinding) => void,
): Promise<EvidenceManifest | undefined> {
  const texts = new Map<string, string>();
  for (const name of ownNames) {
    const found = zip.entries.filter((entry) => entry.name === name);
    if (found.length !== 1)
      throw new AppError("corrupt_file", `no export of a hub: it has no ${name}, or two`);
    texts.set(name, await zip.textOf(found[0]!, maxTextBytes));
  }
  const own = [readmeName, manifestName].map((name) => ({ name, text: texts.get(name)! }));
  try {
    // Checked, and used as it stands: times stay texts.
    const manifest = JSON.parse(texts.get(manifestName)!) as EvidenceManifest;
    v.parse(EvidenceManifest, manifest);
    const same = hashesText(manifest, own) === texts.get(hashesName);
    note({ name: hashesName, problems: same ? [] : ["does not have the hashes of the other files"] });
    return manifest;
  } catch (error) {
    note({ name: manifestName, problems: [`cannot be read: ${describeError(error)}`] });
    return undefined;
  }
}

async function checkVideo(
  zip: StoredZip,
  entry: ZipEntry,
  listed: EvidenceManifest["files"][number] | undefined,
  onProgress: (bytesDone: number) => void,
): Promise<EvidenceFinding> {
  const report = await verifyOpenedFile(entry.name, async () => zip.fileOf(entry), { onProgress });
  const problems = report.problems.map(({ message }) => message);
  if (listed === undefined) problems.push("is not in the manifest");
  else {
    if (report.fileSha256 !== listed.file_sha256) problems.push("does not hash to what the manifest says");
    const own = report.identity && formatSegmentIdentity(report.identity);
    if (own !== undefined && !Bun.deepEquals(own, listed.identity)) {
      problems.push("says something else of itself than the manifest");
    }
  }
  const { durationMs } = report;
  return { name: entry.name, problems, ...(durationMs !== undefined && { durationMs }) };
}
