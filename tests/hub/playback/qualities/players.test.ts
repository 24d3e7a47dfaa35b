import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { archiveTestRun } from "../../../support/archived-run.ts";
import { archiveTestVideo } from "../../../support/archived-video.ts";
import { openBrowser, type TestBrowser } from "../../../support/browser.ts";
import { countFrames } from "../../../support/count-frames.ts";
import { gstreamerNeeds, hasGstreamer, playGstreamer } from "../../../support/gstreamer.ts";
import { playMixedHls, playMixedShaka } from "../../../support/in-page.js";
import { openPlayerPage } from "../../../support/player-page.ts";
import { openTestHub, type TestHub } from "../../../support/test-hub.ts";
import { testIf } from "../../../support/test-if.ts";

setDefaultTimeout(60_000);

const startMs = Date.parse("2025-09-23T06:30:00Z");
const at = (seconds: number) => new Date(startMs + seconds * 1000).toISOString();

let hub: TestHub;
let browser: TestBrowser | undefined;

/** With sound: twenty seconds in two segments, half a minute of nothing, six seconds of another run. */
beforeAll(async () => {
  hub = await openTestHub();
  const archive = join(hub.folder, "archive");
  const recipe = { audio: true, size: "640x360" };
  await hub.announce([
    ...(await archiveTestRun(archive, { ...recipe, startTimeMs: startMs, secondsPerVideo: [8, 12] })),
    ...(await archiveTestRun(archive, { ...recipe, startTimeMs: startMs + 50_000, secondsPerVideo: [6] })),
  ]);
  const reordered = { cameraId: "reordered", bFrames: 2, negativeOffsets: true, size: "640x360" };
  await hub.announce([
    ...(await archiveTestRun(archive, { ...reordered, startTimeMs: startMs, secondsPerVideo: [8] })),
    ...(await archiveTestRun(archive, { ...reordered, startTimeMs: startMs + 50_000, secondsPerVideo: [6] })),
  ]);
  const hevc = { cameraId: "hevc", codec: "h265", startTimeMs: startMs, width: 426, height: 240 } as const;
  await hub.announce([await archiveTestVideo(archive, { ...hevc, seconds: 3 })]);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await hub?.[Symbol.asyncDispose]();
});

const openPage = (library: Parameters<typeof openPlayerPage>[2] = "hls.js/dist/hls.js") =>
  openPlayerPage(browser, hub, library);
const masterOf = (cameraId: string) => `/api/cameras/${cameraId}/master.m3u8?from=${at(0)}&to=${at(60)}`;

describe("hls.js in Chromium", () => {
  test("changes quality down and up between parts without a hole, an error or a picture less", async () => {
    const { page, troubles } = await openPage();
    const played = await page.evaluate(playMixedHls, masterOf("cam01"));
    expect(played).toMatchObject({ errors: [], waits: [], corrupted: 0, frames: 260 });
    const changes = played.heights.slice(1).filter((height, i) => height !== played.heights[i]);
    expect([played.heights.length, new Set(changes)]).toEqual([5, new Set([240, 360])]);
    // One range from the first picture to the last.
    expect(played.ranges.length).toBe(1);
    expect(played.ranges[0]?.[0]).toBeLessThan(0.25);
    expect(played.ranges[0]?.[1]).toBeCloseTo(played.duration, 1);
    expect(troubles).toEqual([]);
  });

  test("changes quality between parts with B-frames, and into a new run", async () => {
    const { page } = await openPage();
    const played = await page.evaluate(playMixedHls, masterOf("reordered"));
    expect(played).toMatchObject({ errors: [], waits: [], corrupted: 0, frames: 140 });
    expect([played.heights.length, new Set(played.heights)]).toEqual([3, new Set([240, 360])]);
    expect(played.ranges).toEqual([[0, 14]]);
  });

  test("plays H.264 of a camera with H.265, which this browser does not know", async () => {
    const { page } = await openPage();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    const played = await page.evaluate(playMixedHls, masterOf("hevc"));
    expect(played).toMatchObject({ errors: [], corrupted: 0, frames: 30, heights: [240] });
    expect(asked.filter((url) => /stream\.mp4/.test(url))).toEqual([]);
  });
});

test("Shaka Player in Chromium changes quality down and up between parts without a picture less", async () => {
  const { page, troubles } = await openPage("shaka-player");
  const played = await page.evaluate(playMixedShaka, masterOf("reordered"));
  expect(played).toMatchObject({ errors: [], corrupted: 0, frames: 140, offered: [360, 240] });
  expect(new Set(played.shown)).toEqual(new Set([360, 240]));
  expect(troubles).toEqual([]);
});

describe("of the multivariant playlist", () => {
  test("ffmpeg finds every quality, and decodes every picture of each", async () => {
    const options = ["-headers", `Authorization: Bearer ${hub.clientKey}\r\n`];
    const path = `/api/cameras/cam01/master.m3u8?from=${at(0)}&to=${at(20)}`;
    for (const stream of ["v:0", "v:1"]) {
      expect(await countFrames(hub.url + path, { options, stream })).toBe(200);
    }
  });

  test("ffmpeg, which does not know discontinuities, loses one fragment at one: what a keyframe begins", async () => {
    const options = ["-v", "fatal", "-headers", `Authorization: Bearer ${hub.clientKey}\r\n`];
    const path = `/api/cameras/cam01/hls.m3u8?from=${at(0)}&to=${at(60)}&quality=240p`;
    expect(await countFrames(hub.url + path, { options })).toBe(240);
  });

  testIf(hasGstreamer, gstreamerNeeds)(
    "GStreamer decodes every picture, in what its network can do",
    async () => {
      const fast = await playGstreamer(hub, masterOf("cam01"));
      expect([fast.pictures, fast.asked.filter((path) => path.includes("/240p.mp4"))]).toEqual([260, []]);
      const slow = await playGstreamer(hub, masterOf("reordered"), { kbit: 500 });
      expect([slow.pictures, slow.asked.filter((path) => path.endsWith("/stream.mp4"))]).toEqual([140, []]);
    },
  );
});
