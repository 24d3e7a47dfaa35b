import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { StreamSplitter } from "../../src/common/mp4/stream-splitter.ts";
import type { Spool } from "../../src/edge/spool/spool.ts";
import type { FakeClock } from "./fake-clock.ts";
import { sampleStart } from "./sample-recording.ts";
import { ffmpeg } from "./source-files.ts";

/** Media time of one fragment. */
export const fragmentMs = 400;

/** Forty fragments of some 15 kB. */
export async function makeFeedMedia(): Promise<{ init: Uint8Array; fragments: Uint8Array[] }> {
  const stream = await ffmpeg([
    ...["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=10", "-t", "16", "-pix_fmt", "yuv420p"],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-g", "4", "-keyint_min", "4", "-sc_threshold", "0"],
    ...["-f", "mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof", "pipe:1"],
  ]);
  const units = [...new StreamSplitter().push(stream)];
  const [init] = units.flatMap((unit) => (unit.kind === "init" ? [unit.init.bytes] : []));
  if (!init) throw new Error("ffmpeg made no init segment");
  return { init, fragments: units.flatMap((unit) => (unit.kind === "init" ? [] : [unit.fragment.bytes])) };
}

/** What the world outside the spool knows of a segment: the last step that was answered, and the one begun after it. */
export interface FedSegment {
  videoId: string;
  /** Fragments whose append was answered. */
  appended: number;
  closed: boolean;
  archived: boolean;
  evictionBegun: boolean;
}

/** Records into a spool, and brings each segment through its whole life, as fast as it may; remembers every answer. */
export class SpoolFeed {
  readonly segments: FedSegment[] = [];
  /** It waits before the next fragment while this is pending. */
  pause: Promise<void> | undefined;
  readonly #media: { init: Uint8Array; fragments: Uint8Array[] };

  constructor(media: { init: Uint8Array; fragments: Uint8Array[] }) {
    this.#media = media;
  }

  /** Until aborted. The clock goes a fragment ahead with each. */
  async run(spool: Spool, clock: FakeClock, pauseMs: number, signal: AbortSignal): Promise<void> {
    for (let sequence = 0; !signal.aborted; sequence++) {
      const start = sampleStart({ sequence, startTimeMs: clock.wallMs(), width: 320, height: 180 });
      const { videoId } = start;
      const fed = { videoId, appended: 0, closed: false, archived: false, evictionBegun: false };
      const segment = await spool.sink.open(start, this.#media.init);
      this.segments.push(fed);
      for (const fragment of this.#media.fragments) {
        await this.pause;
        clock.advance(fragmentMs);
        await segment.append(fragment);
        fed.appended++;
        await Bun.sleep(pauseMs);
        if (signal.aborted) break;
      }
      const durationMs = fed.appended * fragmentMs;
      const endTimeMs = start.startTimeMs + durationMs;
      await segment.close({ endTimeMs, durationMs, fps: 10, clockState: "synced", endReason: "boundary" });
      fed.closed = true;
      await this.#liveOn(spool);
    }
  }

  /** The segment closed before the last is archived, the one before that acknowledged, older ones evicted. */
  async #liveOn(spool: Spool): Promise<void> {
    const [older, old] = [this.segments.at(-3), this.segments.at(-2)];
    if (old) {
      await spool.uploads.markArchived(old.videoId, {
        archiveId: "01997000-0000-7000-8000-0000000000aa",
        filePath: "cam01/2025-09-23/cam01_20250923_153000.mp4",
        fileSizeBytes: 1000,
        fileSha256: "ab".repeat(32),
        alreadyThere: false,
      });
      old.archived = true;
    }
    if (!older) return;
    await spool.announcements.markAcknowledged([older.videoId]);
    for (const { videoId } of this.segments.slice(0, -3)) this.#find(videoId).evictionBegun = true;
    await spool.pressure.relieve();
  }

  #find(videoId: string): FedSegment {
    const found = this.segments.find((segment) => segment.videoId === videoId);
    if (!found) throw new Error(`no segment ${videoId}`);
    return found;
  }
}

/** A video that lies in a spool. */
export interface FoundVideo {
  state: string;
  videoId: string;
  bytes: Uint8Array;
  record: string;
}

/** Everything a spool holds, in order; a directory without a video is an eviction to be finished, and left out. */
export async function videosInSpool(root: string): Promise<FoundVideo[]> {
  const found: FoundVideo[] = [];
  for (const state of ["recording", "closed", "archived", "acknowledged", "quarantine"]) {
    for (const name of (await readdir(join(root, state))).sort()) {
      const bytes = await readFile(join(root, state, name, "video.mp4")).catch(() => undefined);
      const record = await readFile(join(root, state, name, "segment.json"), "utf8").catch(() => "");
      if (bytes) found.push({ state, videoId: name.slice(-36), bytes, record });
    }
  }
  return found;
}
