import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { writeBox } from "../../../src/common/mp4/box-writer.ts";
import type { SampleTable } from "../../../src/common/mp4/sample-table.ts";
import { scanSegmentFile } from "../../../src/common/mp4/segment-scan.ts";
import {
  indexOf,
  recipes,
  recordStream,
  run,
  type SplitStream,
  splitStream,
  spoolBytes,
} from "./sample-streams.ts";

let folder: string;
let path: string;
let stream: SplitStream;
let recorded: Uint8Array;
/** Ends of the init segment and of each fragment. */
let ends: number[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "livecam-scan-"));
  path = join(folder, "segment.mp4");
  stream = splitStream(await recordStream(folder, recipes["H.264 with B-frames and AAC"]!));
  // From the second fragment on: a segment from the middle of a run.
  stream.fragments.shift();
  recorded = spoolBytes(stream.init, stream.fragments);
  let end = stream.init.bytes.length;
  ends = [end, ...stream.fragments.map((fragment) => (end += fragment.sizeBytes))];
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a whole file gives the same index as its fragments in memory", async () => {
  await writeFile(path, recorded);
  const scan = await scanSegmentFile(path);
  expect(scan).toMatchObject({
    ...{ fragmentCount: 3, wholeBytes: recorded.length, tornBytes: 0, durationMs: 3000, fps: 30 },
    ...{ firstDecodeTime: 90_000, endDecodeTime: 360_000 },
  });
  expect(scan.tornReason).toBeUndefined();
  // The first picture is shown one frame after it is decoded.
  expect(scan.startTicks).toBe(93_000);
  const inMemory = indexOf(stream.init, stream.fragments);
  expect(JSON.stringify(scan.index.tables.map(tableContent))).toBe(
    JSON.stringify(inMemory.tables.map(tableContent)),
  );
});

function tableContent(table: SampleTable) {
  const { sizes, durations, compositionOffsets, sync, chunkOffsets, chunkSampleCounts } = table;
  return [sizes, durations, compositionOffsets, sync, chunkOffsets, chunkSampleCounts].map((list) => [
    ...list.view(),
  ]);
}

/** What must be found of a file that ends at `length`. */
function expectedAt(length: number) {
  const whole = ends.filter((end) => end <= length);
  return { fragmentCount: whole.length - 1, wholeBytes: whole.at(-1)!, tornBytes: length - whole.at(-1)! };
}

test("a file that ends anywhere gives its whole fragments, or says that there is none", async () => {
  const boundary = fc.constantFrom(...ends).chain((end) => fc.integer({ min: end - 24, max: end + 24 }));
  const lengths = fc.oneof(boundary, fc.nat(recorded.length));
  await fc.assert(
    fc.asyncProperty(lengths, async (wanted) => {
      const length = Math.min(wanted, recorded.length);
      await writeFile(path, recorded.subarray(0, length));
      if (length < ends[0]!) {
        await expect(scanSegmentFile(path)).rejects.toMatchObject({ code: "corrupt_file" });
        return;
      }
      const scan = await scanSegmentFile(path);
      expect(scan).toMatchObject(expectedAt(length));
      expect(scan.tornReason === undefined).toBe(scan.tornBytes === 0);
    }),
    { numRuns: 150 },
  );
});

test("a file whose end was never written, only counted, loses that end", async () => {
  for (const zeros of [400, 5000, stream.fragments.at(-1)!.sizeBytes]) {
    const bytes = Uint8Array.from(recorded);
    bytes.fill(0, bytes.length - zeros);
    await writeFile(path, bytes);
    expect(await scanSegmentFile(path)).toMatchObject({ fragmentCount: 2, wholeBytes: ends[2]! });
  }
  await writeFile(path, recorded);
  await truncate(path, recorded.length + 100_000);
  expect(await scanSegmentFile(path)).toMatchObject({ fragmentCount: 3, tornBytes: 100_000 });
});

test("a picture whose end was never written is found without sound after it", async () => {
  const silent = splitStream(await recordStream(folder, recipes["H.264 baseline"]!));
  const whole = spoolBytes(silent.init, silent.fragments);
  for (const zeros of [0, 100, 3000]) {
    const bytes = Uint8Array.from(whole);
    bytes.fill(0, bytes.length - zeros);
    await writeFile(path, bytes);
    const { fragmentCount } = await scanSegmentFile(path);
    expect(fragmentCount).toBe(silent.fragments.length - (zeros > 0 ? 1 : 0));
  }
});

test("without a look at the samples, only the boxes count", async () => {
  const bytes = Uint8Array.from(recorded);
  bytes.fill(0, bytes.length - 5000);
  await writeFile(path, bytes);
  expect((await scanSegmentFile(path, { checkTailBytes: 0 })).fragmentCount).toBe(3);
});

test("a fragment that goes back in time ends the segment", async () => {
  await writeFile(path, Buffer.concat([recorded, stream.fragments[0]!.bytes]));
  const scan = await scanSegmentFile(path);
  expect(scan).toMatchObject({ fragmentCount: 3, tornReason: expect.stringContaining("goes back") });
});

test("a box that does not belong ends the segment", async () => {
  await writeFile(path, Buffer.concat([recorded, writeBox("mfra", new Uint8Array(100))]));
  expect(await scanSegmentFile(path)).toMatchObject({ fragmentCount: 3, tornBytes: 108 });
});

test("what is no segment at all is refused", async () => {
  const refused = async (bytes: Uint8Array) => {
    await writeFile(path, bytes);
    await expect(scanSegmentFile(path)).rejects.toMatchObject({ code: "corrupt_file" });
  };
  await refused(new Uint8Array(0));
  await refused(new TextEncoder().encode("a text that is no video"));
  await refused(new Uint8Array(100_000));
  await refused(crypto.getRandomValues(new Uint8Array(60_000)));
  await refused(stream.fragments[0]!.bytes);

  await expect(scanSegmentFile(join(folder, "none"))).rejects.toMatchObject({ code: "not_found" });
  await expect(scanSegmentFile(folder)).rejects.toMatchObject({ code: "invalid_input" });
  const fifo = join(folder, "fifo.mp4");
  await run(["mkfifo", fifo]);
  await expect(scanSegmentFile(fifo)).rejects.toMatchObject({ code: "invalid_input" });
  await mkdir(join(folder, "folder.mp4"));
  await expect(scanSegmentFile(join(folder, "folder.mp4"))).rejects.toMatchObject({ code: "invalid_input" });
});
