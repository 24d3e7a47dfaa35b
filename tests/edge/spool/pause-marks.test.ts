import { expect, test } from "bun:test";
import { mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runChild } from "../../../src/common/child-process.ts";
import { createLogger } from "../../../src/common/log.ts";
import { PauseMarks } from "../../../src/edge/spool/pause-marks.ts";
import type { RefusedPause } from "../../support/crash/pause-child.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { canLoop, LoopDisk } from "../../support/loop-disk.ts";
import { sampleStartMs, temporaryFolder } from "../../support/sample-recording.ts";
import { testIf } from "../../support/test-if.ts";

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

test("whatever step of a pause or of its end the disk refuses: what is in force is written down once it can be", async () => {
  await using folder = await temporaryFolder();
  const support = join(import.meta.dir, "../../support/crash");
  const { exitCode, stdout, stderrTail } = await runChild({
    argv: [
      ...[process.execPath, "--preload", join(support, "crash-plugin.ts")],
      ...[join(support, "pause-child.ts"), folder.path],
    ],
    timeoutMs: 60_000,
  });
  expect({ exitCode, stderrTail }).toEqual({ exitCode: 0, stderrTail: "" });
  const refused: RefusedPause[] = new TextDecoder()
    .decode(stdout)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  for (const kind of ["create", "write", "sync", "rename", "rm"]) {
    expect(refused.filter(({ step }) => step.startsWith(`${kind} `))).not.toEqual([]);
  }
  for (const each of refused) {
    const isPaused = (each.next === "opposite") !== (each.asked === "set");
    expect(each).toEqual({
      ...{ ...each, answered: false, isPaused, isPausedAfterRestart: isPaused },
      files: isPaused ? ["cam01.json"] : [],
    });
  }
});

testIf(canLoop, "needs root, loop devices and mkfs.ext4")(
  "a power cut right after the answer: paused is paused, resumed is resumed",
  async () => {
    await using disk = await LoopDisk.create(16 * 1024 * 1024);
    const marks = await open(disk.path);
    for (let time = 0; time < 3; time++) {
      await marks.set("cam01");
      {
        await using after = await disk.cutPower();
        expect((await open(after.path)).of("cam01")).toEqual({ sinceMs: sampleStartMs });
      }
      await marks.clear("cam01");
      await using after = await disk.cutPower();
      expect((await open(after.path)).of("cam01")).toBeUndefined();
    }
  },
);

test("what is no mark of ours holds up no start, is a pause by its name, and goes when the camera is resumed", async () => {
  await using folder = await temporaryFolder();
  const paused = join(folder.path, "paused");
  await mkdir(join(paused, "cam01.json", "full"), { recursive: true });
  expect((await runChild({ argv: ["mkfifo", join(paused, "cam02.json")], timeoutMs: 10_000 })).exitCode).toBe(
    0,
  );
  await symlink("/dev/zero", join(paused, "cam03.json"));
  await symlink("/nowhere", join(paused, "cam04.json"));
  await writeFile(join(paused, "cam05.json"), "");
  await truncate(join(paused, "cam05.json"), 1e12);
  await writeFile(join(paused, "cam06.json"), '{"since":"2025-09-23T06:30:00.000Z"');
  await writeFile(join(paused, "cam07.json"), new Uint8Array(4096).fill(0xff));
  await writeFile(join(paused, "cam08.json.tmp-17"), '{"since":null}');
  const marks = await open(folder.path);
  const cameras = Array.from({ length: 7 }, (_, i) => `cam0${i + 1}`);
  for (const id of cameras)
    expect({ id, pause: marks.of(id) }).toEqual({ id, pause: { sinceMs: undefined } });
  for (const id of cameras) await marks.clear(id);
  expect(await readdir(paused)).toEqual([]);
});

test("one pause that the disk refuses does not hold up the others", async () => {
  await using folder = await temporaryFolder();
  const marks = await open(folder.path);
  await writeFile(join(folder.path, "paused"), "");
  for (const id of ["cam01", "cam02"]) await expect(marks.set(id)).rejects.toThrow("after a restart");
  await rm(join(folder.path, "paused"));
  await mkdir(join(folder.path, "paused", "cam01.json", "full"), { recursive: true });
  await marks.settle();
  expect((await open(folder.path)).of("cam02")).toBeDefined();
});

test("a camera that is resumed while its mark could not be read stays resumed", async () => {
  await using folder = await temporaryFolder();
  const paused = join(folder.path, "paused");
  const aside = join(folder.path, "aside");
  await (await open(folder.path)).set("cam01");
  await rename(paused, aside);
  await writeFile(paused, "");
  const marks = await open(folder.path);
  expect(marks.of("cam01")).toBeUndefined();
  await rm(paused);
  await rename(aside, paused);
  await marks.clear("cam01");
  expect(await readdir(paused)).toEqual([]);
});
