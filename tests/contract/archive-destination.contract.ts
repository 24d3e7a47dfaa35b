import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { archivePathOf } from "../../src/common/archive-path.ts";
import { errnoOf } from "../../src/common/errors.ts";
import { newUuidV7 } from "../../src/common/ids.ts";
import { readArchiveFile } from "../../src/common/mp4/archive-file.ts";
import { verifyArchiveFile } from "../../src/common/mp4/verify-file.ts";
import type { SegmentIdentity } from "../../src/common/segment-identity.ts";
import { SpoolChecksum } from "../../src/edge/spool-checksum.ts";
import type { ArchiveDestination } from "../../src/edge/uploader/archive-destination.ts";
import { sampleRecording, sampleStart, temporaryFolder } from "../support/sample-recording.ts";

export const testArchiveId = "01997000-0000-7000-8000-0000000000aa";
const otherArchiveId = "01997000-0000-7000-8000-0000000000bb";

/** A destination whose archive can be looked at, and spoiled, as a local folder. */
export interface DestinationUnderTest extends AsyncDisposable {
  destination: ArchiveDestination;
  /** Where the root of its archive is on this machine. */
  archive: string;
  /** Resolves when what was changed in the archive behind its back can no longer be answered from a cache. */
  forget?(): Promise<void>;
}

