import * as v from "valibot";
import { type PictureKind, pictureKinds } from "../../../common/archive-path.ts";
import { AppError } from "../../../common/errors.ts";

/**
 * What the hub and its media workers say to each other: HTTP over a unix socket, with the bytes of files in memory that
 * they share. Both are the same program, so nothing of it is kept for older ones.
 */
export const WorkerFailure = v.object({
  code: v.picklist(["not_found", "unavailable", "corrupt_file", "io", "internal"]),
  message: v.string(),
});
export type WorkerFailure = v.InferOutput<typeof WorkerFailure>;

export const FileStats = v.object({ size_bytes: v.number() });

/** The first message of a worker to its parent: its socket is there. */
export const readyMessage = "ready";

/** Status of every failure; what it is stands in the body. */
export const failureStatus = 500;

export interface FileRequest {
  /** Relative to the archive's root. */
  path: string;
  /** The archive that the catalog belongs to, once known. */
  archiveId: string | undefined;
  range?: { start: number; end: number } | undefined;
  /** Where in the shared memory the range goes. */
  window?: number | undefined;
  /** Of what is made of the video at `path`. */
  kind?: PictureKind | undefined;
}

export function formatFileRequest({ path, archiveId, range, window, kind }: FileRequest): string {
  const fields = new URLSearchParams({ path });
  if (archiveId !== undefined) fields.set("archive_id", archiveId);
  if (range !== undefined) fields.set("range", `${range.start}-${range.end}`);
  if (window !== undefined) fields.set("window", String(window));
  if (kind !== undefined) fields.set("kind", kind);
  return fields.toString();
}

export function parseFileRequest(fields: URLSearchParams): FileRequest {
  const path = fields.get("path");
  if (path === null) throw new AppError("internal", "a request without a path");
  const [start, end] = fields.get("range")?.split("-").map(Number) ?? [];
  return {
    path,
    archiveId: fields.get("archive_id") ?? undefined,
    range: start === undefined || end === undefined ? undefined : { start, end },
    window: fields.has("window") ? Number(fields.get("window")) : undefined,
    kind: pictureKinds.find((kind) => kind === fields.get("kind")),
  };
}

/** Throws what the worker threw. */
export async function checkedAnswer(answer: Response): Promise<Response> {
  if (answer.status !== failureStatus) return answer;
  const { code, message } = v.parse(WorkerFailure, await answer.json());
  throw new AppError(code, message);
}
