import { expect, test } from "bun:test";
import { appendFile, mkdir, readdir, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../../src/common/clock.ts";
import { createLogger } from "../../../src/common/log.ts";
import type { JournalEntry } from "../../../src/edge/hub-link/acknowledged-journal.ts";
import { HubJournal, type HubJournalOptions } from "../../../src/edge/spool/hub-journal.ts";
import { planJournalTrim } from "../../../src/edge/spool/plan-journal-trim.ts";
import { announcedVideo } from "../../support/announced-video.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";
import { canMount, mountSmallDisk } from "../../support/small-disk.ts";
import { testIf } from "../../support/test-if.ts";

const open = (root: string, options: Partial<HubJournalOptions> = {}) =>
  HubJournal.open({ root, clock: systemClock, logger: createLogger("journal"), ...options });
const video = (sequence: number): JournalEntry => ({ video: announcedVideo(sequence) });
const partsOf = async (root: string) => (await readdir(join(root, "journal"))).sort();

/** Sequences of the videos behind a bookmark. */
async function after(journal: HubJournal, bookmark: string | null): Promise<number[]> {
  const found: number[] = [];
  for await (const entry of journal.entriesAfter(bookmark)) {
    if ("video" in entry) found.push(entry.video.sequence);
  }
  return found;
}

test("says what was noted behind a bookmark, and everything for one that it does not know; also after a restart", async () => {
  await using folder = await temporaryFolder();
  const journal = await open(folder.path);
  expect(await journal.mark()).toBeNull();
  await journal.note([video(0), video(1)]);
  const one = await journal.mark();
  expect(await journal.mark()).toBe(one);
  await journal.note([video(2)]);
  const two = await journal.mark();
  expect(two).not.toBe(one);
  for (const each of [journal, await open(folder.path)]) {
    expect(await after(each, one)).toEqual([2]);
    expect(await after(each, two)).toEqual([]);
    expect(await after(each, null)).toEqual([0, 1, 2]);
    expect(await after(each, crypto.randomUUID())).toEqual([0, 1, 2]);
    expect(await each.mark()).toBe(two);
  }
});

test("what is noted while a bookmark is made is behind it", async () => {
  await using folder = await temporaryFolder();
  const journal = await open(folder.path);
  await journal.note([video(0)]);
  const [marked] = await Promise.all([journal.mark(), journal.note([video(1)]), journal.note([video(2)])]);
  expect(await after(journal, marked)).toEqual([1, 2]);
  const next = await journal.mark();
  expect(next).not.toBe(marked);
  expect(await after(journal, next)).toEqual([]);
});

test.each([
  ["cut anywhere in its last line", async (path: string, size: number) => truncate(path, size - 100)],
  ["filled up with zeros", async (path: string) => appendFile(path, "\0".repeat(500))],
  ["not all text", async (path: string) => appendFile(path, Buffer.from([0xff, 0xfe, 0x7b, 0x22]))],
])("a part whose end a power cut left %s loses nothing but that", async (_what, tear) => {
  await using folder = await temporaryFolder();
  const journal = await open(folder.path);
  await journal.note([video(0)]);
  const marked = await journal.mark();
  const [part = ""] = await partsOf(folder.path);
  const path = join(folder.path, "journal", part);
  const { size } = await stat(path);
  await journal.note([video(1)]);
  await tear(path, (await stat(path)).size);

  const again = await open(folder.path);
  await again.note([video(2)]);
  expect((await after(again, marked)).filter((sequence) => sequence !== 1)).toEqual([2]);
  expect((await after(again, null)).filter((sequence) => sequence !== 1)).toEqual([0, 2]);
  // What was whole is not written to any more.
  expect(await partsOf(folder.path)).toHaveLength(2);
  expect(size).toBeGreaterThan(0);
});

test("begins a new part when one is long, and forgets the oldest past its limit, never the newest", async () => {
  await using folder = await temporaryFolder();
  const journal = await open(folder.path, { partBytes: 2000, maxBytes: 12_000 });
  for (let sequence = 0; sequence < 60; sequence++) await journal.note([video(sequence)]);
  const kept = await after(journal, null);
  expect(kept.at(-1)).toBe(59);
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 60 - kept.length + i));
  const sizes = await Promise.all(
    (await partsOf(folder.path)).map(async (name) => (await stat(join(folder.path, "journal", name))).size),
  );
  expect(sizes.reduce((a, b) => a + b)).toBeLessThan(12_000 + 2 * 3000);
  expect(sizes.length).toBeGreaterThan(4);
});

