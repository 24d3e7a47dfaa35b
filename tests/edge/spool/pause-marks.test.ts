import { expect, test } from "bun:test";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createLogger } from "../../../src/common/log.ts";
import { PauseMarks } from "../../../src/edge/spool/pause-marks.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { sampleStartMs, temporaryFolder } from "../../support/sample-recording.ts";

const open = (root: string, startMs = sampleStartMs) =>
  PauseMarks.open({ root, clock: new FakeClock(startMs), logger: createLogger("spool") });

test("a pause is on the disk as soon as it is answered, and since when it is stays as it was", async () => {
  await using folder = await temporaryFolder();
  const marks = await open(folder.path);
  await marks.set("cam01");
  await marks.set("cam02");
  const text = await readFile(join(folder.path, "paused/cam01.json"), "utf8");
  expect(JSON.parse(text)).toEqual({ since: new Date(sampleStartMs).toISOString() });
  const later = await open(folder.path, sampleStartMs + 60_000);
  await later.set("cam01");
  expect(later.of("cam01")).toEqual({ sinceMs: sampleStartMs });
  await later.clear("cam01");
  await later.clear("cam01");
  const last = await open(folder.path);
  expect([last.of("cam01"), last.of("cam02")]).toEqual([undefined, { sinceMs: sampleStartMs }]);
  expect(await readdir(join(folder.path, "paused"))).toEqual(["cam02.json"]);
});

test("the name alone says so: damaged, empty or a folder, and by a clock that was not set", async () => {
  await using folder = await temporaryFolder();
  const paused = join(folder.path, "paused");
  await mkdir(join(paused, "cam03.json"), { recursive: true });
  await writeFile(join(paused, "cam01.json"), "");
  await writeFile(join(paused, "cam02.json"), '{"since":7}');
  await writeFile(join(paused, "../cam09.json"), "");
  for (const name of ["cam04.json.tmp-17", "CAM05.json", "..json", "cam06"])
    await writeFile(join(paused, name), "");
  const marks = await open(folder.path, 1000);
  const unknown = { sinceMs: undefined };
  expect(["cam01", "cam02", "cam03"].map((id) => marks.of(id))).toEqual([unknown, unknown, unknown]);
  expect(["cam04", "CAM05", ".", "cam06", "cam09"].filter((id) => marks.of(id))).toEqual([]);
  await marks.set("cam07");
  expect((await open(folder.path)).of("cam07")).toEqual(unknown);
});

test("what the disk refuses is in force, is said, and is written down once it can be", async () => {
  await using folder = await temporaryFolder();
  const marks = await open(folder.path);
  await marks.set("cam02");
  const aside = join(folder.path, "paused");
  await rm(aside, { recursive: true });
  await writeFile(aside, "");
  await expect(marks.set("cam01")).rejects.toThrow("would record again after a restart");
  expect(marks.of("cam01")).toEqual({ sinceMs: sampleStartMs });
  await expect(marks.clear("cam02")).rejects.toThrow("would be paused again after a restart");
  await marks.settle();
  await rm(aside);
  await mkdir(aside);
  await marks.settle();
  expect(await readdir(aside)).toEqual(["cam01.json"]);
});

test("pauses and resumes at once end as the last of them", async () => {
  await using folder = await temporaryFolder();
  const marks = await open(folder.path);
  await Promise.all(
    Array.from({ length: 41 }, (_, i) => (i % 2 ? marks.clear("cam01") : marks.set("cam01"))),
  );
  expect((await open(folder.path)).of("cam01")).toBeDefined();
  await Promise.all(
    Array.from({ length: 40 }, (_, i) => (i % 2 ? marks.clear("cam01") : marks.set("cam01"))),
  );
  expect((await open(folder.path)).of("cam01")).toBeUndefined();
});
