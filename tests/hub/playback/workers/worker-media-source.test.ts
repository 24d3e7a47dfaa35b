import { expect, test } from "bun:test";
import { createWorkerMediaSource } from "../../../../src/hub/playback/workers/worker-media-source.ts";

function setUp() {
  let nowMs = 0;
  let isThere = true;
  const asked: string[] = [];
  const workers = {
    ask<T>(path: string, read: (answer: Response) => Promise<T>): Promise<T> {
      const { pathname, searchParams } = new URL(path, "http://worker");
      asked.push(pathname);
      const [start = 0, end = 0] = searchParams.get("range")?.split("-").map(Number) ?? [];
      if (!isThere) return read(Response.json({ code: "not_found", message: "gone" }, { status: 500 }));
      return read(
        pathname === "/size"
          ? Response.json({ size_bytes: 5_000_000, tag: "t" })
          : new Response(new Uint8Array(Math.min(end, 5_000_000) - start)),
      );
    },
  };
  const media = createWorkerMediaSource({
    ...{ workers, archiveId: () => undefined, clock: { monotonicMs: () => nowMs } },
  });
  return {
    ...{ media, asked },
    pass: (ms: number) => {
      nowMs += ms;
    },
    remove: () => {
      isThere = false;
    },
  };
}
const part = { start: 0, end: 1_000 };

test("a file's size is asked for once a second", async () => {
  const { media, asked, pass } = setUp();
  for (let i = 0; i < 10; i++) expect(await media.sizeOf("a")).toBe(5_000_000);
  expect(asked).toEqual(["/size"]);
  await media.sizeOf("b");
  pass(1_000);
  await media.sizeOf("a");
  expect(asked).toEqual(["/size", "/size", "/size"]);
});

for (const [kind, range] of [
  ["short", part],
  ["long", { start: 0, end: 4_000_000 }],
] as const) {
  test(`a file that went is noticed by a ${kind} body, and nothing of it is remembered`, async () => {
    const { media, remove } = setUp();
    await media.sizeOf("a");
    remove();
    expect(await media.sizeOf("a")).toBe(5_000_000);
    await expect(media.body("a", range)).rejects.toMatchObject({ code: "not_found" });
    await expect(media.sizeOf("a")).rejects.toMatchObject({ code: "not_found" });
  });
}

test("a body that is cut off is corrupt", async () => {
  const { media } = setUp();
  const beyond = { start: 4_999_000, end: 5_000_001 };
  await expect(media.body("a", beyond)).rejects.toMatchObject({ code: "corrupt_file" });
  await expect(media.readRange("a", beyond)).rejects.toMatchObject({ code: "corrupt_file" });
});

test("what is remembered is bounded", async () => {
  const { media, asked } = setUp();
  for (let i = 0; i < 1_001; i++) await media.sizeOf(`file-${i}`);
  await media.sizeOf("file-1000");
  expect(asked.length).toBe(1_001);
  await media.sizeOf("file-0");
  expect(asked.length).toBe(1_002);
});
