import { expect } from "bun:test";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { FakeClock } from "../../support/fake-clock.ts";
import { canLoop, LoopDisk } from "../../support/loop-disk.ts";
import { sampleStartMs } from "../../support/sample-recording.ts";
import { ffmpeg } from "../../support/source-files.ts";
import {
  type FedSegment,
  type FoundVideo,
  fragmentMs,
  makeFeedMedia,
  SpoolFeed,
  videosInSpool,
} from "../../support/spool-feed.ts";
import { testIf } from "../../support/test-if.ts";
import { openLoadedSpool, openTestSpool } from "../../support/test-spool.ts";

/** LIVECAM_POWER_CUTS=200 for the long run. */
const cuts = Number(process.env.LIVECAM_POWER_CUTS ?? 10);
const fsyncIntervalMs = 2000;
const perInterval = fsyncIntervalMs / fragmentMs;

testIf(canLoop, "needs root, loop devices and mkfs.ext4")(
  `the power is cut ${cuts} times at random moments: all but the last seconds is there, and nothing needs a human`,
  async () => {
    const media = await makeFeedMedia();
    const ends = endsOf(media);
    const whole = Buffer.concat([media.init, ...media.fragments]);
    await using disk = await LoopDisk.create(16 * 1024 * 1024);
    // Time is the media's, so that the figures do not depend on the machine that runs this.
    const clock = new FakeClock(sampleStartMs);
    const root = join(disk.path, "spool");
    using spool = await openTestSpool(root, { clock, fsyncIntervalMs, maxAcknowledgedBytes: whole.length });
    await spool.load(new AbortController().signal);
    const feed = new SpoolFeed(media);
    const stop = new AbortController();
    const feeding = feed.run(spool, clock, 20, stop.signal);
    const lost: number[] = [];
    let torn = 0;

    for (let cut = 0; cut < cuts; cut++) {
      await Promise.race([Bun.sleep(20 + Math.random() * 400), feeding]);
      let known: FedSegment[] = [];
      const paused = Promise.withResolvers<void>();
      await using after = await disk.cutPower({
        onCut: () => {
          known = structuredClone(feed.segments);
        },
        onRestless: () => {
          feed.pause = paused.promise;
        },
      });
      feed.pause = undefined;
      paused.resolve();
      const evicting = new Set(feed.segments.filter((s) => s.evictionBegun).map((s) => s.videoId));
      const copy = join(after.path, "spool");
      const before = await videosInSpool(copy);
      // A recovery that is cut as well must come to the same end.
      const recovery = openLoadedSpool(copy);
      await using again = cut % 3 === 0 ? await after.cutPower() : undefined;
      (await recovery)[Symbol.dispose]();
      const found = await videosInSpool(copy);

      const byId = Map.groupBy(found, ({ videoId }) => videoId);
      expect(found.map(({ state }) => state)).not.toContain("recording");
      expect(found.map(({ state }) => state)).not.toContain("quarantine");
      for (const video of found) {
        expect(byId.get(video.videoId)).toHaveLength(1);
        expectPrefixOf(whole, ends, video);
      }
      for (const segment of known) {
        const [video] = byId.get(segment.videoId) ?? [];
        if (segment.closed) {
          if (evicting.has(segment.videoId)) continue;
          expect(video?.bytes.length).toBe(whole.length);
          if (segment.archived) expect(video?.state).toBeOneOf(["archived", "acknowledged"]);
          continue;
        }
        const kept = video ? ends.indexOf(video.bytes.length) : 0;
        lost.push(Math.max(0, segment.appended - kept) * fragmentMs);
        // An append waits for the sync before the last, however slow the disk is.
        const durable = perInterval * (Math.floor(segment.appended / perInterval) - 1);
        expect(kept).toBeGreaterThanOrEqual(durable);
        if (video) expect(await framesIn(video.bytes)).toBe(kept * 4);
      }
      const open = before.find(({ state }) => state === "recording");
      if (open && !ends.includes(open.bytes.length)) torn++;

      (await openLoadedSpool(copy))[Symbol.dispose]();
      expect(await videosInSpool(copy)).toEqual(found);
      if (again) {
        const cutAgain = join(again.path, "spool");
        (await openLoadedSpool(cutAgain))[Symbol.dispose]();
        expect((await videosInSpool(cutAgain)).map(contentOf)).toEqual(found.map(contentOf));
      }
    }
    stop.abort();
    await feeding;
    lost.sort((a, b) => a - b);
    const median = lost[Math.floor(lost.length / 2)] ?? 0;
    const beyond = lost.filter((ms) => ms > fsyncIntervalMs + fragmentMs).length;
    console.log(
      `${cuts} power cuts over ${feed.segments.length} segments, ${lost.length} in an open one: lost ` +
        `${median} ms in the median, ${lost.at(-1) ?? 0} ms at most, more than the promised ` +
        `${fsyncIntervalMs + fragmentMs} ms ${beyond} times; ${torn} torn tails`,
    );
    expect(median).toBeLessThanOrEqual(fsyncIntervalMs + fragmentMs);
  },
  60_000 + cuts * 5000,
);

/** Byte at which the file ends that holds so many fragments; the index is their number. */
function endsOf({ init, fragments }: { init: Uint8Array; fragments: Uint8Array[] }): number[] {
  const ends = [init.length];
  for (const fragment of fragments) ends.push((ends.at(-1) ?? 0) + fragment.length);
  return ends;
}

function expectPrefixOf(whole: Uint8Array, ends: readonly number[], { bytes, record }: FoundVideo): void {
  expect(ends).toContain(bytes.length);
  expect(Buffer.compare(bytes, whole.subarray(0, bytes.length))).toBe(0);
  expect(JSON.parse(record)).toMatchObject({ size_bytes: bytes.length, recorded_sha256: sha256(bytes) });
}

/** What a recovery that was interrupted has to come to as well; a record rebuilt twice has another run id. */
function contentOf({ state, videoId, bytes }: FoundVideo): string {
  return `${state} ${videoId} ${bytes.length} ${sha256(bytes)}`;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** How many frames ffmpeg shows of it; anything broken in it is an error. */
async function framesIn(bytes: Uint8Array): Promise<number> {
  const output = ["-vsync", "passthrough", "-f", "framemd5", "pipe:1"];
  const text = new TextDecoder().decode(await ffmpeg(["-xerror", "-i", "pipe:0", ...output], bytes));
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
}
