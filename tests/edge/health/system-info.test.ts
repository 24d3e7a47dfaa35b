import { expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { systemClock } from "../../../src/common/clock.ts";
import { SystemInfo } from "../../../src/common/protocol/node.ts";
import { SystemInfoReader } from "../../../src/edge/health/system-info.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";

async function machine(root: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

test("reads what a Raspberry Pi says of itself", async () => {
  await using folder = await temporaryFolder();
  const lo = "    lo: 1000 10 0 0 0 0 0 0 1000 10 0 0 0 0 0 0";
  await machine(folder.path, {
    "proc/meminfo": "MemTotal:        8255520 kB\nMemFree: 1 kB\nMemAvailable:    7000000 kB\n",
    "proc/loadavg": "0.42 0.30 0.20 1/200 999\n",
    "proc/uptime": "93784.35 300000.00\n",
    "proc/stat": "cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 1 1 1\n",
    "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
    "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "sys/class/thermal/thermal_zone0/temp": "48312\n",
    "proc/net/dev": `Inter-| Receive | Transmit\n face |bytes\n${lo}\n  eth0: 500 5 0 0 0 0 0 0 200 2 0 0 0 0 0 0\n wlan0:70 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0\n`,
  });
  const reader = new SystemInfoReader({ spoolPath: folder.path, root: folder.path, clock: systemClock });
  const info = await reader.read();
  expect(v.is(SystemInfo, info)).toBe(true);
  expect(info).toMatchObject({
    model: "Raspberry Pi 5 Model B Rev 1.0",
    os: "Debian GNU/Linux 12 (bookworm)",
    cpu_usage: null,
    load_1m: 0.42,
    memory_total_bytes: 8_255_520 * 1024,
    memory_available_bytes: 7_000_000 * 1024,
    temperature_celsius: 48.312,
    network_received_bytes: 570,
    network_sent_bytes: 230,
    uptime_seconds: 93_784,
  });
  expect(info.spool_total_bytes).toBeGreaterThan(0);

  // 300 ticks later: 75 of them were work.
  await writeFile(join(folder.path, "proc/stat"), "cpu  150 5 120 900 125 0 0 0 90 0\n");
  expect((await reader.read()).cpu_usage).toBeCloseTo(0.25, 5);
});

test("says null, and stays valid, where a machine tells nothing or nonsense", async () => {
  await using folder = await temporaryFolder();
  const nothing = {
    model: null,
    cpu_usage: null,
    load_1m: null,
    temperature_celsius: null,
    network_sent_bytes: null,
  };
  const reader = new SystemInfoReader({
    spoolPath: join(folder.path, "gone"),
    root: folder.path,
    clock: systemClock,
  });
  expect(await reader.read()).toMatchObject({ ...nothing, spool_free_bytes: null });
  await machine(folder.path, {
    "proc/meminfo": "?",
    "proc/loadavg": "\u0000\u0001",
    "proc/stat": "cpu\n",
    "sys/class/thermal/thermal_zone0/temp": "",
  });
  const info = await reader.read();
  expect(info).toMatchObject({ cpu_usage: null, load_1m: null, temperature_celsius: null });
  expect(v.is(SystemInfo, info)).toBe(true);
});

test("reads this machine", async () => {
  const info = await new SystemInfoReader({ spoolPath: "/", clock: systemClock }).read();
  expect(v.is(SystemInfo, info)).toBe(true);
  expect(info.memory_total_bytes).toBeGreaterThan(info.process_rss_bytes);
});
