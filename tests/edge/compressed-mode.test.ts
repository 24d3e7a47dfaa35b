import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { createLogger } from "../../src/common/log.ts";
import { compressedSettingsOf, setCompressed } from "../../src/edge/compressed-mode.ts";
import { CameraConfig } from "../../src/edge/config.ts";

const cameras = [
  { id: "cam01", source: { type: "test", bitrate: 4_000_000, fps: 30 } },
  { id: "cam02", source: { type: "rtsp", url: "rtsp://10.0.0.7/main" } },
  { id: "cam03", source: { type: "v4l2", device: "/dev/video0", input_format: "h264" } },
  { id: "cam04", source: { type: "v4l2", device: "/dev/video1", bitrate: 150_000, fps: 1 } },
  { id: "cam05", source: { type: "rpicam", bitrate: 6_000_000, fps: 15 } },
].map((camera) => v.parse(CameraConfig, camera));

describe("compressed mode", () => {
  test("is half of the bits and pictures, of encoded cameras only, and the usual again", async () => {
    const asked: unknown[] = [];
    const units = cameras.map(({ id }) => ({
      id,
      configure: async (settings: unknown) => void asked.push([id, settings]),
    }));
    await setCompressed(true, units, cameras, createLogger("edge"));
    expect(asked).toEqual([
      ["cam01", { bitrateBps: 2_000_000, fps: 15 }],
      ["cam04", { bitrateBps: 100_000, fps: 1 }],
      ["cam05", { bitrateBps: 3_000_000, fps: 7.5 }],
    ]);
    asked.length = 0;
    await setCompressed(false, units, cameras, createLogger("edge"));
    expect(asked).toEqual([
      ["cam01", { bitrateBps: 4_000_000, fps: 30 }],
      ["cam04", { bitrateBps: 150_000, fps: 1 }],
      ["cam05", { bitrateBps: 6_000_000, fps: 15 }],
    ]);
  });

  test("never asks for more than usual, nor for what the config would refuse", () => {
    for (const bitrate of [50_000, 99_999, 100_000, 200_000_000]) {
      for (const fps of [0.1, 1, 2, 240]) {
        const source = v.parse(CameraConfig.entries.source, { type: "test", bitrate, fps });
        const { compressed } = compressedSettingsOf(source) ?? {};
        expect(compressed?.bitrateBps).toBeLessThanOrEqual(bitrate);
        expect(compressed?.fps).toBeLessThanOrEqual(fps);
        const asked = { type: "test", bitrate: compressed?.bitrateBps, fps: compressed?.fps };
        expect(v.is(CameraConfig.entries.source, asked)).toBe(true);
      }
    }
  });

  test("of one camera that refuses does not keep the others from it", async () => {
    const asked: string[] = [];
    const units = cameras.map(({ id }) => ({
      id,
      configure: async () => {
        asked.push(id);
        throw new Error("no");
      },
    }));
    await setCompressed(true, units, cameras, createLogger("edge"));
    expect(asked).toEqual(["cam01", "cam04", "cam05"]);
  });
});
