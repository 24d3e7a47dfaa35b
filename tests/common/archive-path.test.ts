import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";
import {
  archivePathOf,
  formatArchivePath,
  parseArchivePath,
  picturePathOf,
} from "../../src/common/archive-path.ts";
import { CameraId } from "../../src/common/ids.ts";
import { localTimeOf } from "../../src/common/time-zone.ts";

const cameraIds = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,30}[a-z0-9]$/).filter((id) => v.is(CameraId, id));

describe("paths in the archive", () => {
  test("look as the design shows them, in the local time of the zone", () => {
    const startTimeMs = Date.UTC(2025, 8, 23, 6, 30);
    const path = archivePathOf({ cameraId: "cam01", startTimeMs, timeZone: "Asia/Seoul" });
    expect(path).toBe("cam01/2025-09-23/cam01_20250923_153000.mp4");
    expect(picturePathOf("thumbnail", path)).toBe(
      "metadata/thumbnails/cam01/2025-09-23/cam01_20250923_153000.jpg",
    );
    expect(picturePathOf("previews", path)).toBe(
      "metadata/thumbnails/cam01/2025-09-23/cam01_20250923_153000.previews.jpg",
    );
    expect(archivePathOf({ cameraId: "cam01", startTimeMs, timeZone: "Asia/Seoul" }, 2)).toBe(
      "cam01/2025-09-23/cam01_20250923_153000-2.mp4",
    );
  });

  test("format and parse are inverse", () => {
    fc.assert(
      fc.property(
        cameraIds,
        fc.integer({ min: 0, max: Date.UTC(2400, 0) }),
        fc.constantFrom("UTC", "Asia/Seoul", "America/New_York"),
        fc.integer({ min: 1, max: 9999 }),
        (cameraId, ms, zone, attempt) => {
          const parts = { cameraId, local: localTimeOf(ms, zone), attempt };
          expect(parseArchivePath(formatArchivePath(parts))).toEqual(parts);
        },
      ),
    );
  });

  test.each([
    "../cam01/2025-09-23/cam01_20250923_153000.mp4",
    "/cam01/2025-09-23/cam01_20250923_153000.mp4",
    "cam01/2025-09-23/cam02_20250923_153000.mp4",
    "cam01/2025-09-24/cam01_20250923_153000.mp4",
    "cam01/2025-02-30/cam01_20250230_153000.mp4",
    "cam01/2025-09-23/cam01_20250923_253000.mp4",
    "cam01/2025-09-23/cam01_20250923_153000-1.mp4",
    "cam01/2025-09-23/cam01_20250923_153000-02.mp4",
    "cam01/2025-09-23/cam01_20250923_153000.mp4.partial",
    "cam01/2025-09-23/cam01_20250923_153000.mp4\n",
    "CAM01/2025-09-23/CAM01_20250923_153000.mp4",
    "cam01\0/2025-09-23/cam01\0_20250923_153000.mp4",
    "",
  ])("refuses %p", (path) => {
    expect(parseArchivePath(path)).toBeUndefined();
    expect(() => picturePathOf("thumbnail", path)).toThrow();
  });
});

describe("camera ids", () => {
  test.each(["cam01", "a", "front-door", "yard_2"])("accepts %p", (id) => {
    expect(v.is(CameraId, id)).toBe(true);
  });

  test.each([
    "",
    "Cam01",
    "..",
    "a/b",
    "a.b",
    "-a",
    "a-",
    "metadata",
    "con",
    "c\0m",
    "caméra",
    "ｃａｍ",
    "a".repeat(33),
    "a".repeat(300),
    7,
    null,
  ])("refuses %p", (id) => {
    expect(v.is(CameraId, id)).toBe(false);
  });
});
