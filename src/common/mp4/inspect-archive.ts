import { planAroundIdentity } from "./archive-file.ts";
import { peekHeader, type Report, readFragments, takeBox } from "./box-stream.ts";
import { corrupt, messageOfCorrupt, readBox } from "./boxes.ts";
import { compareOuterTables, compareSidx, firstDifference } from "./compare-index.ts";
import { isIdentityBox, parseIdentityBox } from "./identity-box.ts";
import { type InitSegment, parseInitSegment } from "./init-segment.ts";
import { SegmentIndex } from "./segment-index.ts";
import type { SequentialReader } from "./sequential-reader.ts";
import type { Findings, VerifyProblemCode } from "./verify-report.ts";

/** More is a mistake; less is rounding, or the run's clock being slewed. */
const maxDurationErrorMs = 1000;

/**
 * Reads a file from its start and notes in `findings` what is wrong with it. Throws `corrupt_file` where the boxes
 * cannot be followed any further; `io`, `cancelled`.
 */
export async function inspectArchive(reader: SequentialReader, findings: Findings): Promise<void> {
  const report: Report = (code, message) => {
    // That the rest is missing is said once, and that it does not hash to what it should goes without saying.
    const truncated = findings.problems.some((problem) => problem.code === "truncated");
    if (truncated && (code === "truncated" || code === "recorded_hash")) return;
    findings.problems.push({ code, message });
  };
  const first = await peekHeader(reader).catch(notABox);
  if (first?.type !== "ftyp") return report("not_mp4", "this is no MP4: it does not start with an ftyp box");
  const ftyp = await takeBox(reader, "ftyp", report);
  if (ftyp === undefined) return;
  const second = await peekHeader(reader);
  if (second === undefined) return report("truncated", "the file ends after its ftyp box");
  if (second.type === "moov") return inspectPlain(reader, ftyp, findings, report);
  const uuid = second.type === "uuid" ? await takeBox(reader, "uuid", report) : undefined;
  if (uuid === undefined || !isIdentityBox(uuid, readBox(uuid))) {
    return report("foreign", "this is an MP4 that livecam did not write: it has no livecam identity");
  }
  findings.kind = "archive";
  try {
    findings.identity = parseIdentityBox(uuid, readBox(uuid));
  } catch (error) {
    report("identity", messageOfCorrupt(error));
  }
  const moov = await takeBox(reader, "moov", report);
  if (moov === undefined) return;
  await inspectPayload(reader, { ftyp, uuid, moov }, findings, report);
}

/** A fragmented MP4 as it lies in the spool; anything else that starts with `ftyp moov` is foreign. */
async function inspectPlain(
  reader: SequentialReader,
  ftyp: Uint8Array,
  findings: Findings,
  report: Report,
): Promise<void> {
  const moov = await takeBox(reader, "moov", report);
  if (moov === undefined) return;
  let init: InitSegment;
  try {
    init = parseInitSegment(Buffer.concat([ftyp, moov]));
  } catch (error) {
    return report("foreign", `this is an MP4 that livecam did not write: ${messageOfCorrupt(error)}`);
  }
  findings.kind = "spool_segment";
  const index = new SegmentIndex(init);
  findings.complete = await readFragments(reader, index, reader.file.sizeBytes, report);
  findings.durationMs = index.durationMs;
  if (index.video.sampleCount === 0) report("structure", "the segment has no video");
}

