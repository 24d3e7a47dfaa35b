import type { AnnouncedVideo, AnnounceResult } from "../../common/protocol/announce.ts";
import { identityOf } from "../../common/segment-identity.ts";
import type { Catalog, NewVideo } from "../db/catalog.ts";

/** Puts announced segments into the catalog; one result per video, in the order given. */
export async function announceVideos(
  catalog: Pick<Catalog, "saveVideos">,
  videos: readonly AnnouncedVideo[],
  nowMs: number,
): Promise<AnnounceResult[]> {
  const results = await catalog.saveVideos(videos.map(newVideoOf), nowMs);
  return results.map((saved, i) => {
    const { video_id = "", file_sha256 = "" } = videos[i] ?? {};
    if (saved.result !== "conflict") return { video_id, result: saved.result };
    return {
      video_id,
      result: "conflict",
      announced_sha256: file_sha256,
      known_sha256: saved.knownSha256,
      detail: saved.detail,
    };
  });
}

function newVideoOf(video: AnnouncedVideo): NewVideo {
  return {
    ...identityOf(video),
    filePath: video.file_path,
    fileSizeBytes: video.file_size,
    fileSha256: video.file_sha256,
  };
}
