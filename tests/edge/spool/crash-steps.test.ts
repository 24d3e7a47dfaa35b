import { afterAll, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChild } from "../../../src/common/child-process.ts";
import { readArchiveFile } from "../../../src/common/mp4/archive-file.ts";
import { verifyArchiveFile } from "../../../src/common/mp4/verify-file.ts";
import { makeArchive } from "../../contract/archive-destination.contract.ts";
import {
  type LifeSite,
  lifeFragments,
  liveOnce,
  type OracleLine,
  pausedCamera,
} from "../../support/crash/segment-life.ts";
import { sampleRecording, temporaryFolder } from "../../support/sample-recording.ts";

const support = join(import.meta.dir, "../../support/crash");
const media = await mkdtemp(join(tmpdir(), "livecam-crash-media-"));
afterAll(() => rm(media, { recursive: true, force: true }));
const { init, fragments } = await sampleRecording();
await writeFile(join(media, "init"), init.bytes);
for (const [n, bytes] of fragments.entries()) await writeFile(join(media, String(n)), bytes);

/** A node in a process of its own, killed right before the step, or in the middle of it where it is a write. */
async function liveUntil(site: LifeSite, what: "record" | "repair", crashAt?: number): Promise<string[]> {
  const argv = [process.execPath, "--preload", join(support, "crash-plugin.ts")];
  const { exitCode, signal, stdout, stderrTail } = await runChild({
    argv: [...argv, join(support, "crash-child.ts"), site.folder, site.media, what],
    env: { ...process.env, ...(crashAt === undefined ? {} : { LIVECAM_CRASH_AT: String(crashAt) }) },
    timeoutMs: 60_000,
  });
  if (signal !== "SIGKILL" && exitCode !== 0) throw new Error(stderrTail);
  return new TextDecoder().decode(stdout).trim().split("\n").filter(Boolean);
}

async function makeSite(): Promise<LifeSite & AsyncDisposable> {
  const folder = await temporaryFolder();
  await mkdir(join(folder.path, "videos"));
  await makeArchive(join(folder.path, "videos"));
  return { folder: folder.path, media, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

/** Everything that was answered is there, once, and nothing else is. */
async function expectStoredOnce(site: LifeSite): Promise<void> {
  const text = await readFile(join(site.folder, "oracle.jsonl"), "utf8").catch(() => "");
  const oracle: OracleLine[] = text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const archive = join(site.folder, "videos");
  const files = await readdir(archive, { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  const stored = new Map<string, { path: string; fragments: number; sha256: string | undefined }>();
  for (const path of paths.filter((file) => !file.endsWith("archive.json"))) {
    const report = await verifyArchiveFile(path);
    expect({ path, problems: report.problems }).toEqual({ path, problems: [] });
    const { identity } = await readArchiveFile(path);
    expect(stored.has(identity.videoId)).toBe(false);
    expect(identity.clockState).not.toBe("unsynced");
    expect(path).toMatch(/\/cam01_20250923_153000(-2)?\.mp4$/);
    const kept = { path: path.slice(archive.length + 1), fragments: identity.durationMs / 400 };
    stored.set(identity.videoId, { ...kept, sha256: report.fileSha256 });
  }
  const appended = Map.groupBy(
    oracle.flatMap((line) => (line.kind === "appended" ? [line.videoId] : [])),
    (videoId) => videoId,
  );
  for (const [videoId, { length }] of appended) {
    expect(stored.get(videoId)?.fragments).toBeGreaterThanOrEqual(length);
  }
  // The last append may have been whole when the process was killed; an answer to it was not heard.
  expect(stored.size - appended.size).toBeOneOf([0, 1]);
  const announced = oracle.flatMap((line) => (line.kind === "announced" ? [line.video] : []));
  expect(new Set(announced.map(({ video_id }) => video_id))).toEqual(new Set(stored.keys()));
  for (const { video_id, file_path, file_sha256 } of announced) {
    expect(stored.get(video_id)).toMatchObject({ path: file_path, sha256: file_sha256 });
  }
  for (const state of ["recording", "closed", "archived", "acknowledged", "quarantine"]) {
    expect(await readdir(join(site.folder, "spool", state))).toEqual([]);
  }
  // All of it is evicted; what a restored hub would have to be told is still known.
  const journal = join(site.folder, "spool", "journal");
  const parts = await Promise.all(
    (await readdir(journal)).map((part) => readFile(join(journal, part), "utf8")),
  );
  for (const videoId of stored.keys()) expect(parts.join("")).toContain(videoId);
  await expectPauseAsAnswered(site, oracle);
}

/** As it was answered last; either way where the answer was still to come. No half file is left. */
async function expectPauseAsAnswered({ folder }: LifeSite, oracle: readonly OracleLine[]): Promise<void> {
  const last = oracle.map(({ kind }) => kind).findLast((kind) => /^(paus|resum)/.test(kind));
  const files = await readdir(join(folder, "spool", "paused")).catch(() => []);
  const paused = [`${pausedCamera}.json`];
  if (last === "paused") expect(files).toEqual(paused);
  else if (last === "resumed" || last === undefined) expect(files).toEqual([]);
  else expect(files).toBeOneOf([paused, []]);
}

const steps = await (async () => {
  await using site = await makeSite();
  return await liveUntil(site, "record");
})();

test("a life without a crash takes every step there is", async () => {
  await using site = await makeSite();
  await liveUntil(site, "record");
  await expectStoredOnce(site);
  const oracle = await readFile(join(site.folder, "oracle.jsonl"), "utf8");
  expect(oracle.split("\n").filter((line) => line.includes('"appended"'))).toHaveLength(2 * lifeFragments);
  for (const state of ["recording", "closed", "archived", "acknowledged", "paused"]) {
    expect(steps.filter((step) => step.includes(`${state}/`))).not.toEqual([]);
  }
});

test.each(steps.map((step, n) => [n, step] as const))(
  "killed at step %d, %s: the next start brings everything to its end, once",
  async (n) => {
    await using site = await makeSite();
    await liveUntil(site, "record", n);
    await using killedAgain = await makeSite();
    await cp(site.folder, killedAgain.folder, { recursive: true });
    await liveOnce(site, { record: false });
    await expectStoredOnce(site);
    // Nothing changes by starting once more.
    const before = await readdir(site.folder, { recursive: true });
    await liveOnce(site, { record: false });
    expect((await readdir(site.folder, { recursive: true })).sort()).toEqual(before.sort());

    // A repair that is killed as well, at a step of its own, and the one after it.
    if (n % 4 === 0) {
      await liveUntil(killedAgain, "repair", (n * 7) % (steps.length - n));
      await liveOnce(killedAgain, { record: false });
      await expectStoredOnce(killedAgain);
    }
  },
);