/** Every adapter of the port runs this suite. `open` gets a folder that will hold the archive, still empty. */
export function archiveDestinationContract(
  name: string,
  open: (archive: string) => Promise<DestinationUnderTest>,
): void {
  /** An archive, and a spool file with its identity. */
  async function setUp() {
    const folder = await temporaryFolder();
    const archive = join(folder.path, "videos");
    await mkdir(archive);
    await makeArchive(archive);
    const opened = await open(archive);
    const [sourcePath, identity] = await writeSegment(folder.path);
    return {
      folder: folder.path,
      archive,
      destination: opened.destination,
      forget: async () => opened.forget?.(),
      request: { sourcePath, identity, expectedArchiveId: testArchiveId as string | undefined },
      async [Symbol.asyncDispose]() {
        await opened[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  }

  describe(name, () => {
    test("puts a whole file under its name, with the hash it says", async () => {
      await using at = await setUp();
      const { identity } = at.request;
      const result = await at.destination.put(at.request);
      expect(result).toMatchObject({
        archiveId: testArchiveId,
        filePath: "cam01/2025-09-23/cam01_20250923_153000.mp4",
        alreadyThere: false,
      });
      const path = join(at.archive, result.filePath);
      const bytes = await readFile(path);
      expect(result.fileSizeBytes).toBe(bytes.length);
      expect(result.fileSha256).toBe(createHash("sha256").update(bytes).digest("hex"));
      expect((await readArchiveFile(path)).identity).toEqual(identity);
      expect(await verifyArchiveFile(path)).toMatchObject({ ok: true, problems: [] });
      expect(await filesIn(at.archive)).toEqual([result.filePath, "metadata/archive.json"]);
    });

    test("tries writing without leaving anything, and not in another archive", async () => {
      await using at = await setUp();
      const { destination, archive } = at;
      const before = await filesIn(archive);
      await destination.tryWriting?.(testArchiveId);
      await destination.tryWriting?.(undefined);
      expect(await filesIn(archive)).toEqual(before);
      await expect(destination.tryWriting?.(otherArchiveId)).rejects.toMatchObject({
        code: "unavailable",
        details: { reason: "other_archive" },
      });
      await rm(join(archive, "metadata"), { recursive: true });
      await at.forget();
      await expect(destination.tryWriting?.(undefined)).rejects.toMatchObject({ code: "unavailable" });
      expect(await filesIn(archive)).toEqual([]);
    });

    test("tells its progress up to the whole size", async () => {
      await using at = await setUp();
      const told: [number, number][] = [];
      const result = await at.destination.put(at.request, { onProgress: (...now) => told.push(now) });
      const total = result.fileSizeBytes;
      expect(told.at(-1)).toEqual([total, total]);
      expect(told.every(([written, of], i) => of === total && written >= (told[i - 1]?.[0] ?? 0))).toBe(true);
    });

    test("answers the same when the same segment comes again", async () => {
      await using at = await setUp();
      const first = await at.destination.put(at.request);
      expect(await at.destination.put(at.request)).toEqual({ ...first, alreadyThere: true });
      expect(await filesIn(at.archive)).toHaveLength(2);
    });

    test("answers with the whole of a segment when only its beginning comes again: a spool was put back", async () => {
      await using at = await setUp();
      const whole = await at.destination.put(at.request);
      const { init, fragments } = await sampleRecording();
      const beginning = async (bytes: Uint8Array) => {
        const sourcePath = join(at.folder, "beginning.mp4");
        await writeFile(sourcePath, bytes);
        const { identity } = at.request;
        const recordedSha256 = createHash("sha256").update(bytes).digest("hex");
        const { startTimeMs } = identity;
        const shorter = { endTimeMs: startTimeMs + 800, durationMs: 800, recordedSha256 };
        return at.destination.put({ ...at.request, sourcePath, identity: { ...identity, ...shorter } });
      };
      const [first, second] = fragments as [Uint8Array, Uint8Array];
      const { identity } = at.request;
      expect(await beginning(Buffer.concat([init.bytes, first, second]))).toEqual({
        ...{ ...whole, alreadyThere: true },
        identity,
      });
      expect(await filesIn(at.archive)).toHaveLength(2);
      // What only begins alike is something else.
      const other = Buffer.from(second);
      other[other.length - 1]! ^= 1;
      expect(await beginning(Buffer.concat([init.bytes, first, other]))).toMatchObject({
        alreadyThere: false,
      });
    });

    test("gives -2 and -3 to other videos of the same name, and finds each again", async () => {
      await using at = await setUp();
      const requests = [at.request];
      for (let n = 2; n <= 3; n++) {
        const [sourcePath, identity] = await writeSegment(at.folder);
        requests.push({ ...at.request, sourcePath, identity });
      }
      const plain = "cam01/2025-09-23/cam01_20250923_153000";
      const names = [`${plain}.mp4`, `${plain}-2.mp4`, `${plain}-3.mp4`];
      for (const alreadyThere of [false, true]) {
        for (const [i, request] of requests.entries()) {
          expect(await at.destination.put(request)).toMatchObject({ filePath: names[i]!, alreadyThere });
        }
      }
      // Retention has deleted the first: the others are still found, not put once more.
      await rm(join(at.archive, names[0]!));
      expect(await at.destination.put(requests[2]!)).toMatchObject({
        filePath: names[2]!,
        alreadyThere: true,
      });
    });

    test.each(["a foreign file", "an empty file", "a folder"])(
      "never replaces %s that has the name",
      async (what) => {
        await using at = await setUp();
        const taken = join(at.archive, archivePathOf(at.request.identity));
        await mkdir(dirname(taken), { recursive: true });
        if (what === "a folder") await mkdir(taken);
        else await writeFile(taken, what === "an empty file" ? "" : "not ours");
        expect(await at.destination.put(at.request)).toMatchObject({
          filePath: archivePathOf(at.request.identity, 2),
          alreadyThere: false,
        });
        if (what === "a foreign file") expect(await readFile(taken, "utf8")).toBe("not ours");
      },
    );

    test("puts it again under another name when its own file was damaged", async () => {
      await using at = await setUp();
      const { filePath, fileSizeBytes } = await at.destination.put(at.request);
      const damaged = join(at.archive, filePath);
      const bytes = await readFile(damaged);
      // An NFS client takes its cached pages for what the file holds until the file's ctime moves, which it does in
      // steps of the kernel's timer: 10 ms at most. Damage in the same step as the upload's rename is never seen.
      await Bun.sleep(50);
      bytes[fileSizeBytes - 50]! ^= 1;
      await writeFile(damaged, bytes);
      const again = await at.destination.put(at.request);
      expect(again).toMatchObject({ filePath: archivePathOf(at.request.identity, 2), alreadyThere: false });
      expect(await verifyArchiveFile(join(at.archive, again.filePath))).toMatchObject({ ok: true });
    });

    test.each([
      ["is not there", removeArchive],
      [
        "has no identity file: nothing is mounted",
        (archive: string) => rm(join(archive, "metadata"), { recursive: true }),
      ],
      [
        "has a damaged identity file",
        (archive: string) => writeFile(join(archive, "metadata/archive.json"), "{"),
      ],
      ["is another one", (archive: string) => makeArchive(archive, "01997000-0000-7000-8000-0000000000bb")],
    ])("writes nothing when the archive %s", async (_how, spoil) => {
      await using at = await setUp();
      await spoil(at.archive);
      await at.forget();
      const before = await filesIn(at.archive);
      await expect(at.destination.put(at.request)).rejects.toMatchObject({ code: "unavailable" });
      expect(await filesIn(at.archive)).toEqual(before);
    });

    test("accepts any archive while nobody knows which one it has to be", async () => {
      await using at = await setUp();
      await makeArchive(at.archive, "01997000-0000-7000-8000-0000000000bb");
      const result = await at.destination.put({ ...at.request, expectedArchiveId: undefined });
      expect(result.archiveId).toBe("01997000-0000-7000-8000-0000000000bb");
    });

    test.each(["hash", "checksum"])(
      "refuses a segment that no longer has its %s, and leaves nothing",
      async (by) => {
        await using at = await setUp();
        const bytes = await readFile(at.request.sourcePath);
        const checksum = new SpoolChecksum();
        checksum.update(bytes);
        const request = { ...at.request, ...(by === "checksum" && { spoolChecksum: checksum.digest() }) };
        bytes[bytes.length - 10]! ^= 1;
        await writeFile(at.request.sourcePath, bytes);
        await expect(at.destination.put(request)).rejects.toMatchObject({ code: "corrupt_file" });
        expect(await filesIn(at.archive)).toEqual(["metadata/archive.json"]);
        bytes[bytes.length - 10]! ^= 1;
        await writeFile(at.request.sourcePath, bytes);
        const { filePath } = await at.destination.put(request);
        expect(await verifyArchiveFile(join(at.archive, filePath))).toMatchObject({ ok: true });
      },
    );

    test("refuses a segment that is cut short, and one that is gone", async () => {
      await using at = await setUp();
      await truncate(at.request.sourcePath, (await readFile(at.request.sourcePath)).length - 10);
      await expect(at.destination.put(at.request)).rejects.toMatchObject({ code: "corrupt_file" });
      await rm(at.request.sourcePath);
      await expect(at.destination.put(at.request)).rejects.toMatchObject({ code: "not_found" });
      expect(await filesIn(at.archive)).toEqual(["metadata/archive.json"]);
    });

    test("is cancelled without leaving anything", async () => {
      await using at = await setUp();
      const signal = AbortSignal.abort();
      await expect(at.destination.put(at.request, { signal })).rejects.toMatchObject({ code: "cancelled" });
      expect(await filesIn(at.archive)).toEqual(["metadata/archive.json"]);
      expect(await at.destination.put(at.request)).toMatchObject({ alreadyThere: false });
    });

    test("removes what dead uploads of the same segment left, and nothing of others", async () => {
      await using at = await setUp();
      const day = join(at.archive, dirname(archivePathOf(at.request.identity)));
      await mkdir(day, { recursive: true });
      const other = newUuidV7(0);
      const partial = (id: string) => `.cam01_20250923_153000.mp4.${id}.0badcafe.partial`;
      await writeFile(join(day, partial(at.request.identity.videoId)), "half");
      await writeFile(join(day, partial(other)), "half of another");
      await at.destination.put(at.request);
      expect((await readdir(day)).sort()).toEqual([partial(other), "cam01_20250923_153000.mp4"]);
    });

    test("says which archive it reaches and what is free there, or why it reaches none", async () => {
      await using at = await setUp();
      const check = await at.destination.check();
      expect(check).toMatchObject({ ok: true, archiveId: testArchiveId });
      expect(check.ok && check.freeBytes).toBeGreaterThan(0);
      await rm(join(at.archive, "metadata"), { recursive: true });
      await at.forget();
      expect(await at.destination.check()).toEqual({
        ok: false,
        reason: expect.stringContaining("there is no metadata/archive.json"),
      });
    });

    test("puts two segments at once", async () => {
      await using at = await setUp();
      const [sourcePath, identity] = await writeSegment(at.folder);
      const results = await Promise.all([
        at.destination.put(at.request),
        at.destination.put({ ...at.request, sourcePath, identity }),
      ]);
      const paths = [archivePathOf(identity), archivePathOf(identity, 2)];
      expect(results.map(({ filePath }) => filePath).sort()).toEqual(paths.sort());
      for (const path of paths) {
        expect(await verifyArchiveFile(join(at.archive, path))).toMatchObject({ ok: true });
      }
    });
  });
}

export async function makeArchive(root: string, archiveId = testArchiveId): Promise<void> {
  await mkdir(join(root, "metadata"), { recursive: true });
  const identity = { archive_id: archiveId, created_at: "2025-09-01T00:00:00.000Z", format_version: 1 };
  await writeFile(join(root, "metadata/archive.json"), JSON.stringify(identity));
  await chmod(root, 0o755);
}

/** Where it is mounted, the folder under it stays. */
async function removeArchive(root: string): Promise<void> {
  await rm(root, { recursive: true }).catch((error: unknown) => {
    if (errnoOf(error) !== "EBUSY") throw error;
  });
}

/** A spool file in `folder`; all of them start at the same time. */
export async function writeSegment(folder: string): Promise<[path: string, identity: SegmentIdentity]> {
  const { init, fragments } = await sampleRecording();
  const bytes = Buffer.concat([init.bytes, ...fragments]);
  const start = sampleStart();
  const path = join(folder, `${start.videoId}.mp4`);
  await writeFile(path, bytes);
  const recordedSha256 = createHash("sha256").update(bytes).digest("hex");
  return [path, { ...start, endTimeMs: start.startTimeMs + 2000, durationMs: 2000, fps: 10, recordedSha256 }];
}

/** Paths of all files under a folder, sorted; none when it is not there. */
async function filesIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}
