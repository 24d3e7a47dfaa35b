import { join } from "node:path";
import * as v from "valibot";
import { writeFileAtomic } from "../../common/atomic-file.ts";
import { CameraId } from "../../common/ids.ts";
import { GapCause } from "../../common/protocol/gap.ts";
import { formatWireTime, WireTime } from "../../common/protocol/wire.ts";
import { readJson } from "./segment-record.ts";

const file = "recorded.json";

const RecordedStateJson = v.object({
  cameras: v.record(
    CameraId,
    v.object({
      /** Everything before is in segments or in gaps. */
      accounted_until: WireTime,
      /** Why nothing is recorded since; null while something is. */
      missing_for: v.nullable(GapCause),
    }),
  ),
});

/** Of one camera: up to when everything is in segments or in gaps, and why nothing is recorded since, if nothing is. */
export interface Accounted {
  untilMs: number;
  missingFor: GapCause | undefined;
}

/** `recorded.json`, what the next process compares its first segment with. Undefined: not there, or not to be believed. */
export async function readRecordedState(root: string): Promise<Map<string, Accounted> | undefined> {
  const parsed = v.safeParse(RecordedStateJson, await readJson(join(root, file)));
  if (!parsed.success) return undefined;
  return new Map(
    Object.entries(parsed.output.cameras).map(([cameraId, { accounted_until, missing_for }]) => [
      cameraId,
      { untilMs: accounted_until, missingFor: missing_for ?? undefined },
    ]),
  );
}

export async function writeRecordedState(root: string, state: ReadonlyMap<string, Accounted>): Promise<void> {
  const json: v.InferInput<typeof RecordedStateJson> = {
    cameras: Object.fromEntries(
      [...state].map(([cameraId, { untilMs, missingFor }]) => [
        cameraId,
        { accounted_until: formatWireTime(untilMs), missing_for: missingFor ?? null },
      ]),
    ),
  };
  await writeFileAtomic(join(root, file), JSON.stringify(json, null, 1));
}
