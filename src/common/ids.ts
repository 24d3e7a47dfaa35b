import * as v from "valibot";

/** Directories of the archive that no camera may be called. */
const reservedNames = new Set(["metadata", "con", "nul", "aux", "prn", "lost", "tmp"]);

const name = v.pipe(
  v.string(),
  v.maxLength(32),
  v.regex(
    /^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?$/,
    "1 to 32 characters of a-z, 0-9, '-' and '_', starting and ending with a letter or digit",
  ),
  v.check((value) => !reservedNames.has(value), "a name that is not reserved"),
);

/** `cam01`. Lower case only: the name is a directory on file systems that do not tell case apart. */
export const CameraId = v.pipe(name, v.title("CameraId"));
export type CameraId = v.InferOutput<typeof CameraId>;

export const NodeId = v.pipe(name, v.title("NodeId"));
export type NodeId = v.InferOutput<typeof NodeId>;

/** Of any version. */
export const Uuid = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, "a lower-case UUID"),
);

/** UUIDv7 (RFC 9562) whose time is the start of the segment. */
export const VideoId = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, "a lower-case UUIDv7"),
);
export type VideoId = v.InferOutput<typeof VideoId>;

export const RunId = Uuid;
export const ArchiveId = Uuid;

/** A UUIDv7 of the given time; ids of one camera sort by start. */
export function newUuidV7(atMs: number): string {
  return Bun.randomUUIDv7("hex", Math.max(0, Math.round(atMs)));
}

/** SHA-256 in lower-case hex. */
export const Sha256Hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "64 lower-case hex digits"));
