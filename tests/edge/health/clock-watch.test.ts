import { describe, expect, test } from "bun:test";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createLogger } from "../../../src/common/log.ts";
import {
  type ClockProgram,
  clockPrograms,
  probeClockSync,
} from "../../../src/edge/health/clock-sync-probe.ts";
import { ClockWatch } from "../../../src/edge/health/clock-watch.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { sampleStartMs, temporaryFolder } from "../../support/sample-recording.ts";

const logger = createLogger("clock");
const isSynced = async (options: Parameters<typeof probeClockSync>[0]) =>
  (await probeClockSync(options))?.isSynced;

/** A program that prints so and ends so; programs are told apart by what they are to print. */
async function program(folder: string, prints: string, exitCode = 0): Promise<ClockProgram> {
  const path = join(folder, crypto.randomUUID());
  await writeFile(path, `#!/bin/sh\ncat <<'END'\n${prints}\nEND\nexit ${exitCode}\n`);
  await chmod(path, 0o755);
  return { argv: [path], yes: /^yes$/m, no: /^no$/m };
}

describe("whether the clock was set is told", () => {
  test("by the file of systemd-timesyncd, without starting a program", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "run/systemd/timesync"), { recursive: true });
    await writeFile(join(folder.path, "run/systemd/timesync/synchronized"), "");
    const programs = [await program(folder.path, "no")];
    expect(await isSynced({ root: folder.path, programs })).toBe(true);
  });

  test.each([
    ["yes", 0, true],
    ["no", 0, false],
    ["maybe", 0, undefined],
    ["yes", 1, undefined],
  ])("by a program that prints %s and exits with %d", async (prints, exitCode, told) => {
    await using folder = await temporaryFolder();
    const programs = [await program(folder.path, prints, exitCode)];
    expect(await isSynced({ root: folder.path, programs })).toBe(told as boolean);
  });

  test("by the first program that knows", async () => {
    await using folder = await temporaryFolder();
    const missing = { argv: [join(folder.path, "is-not-there")], yes: /./, no: /./ };
    const programs = [missing, await program(folder.path, "?"), await program(folder.path, "no")];
    expect(await isSynced({ root: folder.path, programs })).toBe(false);
  });

  test("not yet, while the one who knows does not answer", async () => {
    await using folder = await temporaryFolder();
    const slow = { argv: ["sleep", "60"], yes: /^yes$/m, no: /^no$/m };
    const programs = [slow, await program(folder.path, "yes")];
    expect(await isSynced({ root: folder.path, programs, limitMs: 50 })).toBe(false);
  });

  test("by nothing, where there is nothing", async () => {
    await using folder = await temporaryFolder();
    expect(await isSynced({ root: folder.path, programs: [] })).toBeUndefined();
  });

  test.each([
    ["timedatectl", "yes", true],
    ["timedatectl", "no", false],
    ["timedatectl", "System has not been booted with systemd", undefined],
    ["chronyc", "Reference ID    : 00000000 ()\nLeap status     : Normal", true],
    ["chronyc", "Reference ID    : 00000000 ()\nLeap status     : Not synchronised", false],
    ["chronyc", "506 Cannot talk to daemon", undefined],
  ])("by %s: %s", async (name, prints, told) => {
    await using folder = await temporaryFolder();
    const known = clockPrograms.find(({ argv }) => argv[0] === name);
    const programs = [{ ...known!, argv: (await program(folder.path, prints)).argv }];
    expect(await isSynced({ root: folder.path, programs })).toBe(told as boolean);
  });
});

describe("the clock", () => {
  const watch = (answers: (boolean | undefined)[], wallMs = sampleStartMs) => {
    const clock = new FakeClock(wallMs);
    let asked = 0;
    const probe = async () => {
      const isSynced = answers[Math.min(asked++, answers.length - 1)];
      return isSynced === undefined ? undefined : { isSynced, source: "chronyc" };
    };
    const options = { clock, logger, probe, source: "ntp" as const, intervalMs: 1 };
    return { clock, watch: new ClockWatch(options), asked: () => asked };
  };

  test("is not believed before it was asked for", () => {
    expect(watch([true]).watch.state()).toBe("unsynced");
  });

  test.each([
    [true, "synced"],
    [false, "unsynced"],
    // Nothing tells; it is not plainly wrong.
    [undefined, "synced"],
  ] as const)("of which the machine says %p is %s", async (answer, state) => {
    const set = watch([answer]);
    await set.watch.check();
    expect(set.watch.state()).toBe(state);
  });

  test("of 1970 is not believed, whatever the machine says, until it is set", async () => {
    const { watch: watched, clock, asked } = watch([true], 31_000);
    await watched.check();
    expect([watched.state(), asked()]).toEqual(["unsynced", 0]);
    clock.step(sampleStartMs);
    await watched.check();
    expect(watched.state()).toBe("synced");
    clock.step(-sampleStartMs);
    expect(watched.state()).toBe("unsynced");
  });

  test("is looked at until it is set, and stays set when the server goes away", async () => {
    const { watch: watched, asked } = watch([false, false, true, false]);
    await watched.run(new AbortController().signal);
    expect([watched.state(), asked()]).toEqual(["synced", 3]);
    await watched.check();
    expect(watched.state()).toBe("synced");
  });

  test("is no longer looked at when the edge ends", async () => {
    await watch([false]).watch.run(AbortSignal.timeout(20));
  });

  test("that is trusted is asked nothing", async () => {
    const { watch: watched, asked, clock } = watch([false]);
    const trusted = new ClockWatch({
      clock,
      logger,
      source: "trusted",
      probe: async () => ({ isSynced: false, source: "chronyc" }),
    });
    await trusted.check();
    expect([trusted.state(), watched.state(), asked()]).toEqual(["synced", "unsynced", 0]);
  });
});
