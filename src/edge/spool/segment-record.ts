import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { writeFileAtomic } from "../../common/atomic-file.ts";
import { PlainText, PositiveInteger, plainTextOf } from "../../common/protocol/wire.ts";
import {
  formatSegmentIdentity,
  identityOf,
  type SegmentIdentity,
  SegmentIdentityJson,
} from "../../common/segment-identity.ts";
import type { SegmentStart } from "../recorder/segment-sink.ts";
import type { ClockAnchor } from "./clock-anchor.ts";

const recordFile = "segment.json";

/** Only with segments of a clock that was not set. */
const anchorEntries = {
  clock_anchor: v.optional(v.object({ boot_id: v.string(), wall_offset_ms: v.number() })),
};

/** `segment.json` while the segment is being recorded: what its first fragment told. */
const StartedRecord = v.object({
  ...v.omit(SegmentIdentityJson, ["end_time", "duration_ms", "fps", "recorded_sha256"]).entries,
  ...anchorEntries,
});

/** `segment.json` of a closed segment: the whole identity, how it ended, and how large its file has to be. */
const ClosedRecord = v.object({
  ...SegmentIdentityJson.entries,
  ...anchorEntries,
  end_reason: PlainText(500),
  size_bytes: PositiveInteger,
  /** Not in records of older releases, and not after a crash. */
  spool_checksum: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/))),
});

export interface ClosedSegment {
  identity: SegmentIdentity;
  endReason: string;
  sizeBytes: number;
  /** A {@link SpoolChecksum} of the file as it was recorded; without it only `recordedSha256` tells what it was. */
  spoolChecksum?: string | undefined;
  /** By what it can still be dated anew. */
  anchor?: ClockAnchor | undefined;
}

/**
 * Written without a sync of its own: the segment's first sync covers it, and a segment whose record a power cut tore
 * is rebuilt from the file.
 */
export async function writeStartedRecord(
  directory: string,
  start: SegmentStart,
  anchor?: ClockAnchor,
): Promise<void> {
  const { end_time, duration_ms, fps, recorded_sha256, ...started } = formatSegmentIdentity({
    ...start,
    endTimeMs: start.startTimeMs,
    durationMs: 0,
    fps: 0,
    recordedSha256: "",
  });
  const record: v.InferInput<typeof StartedRecord> = { ...started, ...formatAnchor(anchor) };
  await Bun.write(join(directory, recordFile), JSON.stringify(record, null, 1));
}

export async function writeClosedRecord(directory: string, segment: ClosedSegment): Promise<void> {
  await writeFileAtomic(join(directory, recordFile), formatClosedRecord(segment));
}

export function formatClosedRecord(segment: ClosedSegment): string {
  const record: v.InferInput<typeof ClosedRecord> = {
    ...formatSegmentIdentity(segment.identity),
    ...formatAnchor(segment.anchor),
    end_reason: plainTextOf(segment.endReason, 500),
    size_bytes: segment.sizeBytes,
    ...(segment.spoolChecksum !== undefined && { spool_checksum: segment.spoolChecksum }),
  };
  return JSON.stringify(record, null, 1);
}

export type SegmentRecord =
  | ({ kind: "closed" } & ClosedSegment)
  | { kind: "started"; start: SegmentStart; anchor: ClockAnchor | undefined }
  /** Not there, or nothing that can be believed. */
  | { kind: "none" };

/** Throws only when the disk cannot be read. */
export async function readSegmentRecord(directory: string): Promise<SegmentRecord> {
  const json = await readJson(join(directory, recordFile));
  const closed = v.safeParse(ClosedRecord, json);
  if (closed.success) {
    const { end_reason: endReason, size_bytes: sizeBytes, spool_checksum: spoolChecksum } = closed.output;
    const anchor = anchorOf(closed.output);
    return {
      kind: "closed",
      identity: identityOf(closed.output),
      endReason,
      sizeBytes,
      spoolChecksum,
      anchor,
    };
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
  return { kind: "started", start, anchor: anchorOf(started.output) };
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

type AnchorJson = v.InferOutput<v.ObjectSchema<typeof anchorEntries, undefined>>;

function formatAnchor(anchor: ClockAnchor | undefined): AnchorJson {
  if (!anchor) return {};
  return { clock_anchor: { boot_id: anchor.bootId, wall_offset_ms: anchor.wallOffsetMs } };
}

function anchorOf({ clock_anchor: json }: AnchorJson): ClockAnchor | undefined {
  return json && { bootId: json.boot_id, wallOffsetMs: json.wall_offset_ms };
}
