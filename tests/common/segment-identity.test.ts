import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { newUuidV7 } from "../../src/common/ids.ts";
import {
  formatSegmentIdentity,
  parseSegmentIdentity,
  type SegmentIdentity,
} from "../../src/common/segment-identity.ts";

const timeMs = fc.integer({ min: 0, max: Date.UTC(9999, 0) });

const identities: fc.Arbitrary<SegmentIdentity> = fc.record({
  videoId: timeMs.map(newUuidV7),
  cameraId: fc.constantFrom("cam01", "front-door"),
  nodeId: fc.constant("node01"),
  runId: timeMs.map(newUuidV7),
  sequence: fc.nat(),
  startTimeMs: timeMs,
  endTimeMs: timeMs,
  timeZone: fc.constantFrom("UTC", "Asia/Seoul"),
  durationMs: fc.nat(),
  codec: fc.constantFrom("avc1.64001f", "hvc1.1.6.L93.B0,mp4a.40.2"),
  width: fc.integer({ min: 1, max: 8192 }),
  height: fc.integer({ min: 1, max: 8192 }),
  fps: fc.double({ min: 0, max: 240, noNaN: true }),
  recordedSha256: fc.constant("a".repeat(64)),
  clockState: fc.constantFrom("synced", "unsynced", "corrected"),
  softwareVersion: fc.constant("0.1.0 (abc1234)"),
  isMock: fc.constantFrom(true as const, undefined),
});

describe("the identity of a segment", () => {
  test("survives JSON", () => {
    fc.assert(
      fc.property(identities, (identity) => {
        const json: unknown = JSON.parse(JSON.stringify(formatSegmentIdentity(identity)));
        expect(parseSegmentIdentity(json)).toEqual({
          ...identity,
          fps: identity.fps === 0 ? 0 : identity.fps,
        });
      }),
    );
  });

  const good = formatSegmentIdentity(fc.sample(identities, { numRuns: 1, seed: 1 })[0]!);

  test("ignores fields of newer versions", () => {
    expect(parseSegmentIdentity({ ...good, weather: "rain" })).not.toHaveProperty("weather");
  });

  test("says that it is no footage only where it is none", () => {
    const { mock, ...footage } = good;
    expect(formatSegmentIdentity(parseSegmentIdentity(footage))).not.toHaveProperty("mock");
    expect(formatSegmentIdentity(parseSegmentIdentity({ ...footage, mock: true }))).toHaveProperty(
      "mock",
      true,
    );
  });

  test.each([
    { video_id: "../../etc/passwd" },
    { video_id: crypto.randomUUID() }, // version 4
    { camera_id: "metadata" },
    { start_time: "2025-09-23" },
    { start_time: "2025-13-41T00:00:00Z" },
    { start_time: 0 },
    { time_zone: "Mars/Olympus" },
    { time_zone: "+09:00" },
    { duration_ms: -1 },
    { duration_ms: 2 ** 60 },
    { recorded_sha256: "A".repeat(64) },
    { codec: "avc1\u0000" },
    { format_version: 2 },
    { mock: false },
    { mock: "yes" },
  ])("refuses %p", (bad) => {
    expect(() => parseSegmentIdentity({ ...good, ...bad })).toThrow();
  });
});
