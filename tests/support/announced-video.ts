import type * as v from "valibot";
import { archivePathOf } from "../../src/common/archive-path.ts";
import type { AnnouncedVideo } from "../../src/common/protocol/announce.ts";
import { formatSegmentIdentity } from "../../src/common/segment-identity.ts";
import { sampleStart } from "./sample-recording.ts";

/** As an edge would announce its segment number `sequence`. */
export function announcedVideo(sequence = 0): v.InferInput<typeof AnnouncedVideo> {
  const start = sampleStart({ sequence });
  const identity = { ...start, endTimeMs: start.startTimeMs + 2000, durationMs: 2000, fps: 10 };
  return {
    ...formatSegmentIdentity({ ...identity, recordedSha256: "ab".repeat(32) }),
    file_path: archivePathOf(identity),
    file_size: 54_000,
    file_sha256: "cd".repeat(32),
  };
}
