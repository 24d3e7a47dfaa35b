import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { writeFileAtomic } from "../../common/atomic-file.ts";
import { PlainText, PositiveInteger } from "../../common/protocol/wire.ts";
import {
  formatSegmentIdentity,
  identityOf,
  type SegmentIdentity,
  SegmentIdentityJson,
} from "../../common/segment-identity.ts";
import type { SegmentStart } from "../recorder/segment-sink.ts";

const recordFile = "segment.json";

/** `segment.json` while the segment is being recorded: what its first fragment told. */
const StartedRecord = v.omit(SegmentIdentityJson, ["end_time", "duration_ms", "fps", "recorded_sha256"]);

/** `segment.json` of a closed segment: the whole identity, how it ended, and how large its file has to be. */
const ClosedRecord = v.object({
  ...SegmentIdentityJson.entries,
  end_reason: PlainText(500),
  size_bytes: PositiveInteger,
});

export interface ClosedSegment {
  identity: SegmentIdentity;
  endReason: string;
  sizeBytes: number;
}

/**
 * Written without a sync of its own: the segment's first sync covers it, and a segment whose record a power cut tore
 * is rebuilt from the file.
 */
export async function writeStartedRecord(directory: string, start: SegmentStart): Promise<void> {
  const { end_time, duration_ms, fps, recorded_sha256, ...started } = formatSegmentIdentity({
    ...start,
    endTimeMs: start.startTimeMs,
    durationMs: 0,
    fps: 0,
    recordedSha256: "",
  });
  await Bun.write(join(directory, recordFile), JSON.stringify(started, null, 1));
}

export async function writeClosedRecord(directory: string, segment: ClosedSegment): Promise<void> {
  const record: v.InferInput<typeof ClosedRecord> = {
    ...formatSegmentIdentity(segment.identity),
    end_reason: plain(segment.endReason),
    size_bytes: segment.sizeBytes,
  };
  await writeFileAtomic(join(directory, recordFile), JSON.stringify(record, null, 1));
}

export type SegmentRecord =
  | ({ kind: "closed" } & ClosedSegment)
  | { kind: "started"; start: SegmentStart }
  /** Not there, or nothing that can be believed. */
  | { kind: "none" };

/** Throws only when the disk cannot be read. */
export async function readSegmentRecord(directory: string): Promise<SegmentRecord> {
  const json = await readJson(join(directory, recordFile));
  const closed = v.safeParse(ClosedRecord, json);
  if (closed.success) {
    const { end_reason: endReason, size_bytes: sizeBytes } = closed.output;
    return { kind: "closed", identity: identityOf(closed.output), endReason, sizeBytes };
  }
  const started = v.safeParse(StartedRecord, json);
  if (!started.success) return { kind: "none" };
  const { endTimeMs, durationMs, fps, recordedSha256, ...start } = identityOf({
    ...started.output,
    end_time: 0,
    duration_ms: 0,
    fps: 0,
    recorded_sha256: "",
  });
  return { kind: "started", start };
}

/** `undefined` for a file that is not there or holds no JSON. */
export async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (
      error instanceof Error &&
      "code" in error &&
      ["ENOENT", "ENOTDIR", "EISDIR"].includes(String(error.code))
    ) {
      return undefined;
    }
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
  return text.replace(/[\u0000-\u001f\u007f]+/g, " ").slice(0, 500);
}