async function inspectPayload(
  reader: SequentialReader,
  front: { ftyp: Uint8Array; uuid: Uint8Array; moov: Uint8Array },
  findings: Findings,
  report: Report,
): Promise<void> {
  const fileBytes = reader.file.sizeBytes;
  const mdat = await peekHeader(reader);
  if (mdat === undefined) return report("truncated", "the file ends before its media data");
  if (mdat.type !== "mdat" || mdat.sizeBytes === undefined || mdat.headerSizeBytes !== 16) {
    throw corrupt(`box "${mdat.type}" where "mdat" with a 64-bit size belongs`);
  }
  const mdatEnd = reader.offset + mdat.sizeBytes;
  if (mdatEnd > fileBytes) {
    report("truncated", `the file should be ${mdatEnd} bytes long and is ${fileBytes}`);
  }
  if (mdatEnd < fileBytes) {
    report("trailing_bytes", `${fileBytes - mdatEnd} bytes follow the end of the video at byte ${mdatEnd}`);
  }
  await reader.pass(mdat.headerSizeBytes);

  const payloadEnd = Math.min(mdatEnd, fileBytes);
  reader.startSecondHash();
  let content: Payload | undefined;
  try {
    content = await readPayload(reader, payloadEnd, report);
  } catch (error) {
    report("structure", messageOfCorrupt(error));
  }
  // Where boxes could not be followed, the hash still covers every byte.
  await reader.pass(payloadEnd - reader.offset);
  reader.stopSecondHash();

  const { identity } = findings;
  const recorded = reader.secondSha256();
  if (identity !== undefined && recorded !== identity.recordedSha256) {
    report(
      "recorded_hash",
      `the video is not what was recorded: SHA-256 ${recorded}, not ${identity.recordedSha256}`,
    );
  }
  if (content?.whole !== true) return;
  const { index, sidx, fragmentsOffset } = content;
  findings.durationMs = index.durationMs;
  if (index.video.sampleCount === 0) return report("structure", "the payload has no video");
  const before = findings.problems.length;
  attempt(report, "sidx", () => compareSidx(sidx, index));
  attempt(report, "index", () => compareOuterTables(front.moov, index, fragmentsOffset));
  if (identity === undefined) return;
  attempt(report, "identity", () => contradictions(identity, index));
  if (findings.problems.length > before) return;
  // All that players use agrees; what is left are fields such as names and times.
  attempt(report, "index", () => {
    const plan = planAroundIdentity(index, front.uuid, identity.startTimeMs);
    const actual = Buffer.concat([front.ftyp, front.uuid, front.moov]);
    const difference =
      firstDifference(actual, plan.front.subarray(0, plan.front.length - 16)) ??
      firstDifference(sidx, plan.sidx);
    findings.complete = difference === undefined;
    return difference && `box ${difference} is not as livecam writes it for this video`;
  });
}

interface Payload {
  index: SegmentIndex;
  sidx: Uint8Array;
  fragmentsOffset: number;
  /** Every fragment could be read. */
  whole: boolean;
}

/** Init segment, `sidx` and fragments; only the `sidx` is not part of what was recorded. */
async function readPayload(
  reader: SequentialReader,
  end: number,
  report: Report,
): Promise<Payload | undefined> {
  const ftyp = await takeBox(reader, "ftyp", report);
  if (ftyp === undefined) return undefined;
  const moov = await takeBox(reader, "moov", report);
  if (moov === undefined) return undefined;
  reader.stopSecondHash();
  const sidx = await takeBox(reader, "sidx", report).finally(() => reader.startSecondHash());
  if (sidx === undefined) return undefined;
  const index = new SegmentIndex(parseInitSegment(Buffer.concat([ftyp, moov])));
  const fragmentsOffset = reader.offset;
  return { index, sidx, fragmentsOffset, whole: await readFragments(reader, index, end, report) };
}

/** Reports what `check` finds, in words, or why it could not look. */
function attempt(report: Report, code: VerifyProblemCode, check: () => string | string[] | undefined): void {
  try {
    for (const message of [check() ?? []].flat()) report(code, message);
  } catch (error) {
    report(code, messageOfCorrupt(error));
  }
}

/** Where the identity says otherwise than the video. */
function contradictions(
  identity: NonNullable<Findings["identity"]>,
  { init, durationMs }: SegmentIndex,
): string[] {
  const problems: string[] = [];
  const { width, height } = init.video;
  // In any order, and with or without the sound.
  const named = identity.codec.split(",");
  const known = init.tracks.map((track) => track.codec);
  if (!named.includes(init.video.codec) || !named.every((codec) => known.includes(codec))) {
    problems.push(`the identity says ${identity.codec}, the video is ${init.codec}`);
  }
  if (identity.width !== width || identity.height !== height) {
    problems.push(`the identity says ${identity.width}x${identity.height}, the video is ${width}x${height}`);
  }
  if (Math.abs(identity.durationMs - durationMs) > maxDurationErrorMs) {
    problems.push(`the identity says ${identity.durationMs} ms, the video has ${durationMs} ms`);
  }
  return problems;
}

function notABox(error: unknown): undefined {
  messageOfCorrupt(error);
  return undefined;
}
