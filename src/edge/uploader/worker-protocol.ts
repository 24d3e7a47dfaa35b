import * as v from "valibot";
import type { ErrorCode } from "../../common/errors.ts";
import { httpStatusOf } from "../../common/protocol/problem.ts";
import { SegmentIdentityJson } from "../../common/segment-identity.ts";
import { DestinationConfig } from "../destination-config.ts";

/** What the edge and its upload worker say to each other; both are the same binary, so there are no versions. */

const RequestId = v.number();

/** What a worker needs to know for every request. Secrets are not in it: it reads them where the config says. */
const place = {
  destination: DestinationConfig,
  /** For what lives as long as the machine is up. */
  run_folder: v.string(),
};

export const WorkerRequest = v.variant("kind", [
  v.object({
    kind: v.literal("put"),
    id: RequestId,
    ...place,
    source_path: v.string(),
    tables_path: v.nullable(v.string()),
    identity: SegmentIdentityJson,
    spool_checksum: v.nullable(v.string()),
    expected_archive_id: v.nullable(v.string()),
    /** How fast the bytes may go out; null: as fast as they can. */
    max_bytes_per_second: v.nullable(v.number()),
  }),
  v.object({ kind: v.literal("check"), id: RequestId, ...place }),
  v.object({
    kind: v.literal("try_writing"),
    id: RequestId,
    ...place,
    expected_archive_id: v.nullable(v.string()),
  }),
  /** Give back what the destination holds, before the end of everything: its mount. */
  v.object({ kind: v.literal("close"), id: RequestId, ...place }),
  v.object({ kind: v.literal("cancel"), id: RequestId }),
]);
export type WorkerRequest = v.InferInput<typeof WorkerRequest>;

const PutResultJson = v.object({
  archiveId: v.string(),
  filePath: v.string(),
  fileSizeBytes: v.number(),
  fileSha256: v.string(),
  alreadyThere: v.boolean(),
  /** As {@link SegmentIdentityJson}. */
  identity: v.optional(v.unknown()),
});

const ConnectionCheckJson = v.variant("ok", [
  v.object({ ok: v.literal(true), archiveId: v.string(), freeBytes: v.optional(v.number()) }),
  v.object({ ok: v.literal(false), reason: v.string() }),
]);

export const WorkerAnswer = v.variant("kind", [
  v.object({ kind: v.literal("progress"), id: RequestId, written: v.number(), total: v.number() }),
  v.object({ kind: v.literal("put"), id: RequestId, result: PutResultJson }),
  v.object({ kind: v.literal("check"), id: RequestId, result: ConnectionCheckJson }),
  v.object({ kind: v.literal("written"), id: RequestId }),
  v.object({ kind: v.literal("closed"), id: RequestId }),
  v.object({
    kind: v.literal("failed"),
    id: RequestId,
    code: v.picklist(Object.keys(httpStatusOf) as ErrorCode[]),
    message: v.string(),
    details: v.record(v.string(), v.unknown()),
  }),
]);
export type WorkerAnswer = v.InferOutput<typeof WorkerAnswer>;
