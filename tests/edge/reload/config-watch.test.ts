import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { mkdir, readFile, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Wakeup } from "../../../src/common/wakeup.ts";
import { watchConfig } from "../../../src/edge/reload/config-watch.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";

const never = 1_000_000_000;

/** Watches `edge.yaml` of a new folder, and what else is named; hears what is in it at each call. */
async function setUp(
  options: { others?: string[]; pollMs?: number; settleMs?: number; first?: string } = {},
) {
  const { others = [], pollMs = never, settleMs = 50, first = "first" } = options;
  const folder = await temporaryFolder();
  const at = (...names: string[]) => join(folder.path, ...names);
  const path = at("edge.yaml");
  await writeFile(path, first);
  const heard: string[] = [];
  const news = new Wakeup();
  const end = new AbortController();
  const state = { isOn: true };
  const start = () =>
    watchConfig(
      {
        files: () => [path, ...others.map((name) => at(name))],
        onChange: async () => {
          heard.push(await readFile(path, "utf8").catch(() => "gone"));
          news.wake();
        },
        isOn: () => state.isOn,
        settleMs,
        pollMs,
      },
      end.signal,
    );
  let watching: Promise<void> | undefined;
  return {
    ...{ at, path, heard, state },
    /** Resolves once it watches. */
    async start() {
      watching = start();
      await this.hears(first);
    },
    async hears(text: string) {
      while (heard.at(-1) !== text) await news.wait(AbortSignal.timeout(100));
    },
    async hearsAgain(count: number) {
      while (heard.length < count) await news.wait(AbortSignal.timeout(100));
    },
    async [Symbol.asyncDispose]() {
      end.abort();
      await watching;
      await folder[Symbol.asyncDispose]();
    },
  };
}

test("a file written in place, and one renamed over it, as editors do", async () => {
  await using watched = await setUp();
  await watched.start();
  await writeFile(watched.path, "second");
  await watched.hears("second");
  await writeFile(watched.at(".edge.yaml.swp"), "third");
  await rename(watched.at(".edge.yaml.swp"), watched.path);
  await watched.hears("third");
  await rename(watched.path, watched.at("edge.yaml~"));
  await watched.hears("gone");
  await writeFile(watched.path, "fourth");
  await watched.hears("fourth");
  expect(watched.heard).toEqual(["first", "second", "third", "gone", "fourth"]);
});

test("a link set anew, as a mounted config map does, and the file that a link leads to", async () => {
  await using watched = await setUp();
  const version = async (name: string, text: string) => {
    await mkdir(watched.at(name));
    await writeFile(watched.at(name, "edge.yaml"), text);
    await symlink(name, watched.at("..data_tmp"));
    await rename(watched.at("..data_tmp"), watched.at("..data"));
  };
  await version("..1", "first");
  await rm(watched.path);
  await symlink("..data/edge.yaml", watched.path);
  await watched.start();
  await version("..2", "second");
  await watched.hears("second");
  await writeFile(watched.at("..2", "edge.yaml"), "third");
  await watched.hears("third");
});

test("secrets beside it, also one that was not there", async () => {
  await using watched = await setUp({ others: ["key"] });
  await watched.start();
  await writeFile(watched.at("key"), "one");
  await watched.hearsAgain(2);
  await writeFile(watched.at("key"), "two");
  await watched.hearsAgain(3);
  expect(new Set(watched.heard)).toEqual(new Set(["first"]));
});

test("a file that is written in two goes is not taken in between", async () => {
  await using watched = await setUp({ settleMs: 1000 });
  await watched.start();
  for (const [half, whole] of [
    ["", "cameras: [a]"],
    ["cameras: [a", "cameras: [a, b]"],
  ] as const) {
    await writeFile(watched.path, half);
    await Bun.sleep(300);
    // At once: the watch looks again in the same process, which may be late.
    writeFileSync(watched.path, whole);
    await watched.hears(whole);
  }
  expect(watched.heard).toEqual(["first", "cameras: [a]", "cameras: [a, b]"]);
}, 60_000);

test("what is as before is no news: touched, written again, other files of the folder", async () => {
  await using watched = await setUp();
  await watched.start();
  await utimes(watched.path, 1, 1);
  await writeFile(watched.path, "first");
  for (let i = 0; i < 50; i++) await writeFile(watched.at(`other${i}`), "x");
  await Bun.sleep(500);
  await writeFile(watched.path, "second");
  await watched.hears("second");
  expect(watched.heard).toEqual(["first", "second"]);
});

test("what no folder tells of is found by looking: a link to a link, a folder that was replaced", async () => {
  await using watched = await setUp({ pollMs: 50 });
  await mkdir(watched.at("links"));
  await mkdir(watched.at("files"));
  await writeFile(watched.at("files", "one"), "first");
  await writeFile(watched.at("files", "two"), "second");
  await symlink("../files/one", watched.at("links", "edge"));
  await rm(watched.path);
  await symlink("links/edge", watched.path);
  await watched.start();
  await symlink("../files/two", watched.at("links", "new"));
  await rename(watched.at("links", "new"), watched.at("links", "edge"));
  await watched.hears("second");
  await rm(watched.at("files"), { recursive: true });
  await watched.hears("gone");
  await mkdir(watched.at("files"));
  await writeFile(watched.at("files", "two"), "third");
  await watched.hears("third");
});

test("off, nothing is heard; on again, what it missed", async () => {
  await using watched = await setUp({ pollMs: 50 });
  await watched.start();
  watched.state.isOn = false;
  await writeFile(watched.path, "second");
  await Bun.sleep(500);
  expect(watched.heard).toEqual(["first"]);
  watched.state.isOn = true;
  await watched.hears("second");
});
