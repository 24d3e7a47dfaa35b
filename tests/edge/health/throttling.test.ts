import { expect, test } from "bun:test";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { Throttling } from "../../../src/common/protocol/node.ts";
import { parseThrottling, ThrottlingReader } from "../../../src/edge/health/throttling.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { sampleStartMs, temporaryFolder } from "../../support/sample-recording.ts";

const none = {
  under_voltage: false,
  frequency_capped: false,
  throttled: false,
  soft_temperature_limit: false,
};

async function file(root: string, path: string, text: string, mode = 0o644): Promise<string> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
  await chmod(join(root, path), mode);
  return join(root, path);
}

test.each([
  ["throttled=0x0\n", none, none],
  [
    "throttled=0x50005\n",
    { ...none, under_voltage: true, throttled: true },
    { ...none, under_voltage: true, throttled: true },
  ],
  ["80008\n", { ...none, soft_temperature_limit: true }, { ...none, soft_temperature_limit: true }],
  ["20000", none, { ...none, frequency_capped: true }],
])("%p says so", (text, now, since_boot) => {
  expect(parseThrottling(text)).toEqual({ now, since_boot });
  expect(v.is(Throttling, parseThrottling(text))).toBe(true);
});

test.each(["", "throttled=", 'error=1 error_msg="Command not registered"', "0x5\n6", "123456789", "-1"])(
  "%p says nothing",
  (text) => {
    expect(parseThrottling(text)).toBeNull();
  },
);

test("the kernel's file is read, wherever the firmware is on the bus, and no program started", async () => {
  await using folder = await temporaryFolder();
  const program = await file(folder.path, "vcgencmd", "#!/bin/sh\necho throttled=0x0\n", 0o755);
  const path = await file(
    folder.path,
    "sys/bus/platform/devices/soc@107c000000:firmware/get_throttled",
    "50005\n",
  );
  const reader = new ThrottlingReader({
    clock: new FakeClock(sampleStartMs),
    root: folder.path,
    program: [program],
  });
  expect((await reader.read())?.now.under_voltage).toBe(true);
  await writeFile(path, "50000\n");
  expect(await reader.read()).toMatchObject({ now: none, since_boot: { under_voltage: true } });
});

test("vcgencmd is asked on a Raspberry Pi without the file, and not too often", async () => {
  await using folder = await temporaryFolder();
  await file(folder.path, "proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0");
  const calls = join(folder.path, "calls");
  const program = await file(
    folder.path,
    "vcgencmd",
    `#!/bin/sh\necho x >> ${calls}\necho throttled=0x4\n`,
    0o755,
  );
  const clock = new FakeClock(sampleStartMs);
  const reader = new ThrottlingReader({ clock, root: folder.path, program: [program, "get_throttled"] });
  expect((await reader.read())?.now).toEqual({ ...none, throttled: true });
  await reader.read();
  expect(await Bun.file(calls).text()).toBe("x\n");
  clock.advance(30_000);
  await reader.read();
  expect(await Bun.file(calls).text()).toBe("x\nx\n");
});

test("nothing is known where a program fails or is not there, and none is tried on other machines", async () => {
  await using folder = await temporaryFolder();
  const clock = new FakeClock(sampleStartMs);
  const calls = join(folder.path, "calls");
  const failing = await file(folder.path, "vcgencmd", `#!/bin/sh\necho x >> ${calls}\nexit 1\n`, 0o755);
  const reader = (program: string) => new ThrottlingReader({ clock, root: folder.path, program: [program] });
  expect(await reader(failing).read()).toBeNull();
  expect(await Bun.file(calls).exists()).toBe(false);
  await file(folder.path, "proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0");
  expect(await reader(failing).read()).toBeNull();
  expect(await reader(join(folder.path, "missing")).read()).toBeNull();
});
