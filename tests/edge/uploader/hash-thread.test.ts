import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { HashThread } from "../../../src/edge/uploader/hash-thread.ts";

const blockBytes = 1000;
const slots = 4;
const sha256 = (...parts: Uint8Array[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};
const block = (seed: number) => Uint8Array.from({ length: blockBytes }, (_, i) => (i * seed) % 251);

test("files one after the other, each with its own hash, in memory that is used over and over", async () => {
  using thread = new HashThread(slots * blockBytes);
  for (const count of [0, 1, slots, 200]) {
    const head = Buffer.from(`head of ${count}`);
    using hash = await thread.open([head, head]);
    const blocks = Array.from({ length: count }, (_, i) => block(i + count));
    for (const [i, bytes] of blocks.entries()) {
      await hash.untilLeft(slots - 1);
      const slot = hash.memory.subarray((i % slots) * blockBytes, ((i % slots) + 1) * blockBytes);
      slot.set(bytes);
      hash.update(slot);
    }
    expect(await hash.digest()).toBe(sha256(head, head, ...blocks));
  }
});

test("a file that is given up in its middle lets the next one begin, and one waits for the other", async () => {
  using thread = new HashThread(blockBytes);
  const first = await thread.open([]);
  let begun = false;
  const second = thread.open([Buffer.from("second")]).then((hash) => {
    begun = true;
    return hash;
  });
  first.update(first.memory);
  await first.untilLeft(0);
  expect(begun).toBe(false);
  first[Symbol.dispose]();
  using hash = await second;
  expect(await hash.digest()).toBe(sha256(Buffer.from("second")));
});

test("more blocks than there are places for are refused, not mixed up", async () => {
  using thread = new HashThread(1024 * 1024);
  using hash = await thread.open([]);
  const giveMany = () => {
    for (let i = 0; i < 100_000; i++) hash.update(hash.memory);
  };
  expect(giveMany).toThrow("more blocks");
  await hash.untilLeft(0);
});

test("a thread that fails says so to whoever waits for it, and to whoever comes later", async () => {
  using thread = new HashThread(blockBytes);
  const broken = {
    get length() {
      return 1;
    },
  } as unknown as Uint8Array;
  const hash = await thread.open([broken]);
  await expect(hash.digest()).rejects.toMatchObject({ code: "internal" });
  await expect(thread.open([])).rejects.toMatchObject({ code: "internal" });
});
