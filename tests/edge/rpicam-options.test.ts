import { expect, test } from "bun:test";
import fc from "fast-check";
import { refusedRpicamOptions } from "../../src/edge/rpicam-options.ts";

test.each<string[]>([
  ["--output", "/tmp/x"],
  ["--output=/tmp/x"],
  ["--outp", "/tmp/x"],
  ["-o", "/tmp/x"],
  ["-o/tmp/x"],
  ["--codec", "yuv420"],
  ["--libav-format=mp4"],
  ["--libav-video-codec", "rawvideo"],
  ["--timeout", "5"],
  ["-t5"],
  ["--config", "/etc/passwd"],
  ["--metadata", "-"],
  ["--LISTEN"],
  ["--"],
  ["-"],
])("refuses %j", (...options: string[]) => {
  expect(refusedRpicamOptions(options)[0]).toBe(options[0] as string);
});

test.each<string[]>([
  ["--denoise", "cdn_off"],
  ["--brightness", "-0.5"],
  ["--ev", "-.5"],
  ["--awb=daylight"],
  ["--hflip", "--vflip"],
  ["--libav-video-codec-opts", "preset=faster;profile=high"],
  ["--low-latency"],
  ["--roi", "0.25,0.25,0.5,0.5"],
  ["--hdr", "sensor"],
])("takes %j", (...options: string[]) => {
  expect(refusedRpicamOptions(options)).toEqual([]);
});

test("no beginning of an option that is ours gets through, with or without a value", () => {
  const ours = [
    "output",
    "codec",
    "timeout",
    "libav-format",
    "frames",
    "segment",
    "circular",
    "save-pts",
    "intra",
  ];
  fc.assert(
    fc.property(fc.constantFrom(...ours), fc.nat(20), fc.boolean(), (name, length, hasValue) => {
      const option = `--${name.slice(0, Math.max(1, length))}${hasValue ? "=1" : ""}`;
      expect(refusedRpicamOptions([option])).toEqual([option]);
    }),
  );
});
