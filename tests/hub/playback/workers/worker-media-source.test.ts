import { expect, test } from "bun:test";
import { AppError } from "../../../../src/common/errors.ts";
import { createLogger } from "../../../../src/common/log.ts";
import { createWorkerMediaSource } from "../../../../src/hub/playback/workers/worker-media-source.ts";

function setUp() {
  let nowMs = 0;
  let isThere = true;
  const asked: string[] = [];
  const gone = new AppError("not_found", "gone");
  let tag = "first";
  const workers = {
    async ask(operation: string) {
      asked.push(operation);
      if (!isThere) throw gone;
      return 5_000_000 as never;
    },
    async fill({ range }: { range: { start: number; end: number } }) {
      if (!isThere) throw gone;
      const bytes = new Uint8Array(range.end - range.start).fill(range.start % 251);
      return { length: bytes.length, tag, take: () => bytes };
    },
  };
  const media = createWorkerMediaSource({
    ...{ workers, archiveId: () => undefined, clock: { monotonicMs: () => nowMs } },
    logger: createLogger("test"),
  });
  return {
    ...{ media, asked },
    pass: (ms: number) => {
      nowMs += ms;
    },
    remove: () => {
      isThere = false;
    },
    replace: () => {
      tag = "second";
    },
  };
}
const part = { start: 0, end: 1_000 };

test("a file's size is asked for once a second", async () => {
  const { media, asked, pass } = setUp();
  for (let i = 0; i < 10; i++) expect(await media.sizeOf("a")).toBe(5_000_000);
  expect(asked).toEqual(["size"]);
  await media.sizeOf("b");
  pass(1_000);
  await media.sizeOf("a");
  expect(asked).toEqual(["size", "size", "size"]);
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

test("a file that is replaced while it is read is corrupt", async () => {
  const { media, replace } = setUp();
  const file = await media.open("a");
  const body = await media.body("a", { start: 0, end: 4_000_000 });
  replace();
  await expect(file.readInto(new Uint8Array(1), 0)).rejects.toMatchObject({ code: "corrupt_file" });
  await expect(new Response(body).bytes()).rejects.toMatchObject({ code: "corrupt_file" });
});

test("what is remembered is bounded", async () => {
  const { media, asked } = setUp();
  for (let i = 0; i < 1_001; i++) await media.sizeOf(`file-${i}`);
  await media.sizeOf("file-1000");
  expect(asked.length).toBe(1_001);
  await media.sizeOf("file-0");
  expect(asked.length).toBe(1_002);
});
