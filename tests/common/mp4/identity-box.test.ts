import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readBox } from "../../../src/common/mp4/boxes.ts";
import {
  isIdentityBox,
  livecamUuid,
  parseIdentityBox,
  writeIdentityBox,
} from "../../../src/common/mp4/identity-box.ts";
import type { SegmentIdentity } from "../../../src/common/segment-identity.ts";

const identity: SegmentIdentity = {
  videoId: "01997461-c940-7000-8000-000000000001",
  cameraId: "cam01",
  nodeId: "site-1",
  runId: "0d9f6c1e-5e0c-4f0c-9e0f-8f4b7d2f3a11",
  sequence: 0,
  startTimeMs: Date.UTC(2025, 8, 23),
  endTimeMs: Date.UTC(2025, 8, 23, 0, 10),
  timeZone: "Europe/Berlin",
  durationMs: 600_000,
  codec: "avc1.64001f,mp4a.40.2",
  width: 1920,
  height: 1080,
  fps: 29.97,
  recordedSha256: "0123456789abcdef".repeat(4),
  clockState: "synced",
  softwareVersion: "0.1.0",
};

test("an identity is read as it was written", () => {
  const version = fc.string({ unit: "binary", maxLength: 64 }).filter((text) => !/\p{Cc}/u.test(text));
  fc.assert(
    fc.property(fc.nat(), fc.nat(2 ** 40), version, (sequence, startTimeMs, softwareVersion) => {
      const written = { ...identity, sequence, startTimeMs, softwareVersion: softwareVersion.slice(0, 64) };
      const bytes = writeIdentityBox(written);
      expect(isIdentityBox(bytes, readBox(bytes))).toBe(true);
      expect(parseIdentityBox(bytes, readBox(bytes))).toEqual(written);
    }),
  );
});

test("its length does not change when the segment is dated anew", () => {
  const changes: Partial<SegmentIdentity>[] = [
    { clockState: "corrected" },
    { startTimeMs: 0 },
    { timeZone: "UTC" },
  ];
  for (const change of changes) expect(writeIdentityBox({ ...identity, ...change }).length).toBe(1024);
});

describe("refused", () => {
  const bytes = writeIdentityBox(identity);

  test("every changed byte", () => {
    for (let at = 8; at < bytes.length; at++) {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= 0x20;
      const box = readBox(changed);
      if (at < 8 + livecamUuid.length) expect(isIdentityBox(changed, box)).toBe(false);
      else expect(() => parseIdentityBox(changed, box)).toThrow("checksum");
    }
  });

  test("a checksum that is right over something else", () => {
    for (const json of [
      "{}",
      "[]",
      "null",
      '{"format_version":2}',
      "{",
      `{"format_version":1}${" ".repeat(50)}`,
    ]) {
      const text = new TextEncoder().encode(json);
      const box = new Uint8Array(8 + 16 + text.length + 4);
      const view = new DataView(box.buffer);
      view.setUint32(0, box.length);
      box.set([0x75, 0x75, 0x69, 0x64, ...livecamUuid, ...text], 4);
      view.setUint32(box.length - 4, Bun.hash.crc32(text));
      expect(() => parseIdentityBox(box, readBox(box))).toThrow("does not hold an identity");
    }
  });

  test("a field that is out of range is named", () => {
    const box = writeIdentityBox({ ...identity, fps: 9000, cameraId: "../x" });
    expect(() => parseIdentityBox(box, readBox(box))).toThrow(/camera_id: expected .*; fps: expected/);
  });

  test("a box with no room for anything", () => {
    const box = bytes.slice(0, 26);
    new DataView(box.buffer).setUint32(0, 26);
    expect(() => parseIdentityBox(box, readBox(box))).toThrow("past the end");
  });
});
