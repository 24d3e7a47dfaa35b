import { expect, test } from "bun:test";
import type { Video } from "../../../../src/hub/db/catalog.ts";
import { formatMaster } from "../../../../src/hub/playback/hls/format-master.ts";
import type { PlaylistEntry } from "../../../../src/hub/playback/hls/plan-playlist.ts";
import { readHlsMaster } from "../../../support/hls-validator.ts";
import { sampleVideo } from "../../../support/sample-videos.ts";

const fromMs = Date.UTC(2025, 8, 23);

/** Parts of some seconds and kilobits each. */
function entry(parts: [seconds: number, kilobits: number][], video: Partial<Video> = {}): PlaylistEntry {
  return {
    video: {
      ...sampleVideo({ startTimeMs: fromMs }),
      ...{ codec: "avc1.64001f", width: 1280, height: 720, fps: 25 },
      ...{ createdAtMs: 0, status: "available", notes: "", ...video },
    },
    parts: {
      ...{ init: { start: 0, end: 1 }, firstOffset: 1, timescale: 1_000, leadTicks: 0, startTicks: 0 },
      sizesBytes: Uint32Array.from(parts, ([, kilobits]) => kilobits * 125),
      durationsTicks: Float64Array.from(parts, ([seconds]) => seconds * 1_000),
      ...{ endTicks: 0, areIndependent: true },
    },
    ...{ lines: "", firstPart: 0, endPart: parts.length, startTimeMs: fromMs, isDiscontinuous: false },
  };
}
const sourceOf = (...entries: PlaylistEntry[]) =>
  readHlsMaster(formatMaster({ cameraId: "cam01", fromMs, toMs: fromMs + 60_000, entries, hasOthers: false }))
    .variants[0];

test("the peak is that of parts that last from half to one and a half target durations together", () => {
  // 6 s of 6 Mb/s among those of 1: with either neighbour it is more than 9 s.
  expect(
    sourceOf(
      entry([
        [6, 6_000],
        [6, 36_000],
        [6, 6_000],
      ]),
    ),
  ).toMatchObject({
    ...{ bandwidth: 6_000_000, averageBandwidth: 2_666_667 },
  });
  // A second of much is too short by itself.
  expect(
    sourceOf(
      entry([
        [5, 5_000],
        [1, 20_000],
        [5, 5_000],
      ]),
    ),
  ).toMatchObject({
    bandwidth: Math.ceil(25_000_000 / 6),
  });
  // And there is nothing else.
  expect(sourceOf(entry([[1, 500]]))).toMatchObject({ bandwidth: 500_000, averageBandwidth: 500_000 });
});

test("a codec that is none does not get into the playlist", () => {
  const master = (codec: string) =>
    formatMaster({
      ...{ cameraId: "cam01", fromMs, toMs: fromMs + 60_000, hasOthers: false },
      entries: [entry([[1, 500]], { codec })],
    });
  expect(master('avc1.64001f",URI="http://evil/,mp4a.40.2')).toContain(',CODECS="mp4a.40.2",');
  expect(master('"')).not.toContain("CODECS");
  expect(master("avc1.64001f,mp4a.40.2")).toContain(',CODECS="avc1.64001f,mp4a.40.2",');
});

test("only the parts in the range count", () => {
  const cut = {
    ...entry([
      [6, 60_000],
      [6, 6_000],
      [6, 60_000],
    ]),
    firstPart: 1,
    endPart: 2,
  };
  expect(sourceOf(cut)).toMatchObject({ bandwidth: 1_000_000, averageBandwidth: 1_000_000 });
});

test("what is said holds for all videos of the range", () => {
  const other = { codec: "hvc1.1.6.L93.B0,mp4a.40.2", width: 1920, height: 1080, fps: 29.97 };
  const entries = [entry([[6, 6_000]]), entry([[6, 6_000]], other), entry([[6, 6_000]])];
  const master = formatMaster({ cameraId: "cam01", fromMs, entries, hasOthers: true });
  const { variants } = readHlsMaster(master);
  expect(variants.map(({ stableId, codecs, resolution }) => [stableId, resolution, codecs.join()])).toEqual([
    ["source", "1920x1080", "avc1.64001f,hvc1.1.6.L93.B0,mp4a.40.2"],
    ["h264", "1920x1080", "avc1.64001f,avc1.64002a,mp4a.40.2"],
    ["720p", "1280x720", "avc1.64001f,avc1.640020,mp4a.40.2"],
    ["480p", "854x480", "avc1.64001f,mp4a.40.2"],
    ["240p", "426x240", "avc1.64001e,mp4a.40.2"],
  ]);
  expect(new Set(variants.map(({ frameRate }) => frameRate))).toEqual(new Set([29.97]));
  // Without an end it grows.
  expect(variants.map(({ uri }) => uri.replace(/^.*\?/, ""))).toEqual(
    ["", "&quality=h264", "&quality=720p", "&quality=480p", "&quality=240p"].map(
      (rest) => `from=2025-09-23T00%3A00%3A00.000Z${rest}`,
    ),
  );
});

test("parts that need the one before make only the qualities that are not made anew depend on each other", () => {
  const open = entry([[6, 6_000]]);
  open.parts.areIndependent = false;
  const isIndependent = (entries: PlaylistEntry[]) =>
    readHlsMaster(formatMaster({ cameraId: "cam01", fromMs, entries, hasOthers: true })).isIndependent;
  expect([isIndependent([open]), isIndependent([entry([[6, 6_000]])])]).toEqual([false, true]);
});
