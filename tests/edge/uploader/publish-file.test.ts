import { expect, test } from "bun:test";
import { link, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { publishFile } from "../../../src/edge/uploader/publish-file.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";

async function setUp() {
  const folder = await temporaryFolder();
  const partial = join(folder.path, ".a.partial");
  const final = join(folder.path, "a.mp4");
  await writeFile(partial, "new");
  return { folder, partial, final, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const systemError = (code: string) => Object.assign(new Error(code), { code });
const refuse = (code: string) => () => Promise.reject(systemError(code));

test("moves the file", async () => {
  await using at = await setUp();
  expect(await publishFile(at.partial, at.final)).toBe("published");
  expect(await readdir(at.folder.path)).toEqual(["a.mp4"]);
  expect(await readFile(at.final, "utf8")).toBe("new");
});

test.each(["EPERM", "EOPNOTSUPP", "ENOSYS", "EXDEV"])("renames where hard links answer %s", async (code) => {
  await using at = await setUp();
  expect(await publishFile(at.partial, at.final, { link: refuse(code), rename })).toBe("published");
  expect(await readdir(at.folder.path)).toEqual(["a.mp4"]);
});

test.each([
  ["by links", { link, rename }],
  ["by renames", { link: refuse("EPERM"), rename }],
])("replaces nothing %s", async (_how, calls) => {
  await using at = await setUp();
  await writeFile(at.final, "old");
  expect(await publishFile(at.partial, at.final, calls)).toBe("taken");
  expect(await readFile(at.final, "utf8")).toBe("old");
  expect(await readFile(at.partial, "utf8")).toBe("new");
});

/** NFS sends a call again when the answer was lost; the second finds the work of the first. */
test.each([
  ["a link that happened and answers EEXIST", (calls: string) => ({ link: afterwards(link, calls), rename })],
  ["a link that happened and answers EIO", () => ({ link: afterwards(link, "EIO"), rename })],
  [
    "a rename that happened and answers ENOENT",
    () => ({ link: refuse("EPERM"), rename: afterwards(rename, "ENOENT") }),
  ],
])("takes %s for what it is", async (_what, calls) => {
  await using at = await setUp();
  expect(await publishFile(at.partial, at.final, calls("EEXIST"))).toBe("published");
  expect(await readdir(at.folder.path)).toEqual(["a.mp4"]);
});

test.each([
  ["link", { link: refuse("EIO"), rename }],
  ["rename", { link: refuse("EPERM"), rename: refuse("EIO") }],
])("tells of a %s that failed", async (_what, calls) => {
  await using at = await setUp();
  await expect(publishFile(at.partial, at.final, calls)).rejects.toMatchObject({ code: "EIO" });
  expect(await readdir(at.folder.path)).toEqual([".a.partial"]);
});

function afterwards(call: (from: string, to: string) => Promise<void>, code: string) {
  return async (from: string, to: string) => {
    await call(from, to);
    throw systemError(code);
  };
}
