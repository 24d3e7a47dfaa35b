import { expect, test } from "bun:test";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../../src/common/clock.ts";
import { readBoot } from "../../../src/edge/health/boot.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";

const bootId = "b411c086-8788-46ce-8a09-4d4e5540f093";

test("this machine's boot is told, and ties two processes of it together", async () => {
  const boot = await readBoot(systemClock);
  expect(boot?.bootId).toBe((await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim());
  const uptimeMs = Number.parseFloat(await readFile("/proc/uptime", "utf8")) * 1000;
  // A busy machine may take its time between the two.
  expect(Math.abs(uptimeMs - systemClock.monotonicMs() - (boot?.uptimeOffsetMs ?? 0))).toBeLessThan(1000);
});

test.each([
  ["told", `${bootId}\n`, "5619.72 4574.73\n", { bootId, uptimeOffsetMs: 5_614_720 }],
  ["not told without an id", "\n", "5619.72 4574.73\n", undefined],
  ["not told without a time", `${bootId}\n`, "?", undefined],
])("it is %s", async (_what, id, uptime, boot) => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, "proc/sys/kernel/random"), { recursive: true });
  await writeFile(join(folder.path, "proc/sys/kernel/random/boot_id"), id);
  await writeFile(join(folder.path, "proc/uptime"), uptime);
  expect(await readBoot(new FakeClock(0), folder.path)).toEqual(boot);
});

test("it is not told where there is no /proc", async () => {
  await using folder = await temporaryFolder();
  expect(await readBoot(new FakeClock(0), folder.path)).toBeUndefined();
});
