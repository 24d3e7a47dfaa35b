import { statfs } from "node:fs/promises";
import { AppError, describeError, errnoOf } from "../../common/errors.ts";
import { type ArchiveLayout, planArchiveFile, readArchiveFile } from "../../common/mp4/archive-file.ts";
import { RegularFile } from "../../common/mp4/regular-file.ts";
import { scanSegmentFile } from "../../common/mp4/segment-scan.ts";
import { verifyArchiveFile } from "../../common/mp4/verify-file.ts";
import type {
  ArchiveDestination,
  ConnectionCheck,
  PutOptions,
  PutRequest,
  PutResult,
} from "./archive-destination.ts";
import { runArchivePass } from "./archive-pass.ts";
import { ArchiveRoot } from "./archive-root.ts";
import { DayFolder } from "./day-folder.ts";

/** An archive that is a folder of this machine: a mounted share, or a disk. Its calls may hang as the mount does. */
export class PathDestination implements ArchiveDestination {
  readonly #path: string;

  constructor(options: { path: string }) {
    this.#path = options.path;
  }

  async check(): Promise<ConnectionCheck> {
    try {
      await using root = await ArchiveRoot.open(this.#path, undefined);
      const { bavail, bsize, blocks } = await statfs(root.resolve("."));
      return { ok: true, archiveId: root.archiveId, freeBytes: blocks > 0 ? bavail * bsize : undefined };
    } catch (error) {
      return { ok: false, reason: describeError(error) };
    }
  }

  async put(request: PutRequest, options: PutOptions = {}): Promise<PutResult> {
    const { identity, sourcePath, expectedArchiveId } = request;
    await using root = await ArchiveRoot.open(this.#path, expectedArchiveId);
    const layout = await planFromSource(sourcePath, request);
    await using source = await RegularFile.open(sourcePath);
    const { archiveId } = root;
    try {
      const folder = await DayFolder.open(root, identity);
      const known = await findInArchive(root, folder, request, options);
      await folder.removeStalePartials();
      if (known) return { archiveId, ...known, alreadyThere: true };

      const partial = await folder.createPartial();
      try {
        const pass = { source, layout, target: partial.file, ...options };
        const { recordedSha256, fileSha256 } = await runArchivePass(pass);
        await partial.file.close();
        if (recordedSha256 !== identity.recordedSha256) {
          throw new AppError("corrupt_file", "the segment no longer has the hash it was recorded with", {
            details: { side: "spool", recorded: identity.recordedSha256, found: recordedSha256 },
          });
        }
        const sizeBytes = await folder.sizeOf(partial.path);
        if (sizeBytes !== layout.totalSizeBytes) {
          throw new AppError("io", `the archive kept ${sizeBytes} of ${layout.totalSizeBytes} bytes`, {
            details: { side: "archive" },
          });
        }
        options.signal?.throwIfAborted();
        const filePath = await folder.publish(partial);
        return { archiveId, filePath, fileSizeBytes: sizeBytes, fileSha256, alreadyThere: false };
      } catch (error) {
        // What cannot be removed now is removed by the next try; the error that is told is the first one.
        await folder.removePartial(partial).catch(() => undefined);
        throw error;
      }
    } catch (error) {
      throw asArchiveError(error);
    }
  }
}

async function planFromSource(sourcePath: string, { identity }: PutRequest): Promise<ArchiveLayout> {
  const scan = await scanSegmentFile(sourcePath, { checkTailBytes: 0 });
  if (scan.tornBytes > 0) {
    const reason = `${scan.tornBytes} bytes at the end of the segment are damaged: ${scan.tornReason}`;
    throw new AppError("corrupt_file", reason, { details: { side: "spool" } });
  }
  return planArchiveFile({ index: scan.index, identity });
}

/**
 * This very segment, whole, from an upload whose end nobody saw. A file with its id that is not whole is left alone:
 * the segment then gets another name.
 */
async function findInArchive(
  root: ArchiveRoot,
  folder: DayFolder,
  { identity }: PutRequest,
  options: PutOptions,
): Promise<Pick<PutResult, "filePath" | "fileSizeBytes" | "fileSha256"> | undefined> {
  for (const filePath of folder.takenPaths) {
    const path = root.resolve(filePath);
    if (!(await hasVideoId(path, identity.videoId))) continue;
    const report = await verifyArchiveFile(path, options);
    if (report.problems.some(({ code }) => code === "unreadable")) {
      throw new AppError("io", `cannot read ${filePath} in the archive`, { details: { side: "archive" } });
    }
    // A contradiction between identity and video is in the segment, and would be in every copy of it.
    const whole = report.kind === "archive" && report.problems.every(({ code }) => code === "identity");
    if (whole && report.fileSha256 && report.identity?.recordedSha256 === identity.recordedSha256) {
      return { filePath, fileSizeBytes: report.sizeBytes, fileSha256: report.fileSha256 };
    }
  }
  return undefined;
}

async function hasVideoId(path: string, videoId: string): Promise<boolean> {
  try {
    return (await readArchiveFile(path)).identity.videoId === videoId;
  } catch (error) {
    if (error instanceof AppError && error.code !== "io") return false;
    throw error;
  }
}

function asArchiveError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof Error && error.name === "AbortError") {
    return new AppError("cancelled", "the upload was cancelled");
  }
  return new AppError("io", "the archive refused", {
    cause: error,
    details: { side: "archive", errno: errnoOf(error) },
  });
}
