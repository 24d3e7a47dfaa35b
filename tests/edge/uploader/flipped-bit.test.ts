import { expect, test } from "bun:test";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemClock } from "../../../src/common/clock.ts";
import { createLogger } from "../../../src/common/log.ts";
import { PathDestination } from "../../../src/edge/uploader/path-destination.ts";
import { Uploader } from "../../../src/edge/uploader/uploader.ts";
import { makeArchive, testArchiveId } from "../../contract/archive-destination.contract.ts";
import { recordSample, temporaryFolder } from "../../support/sample-recording.ts";
import { openTestSpool } from "../../support/test-spool.ts";

/** The record as an edge before the fast checksum wrote it. */
async function forgetChecksum(videoPath: string): Promise<void> {
  const path = join(dirname(videoPath), "segment.json");
  const { spool_checksum, ...older } = JSON.parse(await readFile(path, "utf8"));
  expect(spool_checksum).toMatch(/^[0-9a-f]{16}$/);
  await writeFile(path, JSON.stringify(older));
}

async function flipBit(path: string, at: number, bit: number): Promise<void> {
  const bytes = await readFile(path);
  const offset = at < 0 ? bytes.length + at : at;
  bytes[offset]! ^= 1 << bit;
  await writeFile(path, bytes);
}

/** In the init segment, in the first fragment's headers and media, in the middle, at the very end. */
const places: [at: number, bit: number][] = [
  [30, 0],
  [900, 3],
  [3000, 7],
  [10_000, 1],
  [-4000, 5],
  [-1, 0],
];

test.each(["a checksum", "only its hash"])(
  "of segments with %s, none with a bit that changed after it was recorded gets its name in the archive",
  async (by) => {
    await using folder = await temporaryFolder();
    const archive = join(folder.path, "archive");
    await makeArchive(archive);
    using spool = await openTestSpool(join(folder.path, "spool"));
    const damaged = new Set<string>();
    for (let sequence = 0; sequence <= places.length; sequence++) {
      const { start, path } = await recordSample(spool.sink, { sequence });
      if (by === "only its hash") await forgetChecksum(path);
      const place = places[sequence];
      if (!place) continue;
      await flipBit(path, ...place);
      damaged.add(start.videoId);
    }
    const uploader = new Uploader({
      queue: spool.uploads,
      destination: new PathDestination({ path: archive }),
      order: "oldest_first",
      expectedArchiveId: () => testArchiveId,
      clock: systemClock,
      logger: createLogger("uploader"),
    });
    const controller = new AbortController();
    const running = uploader.run(controller.signal);
    // The whole one is the last: when it is there, the others had their turn.
    while (spool.uploads.waiting().length > 0) await Bun.sleep(5);
    controller.abort();
    await running;
    const files = (await readdir(archive, { recursive: true })).filter((name) =>
      /\.(mp4|partial)$/.test(name),
    );
    expect(files).toEqual(["cam01/2025-09-23/cam01_20250923_163000.mp4"]);
    expect(new Set(await damagedIn(join(folder.path, "spool")))).toEqual(damaged);
    expect(spool.status()).toMatchObject({ quarantined_segments: places.length, lost_segments: 0 });
  },
);

async function damagedIn(spool: string): Promise<string[]> {
  return (await readdir(join(spool, "quarantine"))).map((name) => name.slice(-36));
}
