import { expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import { readArchiveFile } from "../../../src/common/mp4/archive-file.ts";
import { createDirectoryMediaSource } from "../../../src/hub/playback/directory-media-source.ts";
import { MediaIndexes } from "../../../src/hub/playback/hls/media-indexes.ts";
import { createRecordedBytes, piecesOf } from "../../../src/hub/playback/recorded-bytes.ts";
import { archiveTestVideo, writeTestArchiveIdentity } from "../../support/archived-video.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";

test("a range of what was recorded is in the archived file in one piece, or in two", () => {
  const parts = { init: { start: 500, end: 600 }, firstOffset: 640 };
  expect(piecesOf({ start: 0, end: 100 }, parts)).toEqual([{ start: 500, end: 600 }]);
  expect(piecesOf({ start: 100, end: 110 }, parts)).toEqual([{ start: 640, end: 650 }]);
  const both = [
    { start: 599, end: 600 },
    { start: 640, end: 641 },
  ];
  expect(piecesOf({ start: 99, end: 101 }, parts)).toEqual(both);
  fc.assert(
    fc.property(fc.nat(200), fc.integer({ min: 1, max: 200 }), (start, length) => {
      const pieces = piecesOf({ start, end: start + length }, parts);
      expect(pieces.reduce((sum, piece) => sum + piece.end - piece.start, 0)).toBe(length);
      expect(pieces.every((piece) => piece.end <= 600 || piece.start >= 640)).toBe(true);
    }),
  );
});

test("what was recorded comes out of the archive again, with the hash that the node computed", async () => {
  await using folder = await temporaryFolder();
  await writeTestArchiveIdentity(folder.path);
  const video = await archiveTestVideo(folder.path, {
    startTimeMs: Date.parse("2025-09-23T06:30:00Z"),
    seconds: 3,
  });
  const media = createDirectoryMediaSource({ root: folder.path });
  const videos = {
    findVideo: async (videoId: string) => (videoId === video.videoId ? video : undefined),
    updateVideoStatus: async () => undefined,
  };
  const recorded = createRecordedBytes({ videos, media, indexes: new MediaIndexes(media) });
  const found = await recorded.find(video.videoId);
  if (!found) throw new Error("not found");
  const bytesOf = async (start: number, end: number) =>
    new Uint8Array(await new Response(await found.body({ start, end })).arrayBuffer());
  const whole = await bytesOf(0, found.sizeBytes);
  expect(whole.length).toBe(found.sizeBytes);
  const { identity, initSizeBytes } = await readArchiveFile(join(folder.path, video.filePath));
  expect(new Bun.CryptoHasher("sha256").update(whole).digest("hex")).toBe(identity.recordedSha256);
  const around = await bytesOf(initSizeBytes - 10, initSizeBytes + 10);
  expect(Buffer.from(around).equals(whole.subarray(initSizeBytes - 10, initSizeBytes + 10))).toBe(true);
  expect(await recorded.find("01997563-54c0-7a4e-8e0a-2f6b1c9d3e5f")).toBeUndefined();
});
