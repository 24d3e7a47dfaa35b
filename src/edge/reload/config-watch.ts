import { createHash } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { sleep } from "../../common/clock.ts";
import { errnoOf } from "../../common/errors.ts";
import { Wakeup } from "../../common/wakeup.ts";

export interface ConfigWatchOptions {
  /** Paths, or links to them; asked for at every look, since a new config may name others. */
  files: () => readonly string[];
  /** Their content has changed, and has stayed the same for `settleMs`. Called once at the start, too. */
  onChange: () => Promise<void>;
  /** Whether to look at all, now. */
  isOn: () => boolean;
  /** What changes within so long of a change is still being written; default 1 s. */
  settleMs?: number;
  /** For what no folder tells of: network file systems, links to links; default 30 s. */
  pollMs?: number;
}

const defaultSettleMs = 1000;
const defaultPollMs = 30_000;
/** A folder in which much happens is looked at so often at most. */
const breathMs = 200;

/**
 * Looks after the content of a few small files, whichever way it comes: written in place, renamed over, behind a link
 * that is set anew. The folders tell when, the content tells whether. Until aborted; rejects only if `onChange` does.
 */
export async function watchConfig(options: ConfigWatchOptions, signal: AbortSignal): Promise<void> {
  const { files, onChange, isOn, settleMs = defaultSettleMs, pollMs = defaultPollMs } = options;
  const wakeup = new Wakeup();
  using folders = new WatchedFolders(() => wakeup.wake());
  let known: string | undefined;
  while (!signal.aborted) {
    if (isOn()) {
      // Before the look: what happens after it is told.
      await folders.watch(files());
      const content = await settledContent(files, known, settleMs, signal);
      if (content !== known && !signal.aborted) {
        known = content;
        await onChange();
      }
    }
    await wakeup.wait(signal, pollMs);
    await sleep(breathMs, signal);
  }
}

/** What the files hold once they hold the same for a while; at once when that is what is known. */
async function settledContent(
  files: () => readonly string[],
  known: string | undefined,
  settleMs: number,
  signal: AbortSignal,
): Promise<string> {
  let content = await contentOf(files());
  while (content !== known && !signal.aborted) {
    const before = content;
    await sleep(settleMs, signal);
    content = await contentOf(files());
    if (content === before) break;
  }
  return content;
}

/** Differs when anything in any of the files does, or one is not there. */
async function contentOf(files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files) {
    const bytes = await readFile(file).catch((error: unknown) => `unreadable: ${errnoOf(error)}`);
    hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

class WatchedFolders implements Disposable {
  readonly #onEvent: () => void;
  readonly #watchers = new Map<string, FSWatcher>();

  constructor(onEvent: () => void) {
    this.#onEvent = onEvent;
  }

  /** The folders of these files and of what they are links to, as they are now. What cannot be watched is not. */
  async watch(files: readonly string[]): Promise<void> {
    const targets = await Promise.all(files.map((file) => realpath(file).catch(() => file)));
    const folders = new Set<string>();
    for (const path of new Set([...files, ...targets].map(dirname))) {
      // By its inode: a folder that was replaced is another one.
      const found = await stat(path).catch(() => undefined);
      if (found) folders.add(`${found.dev}:${found.ino}:${path}`);
    }
    for (const [folder, watcher] of this.#watchers) if (!folders.has(folder)) this.#close(folder, watcher);
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#open(folder);
  }

  [Symbol.dispose](): void {
    for (const [folder, watcher] of this.#watchers) this.#close(folder, watcher);
  }

  #open(folder: string): void {
    try {
      const path = folder.replace(/^\d+:\d+:/, "");
      const watcher = watch(path, { persistent: false }, this.#onEvent);
      watcher.on("error", () => this.#close(folder, watcher));
      this.#watchers.set(folder, watcher);
    } catch (error) {
      // No inotify watches left, or a file system without: the regular look is enough.
      if (errnoOf(error) === undefined) throw error;
    }
  }

  #close(folder: string, watcher: FSWatcher): void {
    this.#watchers.delete(folder);
    watcher.close();
  }
}
