import { mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { syncDirectory } from "../../common/atomic-file.ts";
import type { Clock } from "../../common/clock.ts";
import { AppError, errnoOf } from "../../common/errors.ts";
import { newUuidV7, Uuid } from "../../common/ids.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { AnnouncedVideo } from "../../common/protocol/announce.ts";
import { ReportedGap } from "../../common/protocol/gap.ts";
import type { AcknowledgedJournal, JournalEntry } from "../hub-link/acknowledged-journal.ts";
import { planJournalTrim } from "./plan-journal-trim.ts";

const JournalLine = v.union([
  v.object({ video: AnnouncedVideo }),
  v.object({ gap: ReportedGap }),
  v.object({ bookmark: Uuid }),
]);

export interface HubJournalOptions {
  root: string;
  clock: Clock;
  logger: Logger;
  /** A part that is longer is followed by a new one; default 1 MiB. */
  partBytes?: number;
  /** How long what was acknowledged is kept; default 35 days. */
  keepMs?: number;
  /** Of all parts together; default 64 MiB, some 80,000 segments. */
  maxBytes?: number;
}

const defaultPartBytes = 1024 * 1024;
const defaultKeepMs = 35 * 86_400_000;
const defaultMaxBytes = 64 * 1024 * 1024;
/** Lines that the disk refuses wait in memory; more than so many are not kept. */
const maxUnwritten = 5000;

/**
 * `journal/00000001.jsonl` and on: word for word what the hub has acknowledged, so that a hub that was restored from
 * an older catalog can be told again, also of segments that are no longer here. Append-only, each append synced; a
 * part is never written to again once an append to it failed or a crash tore its end, so a torn line stays a line of
 * its own, which readers leave out.
 */
export class HubJournal implements AcknowledgedJournal {
  readonly #directory: string;
  readonly #options: HubJournalOptions;
  readonly #listeners: (() => void)[] = [];
  /** Of the part that is appended to. */
  #number: number;
  #sizeBytes: number;
  /** The bookmark at the very end; undefined when something was noted behind it. */
  #last: string | null | undefined;
  /** How often something was noted. */
  #notes = 0;
  #unwritten: JournalEntry[] = [];
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: HubJournalOptions, number: number) {
    this.#options = options;
    this.#directory = directoryOf(options.root);
    this.#number = number;
    this.#sizeBytes = 0;
  }

  /** Throws `io`. */
  static async open(options: HubJournalOptions): Promise<HubJournal> {
    const directory = directoryOf(options.root);
    try {
      await mkdir(directory, { recursive: true });
      const newest = numbersOf(await readdir(directory)).at(-1);
      const journal = new HubJournal(options, newest ?? 1);
      if (newest === undefined) journal.#last = null;
      else await journal.#goOn();
      return journal;
    } catch (cause) {
      throw new AppError("io", "the journal of the spool cannot be read", { cause });
    }
  }

  /**
   * Notes what the hub has acknowledged: durable when it resolves. Where the disk refuses it (it may be full of what
   * this lets go of), it is kept in memory, logged, and written with the next. Never rejects.
   */
  async note(entries: readonly JournalEntry[]): Promise<void> {
    if (entries.length === 0) return;
    this.#unwritten.push(...entries);
    this.#last = undefined;
    this.#notes++;
    await this.#write().catch((error: unknown) => {
      const { logger } = this.#options;
      const dropped = this.#unwritten.splice(0, Math.max(0, this.#unwritten.length - maxUnwritten));
      logger.error("what the hub acknowledged cannot be noted", {
        ...errorFields(error),
        dropped: dropped.length,
      });
    });
    for (const listener of this.#listeners) listener();
  }

  async mark(): Promise<string | null> {
    if (this.#last !== undefined && this.#unwritten.length === 0) return this.#last;
    const bookmark = newUuidV7(this.#options.clock.wallMs());
    const notes = this.#notes;
    this.#unwritten.push({ bookmark });
    try {
      await this.#write();
    } catch (error) {
      this.#unwritten = this.#unwritten.filter((entry) => !("bookmark" in entry));
      throw error;
    }
    if (this.#notes === notes) this.#last = bookmark;
    return bookmark;
  }

  async *entriesAfter(bookmark: string | null): AsyncGenerator<JournalEntry> {
    const { logger } = this.#options;
    const numbers = await this.#numbers();
    let start = 0;
    let offset = 0;
    if (bookmark !== null) {
      const line = JSON.stringify({ bookmark });
      for (let i = numbers.length - 1; i >= 0; i--) {
        const at = (await this.#read(numbers[i] as number))?.lastIndexOf(line) ?? -1;
        if (at < 0) continue;
        [start, offset] = [i, at + line.length];
        break;
      }
    }
    let unreadable = 0;
    for (const number of numbers.slice(start)) {
      const text = (await this.#read(number)) ?? "";
      for (const line of text.slice(number === numbers[start] ? offset : 0).split("\n")) {
        if (line === "") continue;
        const entry = parseLine(line);
        if (entry) yield entry;
        else unreadable++;
      }
    }
    if (unreadable > 0) logger.warning("lines of the journal cannot be read", { lines: unreadable });
  }

  onNoted(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** One write after the other, each of all that is unwritten. Throws `io`. */
  #write(): Promise<void> {
    const done = this.#writing.then(() => this.#append());
    this.#writing = done.catch(() => undefined);
    return done;
  }

  async #append(): Promise<void> {
    const entries = [...this.#unwritten];
    if (entries.length === 0) return;
    if (this.#sizeBytes >= (this.#options.partBytes ?? defaultPartBytes)) await this.#rotate();
    const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
    const isNew = this.#sizeBytes === 0;
    try {
      const file = await open(this.#pathOf(this.#number), "a", 0o640);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      if (isNew) await syncDirectory(this.#directory);
    } catch (cause) {
      this.#startPart();
      throw new AppError("io", "cannot write to the journal of the spool", { cause });
    }
    this.#sizeBytes += Buffer.byteLength(text);
    // What came meanwhile is behind it.
    this.#unwritten.splice(0, entries.length);
  }

  async #rotate(): Promise<void> {
    this.#startPart();
    const { clock, keepMs = defaultKeepMs, maxBytes = defaultMaxBytes } = this.#options;
    const parts = [];
    for (const number of await this.#numbers()) {
      const { size, mtimeMs } = await stat(this.#pathOf(number));
      parts.push({ number, sizeBytes: size, writtenMs: mtimeMs });
    }
    for (const number of planJournalTrim(parts, { nowMs: clock.wallMs(), keepMs, maxBytes })) {
      await rm(this.#pathOf(number), { force: true });
    }
  }

  #startPart(): void {
    this.#number++;
    this.#sizeBytes = 0;
  }

  /** With the newest part, where its end can be read and is whole. */
  async #goOn(): Promise<void> {
    const text = await this.#read(this.#number);
    if (!text?.endsWith("\n")) return this.#startPart();
    this.#sizeBytes = Buffer.byteLength(text);
    const last = parseLine(text.trimEnd().split("\n").at(-1) ?? "");
    if (last && "bookmark" in last) this.#last = last.bookmark;
  }

  async #numbers(): Promise<number[]> {
    return numbersOf(await readdir(this.#directory));
  }

  /** Undefined for a part that was trimmed meanwhile, and for one that the disk refuses: the others can be told. */
  async #read(number: number): Promise<string | undefined> {
    const path = this.#pathOf(number);
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      this.#options.logger.error("a part of the journal cannot be read", { path, ...errorFields(error) });
      return undefined;
    }
  }

  #pathOf(number: number): string {
    return join(this.#directory, `${String(number).padStart(8, "0")}.jsonl`);
  }
}

function directoryOf(root: string): string {
  return join(root, "journal");
}

function numbersOf(names: readonly string[]): number[] {
  return names
    .flatMap((name) => /^(\d{8})\.jsonl$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function parseLine(line: string): JournalEntry | undefined {
  try {
    const json: unknown = JSON.parse(line);
    return v.is(JournalLine, json) ? json : undefined;
  } catch {
    return undefined;
  }
}
