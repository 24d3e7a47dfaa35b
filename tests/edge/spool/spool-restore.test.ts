import { expect, test } from "bun:test";
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Spool } from "../../../src/edge/spool/spool.ts";
import { PathDestination } from "../../../src/edge/uploader/path-destination.ts";
import { makeArchive } from "../../contract/archive-destination.contract.ts";
import { sampleRecording, sampleStart, temporaryFolder } from "../../support/sample-recording.ts";
import { openTestHub } from "../../support/test-hub.ts";
import { openLoadedSpool } from "../../support/test-spool.ts";

/** Brings all there is into the archive and the hub's catalog. */
async function deliver(spool: Spool, archive: string, hub: Awaited<ReturnType<typeof openTestHub>>) {
  const destination = new PathDestination({ path: archive });
  for (const { videoId } of spool.uploads.waiting()) {
    const segment = await spool.uploads.load(videoId);
    await spool.uploads.markArchived(
      videoId,
      await destination.put({ ...segment, expectedArchiveId: undefined }),
    );
  }
  const ids = [...spool.announcements.pending()];
  const videos = await Promise.all(ids.map((videoId) => spool.announcements.load(videoId)));
  const response = await hub.post("/api/videos/announce", { protocol_version: 1, videos }, hub.nodeKey);
  const { results } = (await response.json()) as { results: { result: string }[] };
  await spool.announcements.markAcknowledged(ids);
  return results.map(({ result }) => result);
}

test("a spool that is put back to an image of before: what was archived since is recognised, nothing is there twice", async () => {
  await using folder = await temporaryFolder();
  await using hub = await openTestHub();
  const archive = join(folder.path, "videos");
  await mkdir(archive);
  await makeArchive(archive);
  const root = join(folder.path, "spool");
  const image = join(folder.path, "image");
  const { init, fragments } = await sampleRecording();
  const close = { durationMs: 2000, fps: 10, clockState: "synced", endReason: "boundary" } as const;

  const starts = [sampleStart(), sampleStart({ sequence: 1 })] as const;
  {
    using spool = await openLoadedSpool(root);
    const one = await spool.sink.open(starts[0], init.bytes);
    for (const fragment of fragments) await one.append(fragment);
    await one.close({ ...close, endTimeMs: starts[0].startTimeMs + 2000 });
    const two = await spool.sink.open(starts[1], init.bytes);
    for (const [n, fragment] of fragments.entries()) {
      // The card is copied while the second is being recorded and the first waits.
      if (n === 3) await cp(root, image, { recursive: true });
      await two.append(fragment);
    }
    await two.close({ ...close, endTimeMs: starts[1].startTimeMs + 2000 });
    expect(await deliver(spool, archive, hub)).toEqual(["stored", "stored"]);
  }
  const before = (await readdir(archive, { recursive: true })).sort();

  await rm(root, { recursive: true });
  await cp(image, root, { recursive: true });
  for (const name of ["lock", "owner.pid"]) await rm(join(root, name), { force: true });
  {
    using spool = await openLoadedSpool(root);
    expect(spool.uploads.waiting()).toHaveLength(2);
    expect(await deliver(spool, archive, hub)).toEqual(["duplicate", "duplicate"]);
    expect(spool.status()).toMatchObject({ conflicting_segments: 0, quarantined_segments: 0 });
  }
  expect((await readdir(archive, { recursive: true })).sort()).toEqual(before);
});
