import * as v from "valibot";
import type { PictureKind } from "../../../common/archive-path.ts";
import type { ArchivedFile } from "../../../common/mp4/archive-file.ts";
import type { SalvagedFile } from "../../../common/mp4/salvage-file.ts";
import type { ByteRange } from "../../http/range.ts";

/**
 * What the hub and its media workers say to each other, over the channel that the runtime has between a process and its
 * child; the bytes of files lie in memory that they share. Both are the same program, so nothing is kept for older ones.
 */
export interface WorkerOperations {
  /** In bytes. */
  size(file: FileInArchive): Promise<number>;
  /** Reads a range into a window of the shared memory; returns a tag of the file. */
  fill(request: FileInArchive & { range: ByteRange; window: number }): Promise<string>;
  index(file: FileInArchive): Promise<ArchivedFile>;
  salvage(file: FileInArchive): Promise<SalvagedFile>;
  readPicture(picture: Picture): Promise<Uint8Array | undefined>;
  hasPicture(picture: Picture): Promise<boolean>;
  writePicture(picture: Picture & { jpeg: Uint8Array }): Promise<void>;
  removePictures(video: { path: string }): Promise<void>;
}

export interface FileInArchive {
  /** Relative to the archive's root. */
  path: string;
  /** The archive that the catalog belongs to, once known. */
  archiveId: string | undefined;
}

/** Made of the video at `path`. */
export interface Picture {
  kind: PictureKind;
  path: string;
}

export type WorkerOperation = keyof WorkerOperations;
export type Argument<Name extends WorkerOperation> = Parameters<WorkerOperations[Name]>[0];
export type Result<Name extends WorkerOperation> = Awaited<ReturnType<WorkerOperations[Name]>>;

export interface WorkerRequest<Name extends WorkerOperation = WorkerOperation> {
  id: number;
  operation: Name;
  argument: Argument<Name>;
}

export const WorkerAnswer = v.variant("kind", [
  /** The first message of a worker: it can be asked. */
  v.object({ kind: v.literal("ready") }),
  v.object({ kind: v.literal("result"), id: v.number(), result: v.unknown() }),
  v.object({
    ...{ kind: v.literal("failure"), id: v.number() },
    ...{
      code: v.picklist(["not_found", "unavailable", "corrupt_file", "io", "internal"]),
      message: v.string(),
    },
  }),
]);
export type WorkerAnswer = v.InferOutput<typeof WorkerAnswer>;
