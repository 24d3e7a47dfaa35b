import { lstat, mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { syncDirectory } from "../../common/atomic-file.ts";
import { errnoOf } from "../../common/errors.ts";

/**
 * A segment is a directory, and its state is the directory it lies in:
 * `recording` → `closed` → `archived` (on the NAS, not acknowledged by the hub) → `acknowledged` (may be evicted).
 */
export const segmentStates = ["recording", "closed", "archived", "acknowledged"] as const;
export type SegmentState = (typeof segmentStates)[number];

/** What cannot be believed any more: kept for people, counted, never touched again. */
const quarantine = "quarantine";

export const videoFile = "video.mp4";
/** See `SegmentTables`; may be missing. */
export const tablesFile = "tables.bin";

/** Where things lie in a spool, and the one step that changes a segment's state. */
export class SpoolLayout {
  constructor(readonly root: string) {}

  async create(): Promise<void> {
    await mkdir(this.root, { recursive: true, mode: 0o750 });
    for (const state of segmentStates) await mkdir(join(this.root, state), { recursive: true });
    await mkdir(this.quarantineDirectory, { recursive: true });
    await syncDirectory(this.root);
  }

  get quarantineDirectory(): string {
    return join(this.root, quarantine);
  }

  directoryOf(state: SegmentState, name: string): string {
    return join(this.root, state, name);
  }

  videoPathOf(state: SegmentState, name: string): string {
    return join(this.root, state, name, videoFile);
  }

  tablesPathOf(state: SegmentState, name: string): string {
    return join(this.root, state, name, tablesFile);
  }

  /** One rename: after a crash the segment is in exactly one of the two states, once synced in the new one. */
  async move(name: string, from: SegmentState, to: SegmentState, options = { sync: true }): Promise<void> {
    await rename(this.directoryOf(from, name), this.directoryOf(to, name));
    if (!options.sync) return;
    await syncDirectory(join(this.root, to));
    await syncDirectory(join(this.root, from));
  }

  /** Gives a segment another name in its state; nothing to do when it has it. */
  async rename(state: SegmentState, name: string, newName: string): Promise<void> {
    if (newName === name) return;
    await rename(this.directoryOf(state, name), this.directoryOf(state, newName));
    await syncDirectory(join(this.root, state));
  }

  /** Under its own name, or with a number when that is taken. Returns the new path. */
  async setAside(state: SegmentState, name: string): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const target = join(this.quarantineDirectory, attempt === 1 ? name : `${name}.${attempt}`);
      if (await exists(target)) continue;
      await rename(this.directoryOf(state, name), target);
      await syncDirectory(this.quarantineDirectory);
      await syncDirectory(join(this.root, state));
      return target;
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
