import { expect, test } from "bun:test";
import { makeZip } from "client-zip";
import fc from "fast-check";
import { fromRandomAccessReaderPromise, RandomAccessReader } from "yauzl";
import { zipLength, zipOf } from "../../../src/hub/export/zip-format.ts";

const modifiedAt = new Date(2025, 8, 23, 12, 30, 59);

interface Source {
  name: string;
  input: string | readonly Uint8Array[];
}

async function* blocksOf(input: Source["input"]) {
  yield* typeof input === "string" ? [Buffer.from(input)] : input;
}

async function* sourcesOf(files: readonly Source[]) {
  for (const { name, input } of files) {
    yield { name, modifiedAt, input: typeof input === "string" ? input : blocksOf(input) };
  }
}

const sizeOf = ({ input }: Source) =>
  typeof input === "string" ? Buffer.byteLength(input) : input.reduce((sum, { length }) => sum + length, 0);

test("the same bytes as another writer's, and the length that was said before", async () => {
  const block = fc.uint8Array({ maxLength: 300 });
  const file: fc.Arbitrary<Source> = fc.record({
    name: fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).map((name) => `a/${name}.mp4`),
    input: fc.oneof(fc.string({ unit: "grapheme" }), fc.array(block, { maxLength: 4 })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(file, { maxLength: 5 }), async (files) => {
      const own = Buffer.concat(await Array.fromAsync(zipOf(sourcesOf(files))));
      const theirs = files.map(({ name, input }) => ({
        ...{ name, lastModified: modifiedAt },
        input: typeof input === "string" ? input : blocksOf(input),
      }));
      expect(own).toEqual(Buffer.from(await new Response(makeZip(theirs)).arrayBuffer()));
      expect(zipLength(files.map((each) => ({ name: each.name, sizeBytes: sizeOf(each) })))).toBe(own.length);
    }),
    { numRuns: 200 },
  );
});

/** A ZIP of gigabytes: what is around the content, and zeros in its place. */
class HollowZip extends RandomAccessReader {
  readonly #pieces: { at: number; bytes: Buffer }[] = [];
  sizeBytes = 0;

  add(chunk: Uint8Array, isContent: boolean): void {
    if (!isContent) this.#pieces.push({ at: this.sizeBytes, bytes: Buffer.from(chunk) });
    this.sizeBytes += chunk.length;
  }

  override read(target: Buffer, offset: number, length: number, position: number, done: (e: null) => void) {
    target.fill(0, offset, offset + length);
    for (const { at, bytes } of this.#pieces) {
      const from = Math.max(at, position);
      const to = Math.min(at + bytes.length, position + length);
      if (from < to) bytes.copy(target, offset + from - position, from - at, to - at);
    }
    done(null);
  }
}

test("files and places beyond 4 GiB are found by another reader", async () => {
  const zeros = new Uint8Array(16 * 1024 * 1024);
  const edge = 2 ** 32;
  const sizes = { "before.mp4": 100, "just-below.mp4": edge - 2, "at.mp4": edge - 1, "above.mp4": edge + 7 };
  async function* content(sizeBytes: number) {
    for (let left = sizeBytes; left > 0; left -= zeros.length) yield zeros.subarray(0, left);
  }
  async function* sources() {
    for (const [name, sizeBytes] of Object.entries(sizes))
      yield { name, modifiedAt, input: content(sizeBytes) };
    yield { name: "after.txt", modifiedAt, input: "after" };
  }
  const hollow = new HollowZip();
  for await (const chunk of zipOf(sources())) hollow.add(chunk, chunk.buffer === zeros.buffer);
  const files = Object.entries(sizes).map(([name, sizeBytes]) => ({ name, sizeBytes }));
  expect(zipLength([...files, { name: "after.txt", sizeBytes: 5 }])).toBe(hollow.sizeBytes);

  const zip = await fromRandomAccessReaderPromise(hollow, hollow.sizeBytes, {
    ...{ lazyEntries: true, autoClose: false },
  });
  const found: [string, number][] = [];
  let lastStart = 0;
  for await (const entry of zip.eachEntry()) {
    found.push([entry.fileName, entry.uncompressedSize]);
    // Throws where its place is not that of a file.
    lastStart = (await zip.readLocalFileHeaderPromise(entry)).fileDataStart;
  }
  expect(found).toEqual([...Object.entries(sizes), ["after.txt", 5]]);
  const text = Buffer.alloc(5);
  hollow.read(text, 0, 5, lastStart, () => undefined);
  expect(text.toString()).toBe("after");
});
