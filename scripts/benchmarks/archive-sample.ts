import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { archivePathOf } from "../../src/common/archive-path.ts";
import { planArchiveFile } from "../../src/common/mp4/archive-file.ts";
import { scanSegmentFile } from "../../src/common/mp4/segment-scan.ts";
import { type AnnounceRequest, AnnounceResponse } from "../../src/common/protocol/announce.ts";
import { formatSegmentIdentity } from "../../src/common/segment-identity.ts";
import type { RunningHub } from "./livecam-programs.ts";
import type { SampleSegment } from "./sample-segment.ts";

export interface ArchivedSample {
  videoId: string;
  /** Relative to the archive. */
  filePath: string;
  fileSizeBytes: number;
}

/** Puts a segment into the archive by the shortest way and announces it to the hub. */
export async function archiveSample(
  segment: Pick<SampleSegment, "path" | "identity">,
  archiveDir: string,
  hub: RunningHub,
): Promise<ArchivedSample> {
  const { identity } = segment;
  const { init, index, wholeBytes } = await scanSegmentFile(segment.path);
  const layout = planArchiveFile({ index, identity });
  const filePath = archivePathOf(identity);
  const path = join(archiveDir, filePath);
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "w");
  const hash = new Bun.CryptoHasher("sha256");
  const write = async (bytes: Uint8Array) => {
    hash.update(bytes);
    await file.writeFile(bytes);
  };
  try {
    for (const part of [layout.front, layout.initBytes, layout.sidx]) await write(part);
    for await (const chunk of Bun.file(segment.path).slice(init.bytes.length, wholeBytes).stream())
      await write(chunk);
  } finally {
    await file.close();
  }

  const fileSizeBytes = Bun.file(path).size;
  const request: AnnounceRequest = {
    protocol_version: 1,
    videos: [
      {
        ...formatSegmentIdentity(identity),
        file_path: filePath,
        file_size: fileSizeBytes,
        file_sha256: hash.digest("hex"),
      },
    ],
  };
  const response = await fetch(`${hub.url}/api/videos/announce`, {
    method: "POST",
    headers: { authorization: `Bearer ${hub.nodeKey}`, "content-type": "application/json" },
    body: JSON.stringify(request),
  });
  const { results } = v.parse(AnnounceResponse, await response.json());
  if (results[0]?.result !== "stored")
    throw new Error(`the hub did not take the video: ${JSON.stringify(results)}`);
  return { videoId: identity.videoId, filePath, fileSizeBytes };
}