test("forgets what is older than it is kept", async () => {
  await using folder = await temporaryFolder();
  const journal = await open(folder.path, { partBytes: 2000 });
  for (let sequence = 0; sequence < 30; sequence++) await journal.note([video(sequence)]);
  const parts = await partsOf(folder.path);
  const longAgo = new Date(Date.now() - 36 * 86_400_000);
  for (const name of parts.slice(0, 3)) await utimes(join(folder.path, "journal", name), longAgo, longAgo);
  for (let sequence = 30; sequence < 34; sequence++) await journal.note([video(sequence)]);
  expect(await partsOf(folder.path)).not.toContain(parts[2]);
  expect(await partsOf(folder.path)).toContain(parts[3] ?? "");
});

test("a clock that is a hundred years ahead does not take the newest", () => {
  const parts = Array.from({ length: 6 }, (_, number) => ({ number, sizeBytes: 1e6, writtenMs: 0 }));
  expect(planJournalTrim(parts, { nowMs: 1e13, keepMs: 1, maxBytes: 0 })).toEqual([0, 1]);
  expect(planJournalTrim(parts, { nowMs: -1e13, keepMs: 1, maxBytes: 1e9 })).toEqual([]);
});

test("a line that cannot be read is left out, and the others are there", async () => {
  await using folder = await temporaryFolder();
  await (await open(folder.path)).note([video(0)]);
  const path = join(folder.path, "journal", "00000001.jsonl");
  await appendFile(path, 'garbage\n{"video":{}}\n{"bookmark":1}\n[]\n');
  const journal = await open(folder.path);
  await journal.note([video(1)]);
  expect(await after(journal, null)).toEqual([0, 1]);
});

test("a part that the disk does not give holds up nothing: a new one is begun, and the others are there", async () => {
  await using folder = await temporaryFolder();
  const journal = await open(folder.path, { partBytes: 1 });
  await journal.note([video(0)]);
  await journal.note([video(1)]);
  // A directory in its place cannot be read as a file, whoever asks.
  const path = join(folder.path, "journal", "00000002.jsonl");
  await rm(path);
  await mkdir(path);
  const again = await open(folder.path);
  await again.note([video(2)]);
  expect(await after(again, null)).toEqual([0, 2]);
  expect(await after(again, await again.mark())).toEqual([]);
});

testIf(canMount, "mounting needs root")(
  "a full disk holds up nobody; what it refused is noted when it takes it",
  async () => {
    await using disk = await mountSmallDisk(256 * 1024);
    const journal = await open(disk.path);
    await journal.note([video(0)]);
    const filler = join(disk.path, "filler");
    await writeFile(filler, Buffer.alloc(1024 * 1024)).catch(() => undefined);
    // Far more than what the page that is begun has room for.
    const refused = Array.from({ length: 30 }, (_, i) => video(i + 1));
    await journal.note(refused);
    await expect(journal.mark()).rejects.toMatchObject({ code: "io" });
    await rm(filler);
    await journal.note([video(31)]);
    const marked = await journal.mark();
    expect([...new Set(await after(journal, null))]).toEqual(Array.from({ length: 32 }, (_, i) => i));
    expect(await after(journal, marked)).toEqual([]);
  },
);
