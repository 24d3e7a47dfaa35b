import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  codecsOf,
  pictureOf,
  qualities,
  qualitiesOf,
  type Transcodable,
} from "../../../../src/hub/playback/qualities/quality.ts";

/** Ten minutes at 4 Mb/s. */
const of = (width: number, height: number, more: Partial<Transcodable> = {}): Transcodable => ({
  ...{ codec: "avc1.640028,mp4a.40.2", width, height, fps: 30 },
  ...{ fileSizeBytes: 300_000_000, durationMs: 600_000, ...more },
});
const hevc = { codec: "hvc1.1.6.L120.B0" };

describe("the qualities of a video", () => {
  const cases: [what: string, videos: Transcodable[], expected: string[]][] = [
    ["1080p", [of(1920, 1080)], ["720p", "480p", "240p"]],
    ["4K", [of(3840, 2160)], ["1080p", "720p", "480p", "240p"]],
    ["on its side", [of(1080, 1920)], ["720p", "480p", "240p"]],
    ["240p", [of(426, 240)], []],
    ["1080p in H.265", [of(1920, 1080, hevc)], ["h264", "720p", "480p", "240p"]],
    ["240p in H.265", [of(426, 240, hevc)], ["h264"]],
    ["a camera that was changed", [of(640, 360), of(1920, 1080)], ["720p", "480p", "240p"]],
    ["one of them in H.265", [of(640, 360), of(640, 360, hevc)], ["h264", "240p"]],
    ["none", [], []],
  ];
  test.each(cases)("%s", (_, videos, expected) => expect(qualitiesOf(videos)).toEqual(expected as never[]));
});

describe("the picture", () => {
  test("keeps its shape in even sizes, by the shorter side", () => {
    const sizeOf = (video: Transcodable, quality: (typeof qualities)[number]) => {
      const picture = pictureOf(video, quality);
      return picture && [picture.width, picture.height];
    };
    expect(sizeOf(of(1920, 1080), "480p")).toEqual([854, 480]);
    expect(sizeOf(of(1080, 1920), "480p")).toEqual([480, 854]);
    expect(sizeOf(of(1920, 1080), "h264")).toBeUndefined();
    expect(sizeOf(of(1280, 720), "720p")).toBeUndefined();
    expect(sizeOf(of(1280, 720), "1080p")).toBeUndefined();
    expect(sizeOf(of(1921, 1081, hevc), "h264")).toEqual([1922, 1082]);
    // In H.265 it is transcoded whatever its size, and never made larger.
    expect(sizeOf(of(640, 360, hevc), "720p")).toEqual([640, 360]);
  });

  test("says the level that 60 pictures a second of its size need", () => {
    const levels = [240, 480, 720, 1080].map((side) => codecsOf(of(3840, 2160), `${side}p` as "240p")[0]);
    expect(levels).toEqual(["avc1.64001e", "avc1.64001f", "avc1.640020", "avc1.64002a"]);
    expect(codecsOf(of(3840, 2160, hevc), "h264")).toEqual(["avc1.640034"]);
    expect(codecsOf(of(1920, 1080), undefined)).toEqual(["avc1.640028", "mp4a.40.2"]);
    expect(codecsOf(of(1920, 1080), "480p")).toEqual(["avc1.64001f", "mp4a.40.2"]);
  });

  test("takes no more bits than the recorded one, H.265 counted as H.264", () => {
    const bitsOf = (video: Transcodable, quality: (typeof qualities)[number]) =>
      pictureOf(video, quality)?.bitsPerSecond;
    expect(bitsOf(of(1920, 1080), "480p")).toBe(983_808);
    expect(bitsOf(of(1920, 1080, { fileSizeBytes: 37_500_000 }), "480p")).toBe(500_000);
    expect(bitsOf(of(1920, 1080, { ...hevc, fileSizeBytes: 75_000_000 }), "h264")).toBe(1_600_000);
    expect(bitsOf(of(1920, 1080, { fileSizeBytes: 1 }), "480p")).toBe(150_000);
  });

  test("is one that an encoder takes, whatever the camera says of itself", () => {
    fc.assert(
      fc.property(
        fc.record({
          ...{
            codec: fc.constantFrom("avc1.640028", "hvc1.1"),
            fps: fc.double({ min: 0, max: 1000, noNaN: true }),
          },
          ...{ width: fc.integer({ min: 1, max: 65_535 }), height: fc.integer({ min: 1, max: 65_535 }) },
          ...{ fileSizeBytes: fc.integer({ min: 0 }), durationMs: fc.integer({ min: 0 }) },
        }),
        fc.constantFrom(...qualities),
        (video, quality) => {
          const picture = pictureOf(video, quality);
          if (picture === undefined) return;
          expect([picture.width % 2, picture.height % 2]).toEqual([0, 0]);
          expect(Math.min(picture.width, picture.height)).toBeGreaterThan(0);
          expect(Number.isSafeInteger(picture.bitsPerSecond) && picture.bitsPerSecond > 0).toBe(true);
          expect(picture.keyframeInterval).toBeGreaterThan(0);
        },
      ),
    );
  });
});
