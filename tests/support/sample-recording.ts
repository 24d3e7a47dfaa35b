import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import { newUuidV7 } from "../../src/common/ids.ts";
import type { InitSegment } from "../../src/common/mp4/init-segment.ts";
import { SegmentIndex } from "../../src/common/mp4/segment-index.ts";
import { StreamSplitter } from "../../src/common/mp4/stream-splitter.ts";
import type { SegmentStart } from "../../src/edge/recorder/segment-sink.ts";
import type { Spool } from "../../src/edge/spool/spool.ts";

export interface SampleRecording {
  init: InitSegment;
  /** Five fragments of 0.4 s, 10 frames per second. */
  fragments: Uint8Array[];
  /** Of all of them. */
  index: SegmentIndex;
}

let made: Promise<SampleRecording> | undefined;

/** A small real recording, made once per process by ffmpeg. */
export function sampleRecording(): Promise<SampleRecording> {
  made ??= make();
  return made;
}

async function make(): Promise<SampleRecording> {
  const { stdout, exitCode, stderrTail } = await runChild({
    argv: ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error"]
      .concat(["-f", "lavfi", "-i", "testsrc2=size=192x108:rate=10", "-t", "2", "-pix_fmt", "yuv420p"])
      .concat([
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-g",
        "4",
        "-keyint_min",
        "4",
        "-sc_threshold",
        "0",
      ])
      .concat(["-f", "mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof", "pipe:1"]),
    timeoutMs: 30_000,
  });
  if (exitCode !== 0) throw new Error(stderrTail);
  let index: SegmentIndex | undefined;
  const fragments: Uint8Array[] = [];
  for (const unit of new StreamSplitter().push(stdout)) {
    if (unit.kind === "init") {
      index = new SegmentIndex(unit.init);
    } else {
      index?.addFragment(unit.fragment);
      fragments.push(unit.fragment.bytes);
    }
  }
  if (!index) throw new Error("ffmpeg made no init segment");
  return { init: index.init, fragments, index };
}

export const sampleStartMs = Date.parse("2025-09-23T06:30:00.000Z");

/** `cam01_20250923_153000` in Seoul, and later ones by `sequence` segments of ten minutes. */
export function sampleStart(overrides: Partial<SegmentStart> = {}): SegmentStart {
  const sequence = overrides.sequence ?? 0;
  const startTimeMs = overrides.startTimeMs ?? sampleStartMs + sequence * 600_000;
  return {
    videoId: newUuidV7(startTimeMs),
    cameraId: "cam01",
    nodeId: "node01",
    runId: "01997000-0000-7000-8000-000000000000",
    sequence,
    startTimeMs,
    timeZone: "Asia/Seoul",
    codec: "avc1.42c00a",
    width: 192,
    height: 108,
    clockState: "synced",
    softwareVersion: "0.0.0-test",
    ...overrides,
  };
}

/** Records the sample into a spool and closes it; returns what it was called. */
export async function recordSample(
  sink: Spool["sink"],
  overrides: Partial<SegmentStart> = {},
): Promise<{ start: SegmentStart; path: string }> {
  const { init, fragments, index } = await sampleRecording();
  const start = sampleStart(overrides);
  const segment = await sink.open(start, init.bytes);
  for (const fragment of fragments) await segment.append(fragment);
  const path = await segment.close({
    endTimeMs: start.startTimeMs + 2000,
    durationMs: 2000,
    fps: 10,
    clockState: start.clockState,
    endReason: "boundary",
    index,
  });
  return { start, path };
}

/** A folder of one test, and its end. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "livecam-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
