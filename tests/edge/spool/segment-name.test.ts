import { expect, test } from "bun:test";
import fc from "fast-check";
import { newUuidV7 } from "../../../src/common/ids.ts";
import { formatSegmentName, parseSegmentName } from "../../../src/edge/spool/segment-name.ts";

const cameraId = fc.stringMatching(/^[a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?$/);
const timeZone = fc.constantFrom("UTC", "Asia/Seoul", "Europe/Berlin", "America/St_Johns", "Pacific/Apia");

test("what is formatted is parsed back, with the start to the millisecond", () => {
  fc.assert(
    fc.property(
      cameraId,
      timeZone,
      fc.integer({ min: 0, max: 4_000_000_000_000 }),
      (camera, zone, startTimeMs) => {
        const videoId = newUuidV7(startTimeMs);
        const name = formatSegmentName({ cameraId: camera, videoId, startTimeMs, timeZone: zone });
        expect(parseSegmentName(name)).toEqual({ cameraId: camera, videoId, startTimeMs });
      },
    ),
  );
});

test("anything else is no segment", () => {
  const id = "01997000-0000-7000-8000-000000000000";
  for (const name of [
    "",
    "cam01",
    id,
    `cam01_20250923_153000_${id.slice(0, -1)}`,
    `cam01_20251323_153000_${id}`,
    `cam01_20250923_253000_${id}`,
    `../cam01_20250923_153000_${id}`,
    `CAM01_20250923_153000_${id}`,
    `cam01_20250923_153000_${id}.2`,
    `cam01_20250923_153000_${id.replace("-7000", "-4000")}`,
  ]) {
    expect(parseSegmentName(name)).toBeUndefined();
  }
});
