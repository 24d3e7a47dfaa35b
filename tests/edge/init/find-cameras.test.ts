import { expect, test } from "bun:test";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findCameras } from "../../../src/edge/init/find-cameras.ts";
import { nodeIdOf } from "../../../src/edge/init/parse-answers.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";

const listing = `Available cameras
-----------------
0 : imx708_wide [4608x2592 10-bit RGGB] (/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a)
    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]
                             2304x1296 [56.03 fps - (0, 0)/4608x2592 crop]

1 : imx219 [3280x2464 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx219@10)
2 : HD Webcam [1280x720] (/base/scb/pcie@7d500000/pci@0,0/usb@0,0-1.2:1.0-046d:0825)
`;

test("ribbon cables by rpicam-apps, USB by the kernel, and nothing twice or that is no camera", async () => {
  await using folder = await temporaryFolder();
  const root = folder.path;
  const devices = {
    video10: { bus: "platform/bcm2835-codec", index: 0, name: "bcm2835-codec-decode" },
    video2: { bus: "pci0000:00/usb1/1-2/1-2:1.0", index: 0, name: "HD Webcam" },
    video3: { bus: "pci0000:00/usb1/1-2/1-2:1.0", index: 1, name: "HD Webcam" },
    video12: { bus: "pci0000:00/usb1/1-3/1-3:1.0", index: 0, name: "" },
  };
  for (const [device, { bus, index, name }] of Object.entries(devices)) {
    const path = join(root, "sys/class/video4linux", device);
    await mkdir(path, { recursive: true });
    await mkdir(join(root, "sys/devices", bus), { recursive: true });
    await symlink(join(root, "sys/devices", bus), join(path, "device"));
    await writeFile(join(path, "index"), `${index}\n`);
    await writeFile(join(path, "name"), `${name}\n`);
  }
  expect(await findCameras({ root, outputOf: async () => listing })).toEqual([
    { text: "rpicam:0", name: "imx708_wide" },
    { text: "rpicam:1", name: "imx219" },
    { text: "/dev/video2", name: "HD Webcam" },
    { text: "/dev/video12", name: "USB camera" },
  ]);
});

test("a machine without any has none", async () => {
  await using folder = await temporaryFolder();
  expect(await findCameras({ root: folder.path, outputOf: async () => undefined })).toEqual([]);
  const none = "No cameras available!\n";
  expect(await findCameras({ root: folder.path, outputOf: async () => none })).toEqual([]);
});

test.each([
  ["raspberrypi", "raspberrypi"],
  ["Pi.Garage.local", "pi-garage-local"],
  ["--x--", "x"],
  ["", "node01"],
  [`${"a".repeat(31)}-b`, "a".repeat(31)],
])("the host %j becomes %s", (hostname, id) => {
  expect(nodeIdOf(hostname)).toBe(id);
});
