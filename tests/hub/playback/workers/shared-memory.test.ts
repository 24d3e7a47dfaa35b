import { expect, test } from "bun:test";
import { readlink } from "node:fs/promises";
import {
  openSharedMemory,
  SharedMemory,
  windowBytes,
  windowOf,
} from "../../../../src/hub/playback/workers/shared-memory.ts";

/** The other end, as a worker has it. */
function setUp() {
  using shared = SharedMemory.create();
  const worker = openSharedMemory(shared.path);
  const { memory } = shared;
  const fill = async (byte: number) => {
    const window = await memory.reserve();
    windowOf(worker, window).fill(byte);
    return memory.filled(window, windowBytes, "tag");
  };
  const reserveAll = async () => {
    const windows: number[] = [];
    for (let next = await nextOf(memory); next !== undefined; next = await nextOf(memory)) windows.push(next);
    return windows;
  };
  return { memory, fill, reserveAll };
}

/** Undefined where one has to wait. */
async function nextOf(memory: SharedMemory): Promise<number | undefined> {
  return Promise.race([memory.reserve(), Bun.sleep(50).then(() => undefined)]);
}
const isAll = (bytes: Uint8Array, byte: number) => bytes.every((one) => one === byte);

test("what the worker wrote is what the hub takes", async () => {
  const { fill } = setUp();
  for (let byte = 1; byte <= 20; byte++) {
    const filled = await fill(byte);
    expect(filled.length).toBe(windowBytes);
    expect(isAll(filled.take(), byte)).toBe(true);
  }
});

test("what nobody takes makes room, and stays what it is", async () => {
  const { fill } = setUp();
  const filled = await Promise.all(Array.from({ length: 20 }, (_, byte) => fill(byte)));
  for (const [byte, one] of filled.entries()) expect(isAll(one.take(), byte)).toBe(true);
});

test("a window is never two requests' at once, and is there again when it is given back", async () => {
  const { memory, reserveAll } = setUp();
  const windows = await reserveAll();
  expect(new Set(windows).size).toBe(windows.length);
  const [window = -1] = windows;
  // One waits already: the last `reserve` of reserveAll.
  memory.giveBack(window);
  memory.giveBack(windows[1] ?? -1);
  expect(await memory.reserve()).toBe(windows[1] ?? -1);
});

test("who waits for a window of a worker that ended is told", async () => {
  const { memory, reserveAll } = setUp();
  await reserveAll();
  const waiting = memory.reserve();
  memory.end(new Error("ended"));
  await expect(waiting).rejects.toThrow("ended");
  await expect(memory.reserve()).rejects.toThrow("ended");
});

test("it has no name, and its descriptor does not stay", async () => {
  const shared = SharedMemory.create();
  const file = await readlink(shared.path);
  expect(file).toEndWith(" (deleted)");
  shared[Symbol.dispose]();
  // Another file's by now, or nobody's.
  expect(await readlink(shared.path).catch(() => "")).not.toBe(file);
});
