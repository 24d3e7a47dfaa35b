import * as v from "valibot";
import { AppError } from "../../common/errors.ts";
import type { FragmentRange } from "../../common/mp4/archive-file.ts";
import { type IndexedFragment, SegmentIndexPage } from "../../common/protocol/footage.ts";
import type { EdgeFile } from "./edge-footage.ts";

/** An hour with a keyframe every tenth of a second has 36,000. */
const maxFragments = 100_000;
/** The longest init segment and the longest fragment that livecam records, and the longest segment in seconds. */
const maxInitBytes = 16 * 1024 * 1024;
const maxFragmentBytes = 72 * 1024 * 1024;
const maxSeconds = 2 * 3_600;

/**
 * The index of a segment, asked for page by page. Throws what `ask` throws, and `unavailable` for answers that cannot be:
 * of another segment or camera, absurd sizes, pages that do not fit together.
 */
export async function readSegmentIndex(
  { nodeId, cameraId, videoId }: { nodeId: string; cameraId: string; videoId: string },
  ask: (firstFragment: number) => Promise<unknown>,
): Promise<EdgeFile> {
  const refuse = (what: string) =>
    new AppError("unavailable", `node ${nodeId} answers in another way than it should: ${what}`);
  const fragments: FragmentRange[] = [];
  let facts: Pick<EdgeFile, "initSizeBytes" | "timescale"> | undefined;
  let offset = 0;
  let ticks = 0;
  for (;;) {
    const parsed = v.safeParse(SegmentIndexPage, await ask(fragments.length));
    if (!parsed.success) {
      const [issue] = parsed.issues;
      throw refuse(`${v.getDotPath(issue) ?? "the index"}: ${issue.message}`);
    }
    const page = parsed.output;
    if (page.video_id !== videoId || page.camera_id !== cameraId)
      throw refuse("the index of another segment");
    if (page.init_size_bytes > maxInitBytes) throw refuse("a header of an impossible size");
    if (page.fragment_count > maxFragments) throw refuse("too many fragments");
    if (!facts) {
      facts = { initSizeBytes: page.init_size_bytes, timescale: page.timescale };
      offset = page.init_size_bytes;
      ticks = page.start_ticks;
    } else if (facts.initSizeBytes !== page.init_size_bytes || facts.timescale !== page.timescale) {
      throw refuse("pages that do not fit together");
    }
    const firstTicks = fragments[0]?.startTicks ?? ticks;
    for (const told of page.fragments) {
      const fragment = fragmentOf(told, offset, ticks);
      fragments.push(fragment);
      offset += fragment.sizeBytes;
      ticks += fragment.durationTicks;
      if (fragment.sizeBytes > maxFragmentBytes) throw refuse("a fragment of an impossible size");
    }
    if (!Number.isSafeInteger(ticks) || ticks - firstTicks > maxSeconds * page.timescale) {
      throw refuse("a segment of an impossible length");
    }
    if (fragments.length >= page.fragment_count) {
      if (fragments.length > page.fragment_count) throw refuse("more fragments than there are");
      return {
        videoId,
        cameraId,
        nodeId,
        isComplete: page.is_complete,
        sizeBytes: offset,
        ...facts,
        fragments,
      };
    }
    if (page.fragments.length === 0) throw refuse("a page without fragments that is not the last");
  }
}

function fragmentOf(
  [sizeBytes, durationTicks, begins]: IndexedFragment,
  offset: number,
  startTicks: number,
): FragmentRange {
  return {
    ...{ offset, sizeBytes, startTicks, durationTicks },
    startsWithKeyframe: begins !== "none",
    closed: begins === "closed",
  };
}
