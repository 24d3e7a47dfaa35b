import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { archiveTestRun } from "../../../support/archived-run.ts";
import { openBrowser, type TestBrowser } from "../../../support/browser.ts";
import { countFrames } from "../../../support/count-frames.ts";
import { gstreamerNeeds, hasGstreamer, playGstreamer } from "../../../support/gstreamer.ts";
import { openHls, openShaka, playHls, playShaka, seekHls } from "../../../support/in-page.js";
import { openPlayerPage } from "../../../support/player-page.ts";
import { openTestHub, type TestHub } from "../../../support/test-hub.ts";
import { testIf } from "../../../support/test-if.ts";

setDefaultTimeout(60_000);

const startMs = Date.parse("2025-09-23T06:30:00Z");
const at = (seconds: number) => new Date(startMs + seconds * 1000).toISOString();
const pathOf = (from: number, to: number, cameraId = "cam01") =>
  `/api/cameras/${cameraId}/hls.m3u8?from=${at(from)}&to=${at(to)}`;

let hub: TestHub;
let browser: TestBrowser | undefined;

/** With sound: twenty seconds in three segments, half a minute of nothing, six seconds of another run. */
beforeAll(async () => {
  hub = await openTestHub();
  const archive = join(hub.folder, "archive");
  await hub.announce([
    ...(await archiveTestRun(archive, { startTimeMs: startMs, secondsPerVideo: [8, 7, 5], audio: true })),
    ...(await archiveTestRun(archive, { startTimeMs: startMs + 50_000, secondsPerVideo: [6], audio: true })),
  ]);
  // As hls.js needs them, which knows no edit lists, and as the edge writes them.
  const reordered = { cameraId: "reordered", bFrames: 2, audio: true, negativeOffsets: true };
  const edited = { cameraId: "edited", bFrames: 2, audio: true, editLists: true };
  for (const recipe of [reordered, edited]) {
    await hub.announce([
      ...(await archiveTestRun(archive, { ...recipe, startTimeMs: startMs, secondsPerVideo: [4, 3] })),
      ...(await archiveTestRun(archive, {
        ...recipe,
        startTimeMs: startMs + 20_000,
        secondsPerVideo: [3],
      })),
    ]);
  }
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await hub?.[Symbol.asyncDispose]();
});

const openPage = (library: Parameters<typeof openPlayerPage>[2]) => openPlayerPage(browser, hub, library);

describe("hls.js in Chromium", () => {
  test("plays over segments and discontinuity without running dry, every frame", async () => {
    const { page, troubles } = await openPage("hls.js/dist/hls.js");
    const asked: string[] = [];
    page.on("request", (request) => asked.push(`${request.url()} ${request.headers().range ?? ""}`));
    const opened = await page.evaluate(openHls, pathOf(-60, 120));
    expect(opened.duration).toBeCloseTo(26, 0);
    const played = await page.evaluate(playHls, 4);
    expect(played).toMatchObject({ errors: [], waits: [], corrupted: 0 });
    expect(played.frames).toBe(260);
    // Half a minute was not recorded: the clock of the player knows.
    expect(Math.abs(Date.parse(played.date ?? "") - startMs - 56_000)).toBeLessThan(300);
    expect(troubles).toEqual([]);
    // Byte ranges of the archived files, and nothing else.
    const media = asked.filter((one) => !one.includes(".m3u8"));
    expect(media.length).toBe(8);
    for (const one of media) expect(one).toMatch(/\/api\/videos\/[0-9a-f-]+\/stream\.mp4 bytes=\d+-\d+$/);
  });

  test("plays B-frames into a new run without a hole between, and ends", async () => {
    const { page, troubles } = await openPage("hls.js/dist/hls.js");
    await page.evaluate(openHls, pathOf(0, 60, "reordered"));
    const played = await page.evaluate(playHls, 4);
    expect(played).toMatchObject({ errors: [], waits: [], corrupted: 0, frames: 100 });
    expect(played.ranges.length).toBe(1);
    expect(troubles).toEqual([]);
  });

  test("begins at the moment asked for, and seeks to the frame", async () => {
    const { page } = await openPage("hls.js/dist/hls.js");
    const opened = await page.evaluate(openHls, pathOf(9.5, 60));
    expect(opened.time).toBeCloseTo(1.5, 1);
    for (const time of [10.05, 3.35, 14.95, 0.05]) {
      const { shown } = await page.evaluate(seekHls, time);
      // Frames last 0.1 s; the first of a run a little longer.
      expect(Math.abs(shown - time)).toBeLessThan(0.13);
    }
  });
});

describe("Shaka Player in Chromium", () => {
  test("plays over segments and discontinuity without running dry, every frame", async () => {
    const { page, troubles } = await openPage("shaka-player");
    const opened = await page.evaluate(openShaka, pathOf(-60, 120));
    expect(opened.duration).toBeCloseTo(26, 0);
    const played = await page.evaluate(playShaka, 4);
    expect(played).toMatchObject({ errors: [], waits: [], corrupted: 0, frames: 260 });
    expect(troubles).toEqual([]);
  });

  test("plays B-frames with edit lists into a new run without a hole between", async () => {
    const { page } = await openPage("shaka-player");
    await page.evaluate(openShaka, pathOf(0, 60, "edited"));
    const played = await page.evaluate(playShaka, 4);
    expect(played).toMatchObject({ errors: [], corrupted: 0, frames: 100 });
    expect(played.ranges.length).toBe(1);
  });
});

describe("other players", () => {
  const options = () => ["-headers", `Authorization: Bearer ${hub.clientKey}\r\n`];

  test("ffmpeg decodes every frame of a run", async () => {
    expect(await countFrames(hub.url + pathOf(0, 20), { options: options() })).toBe(200);
  });

  test("ffmpeg, which does not know discontinuities, loses one fragment at one", async () => {
    // It says so itself: "DTS 0 < 204014 out of order".
    const quiet = ["-v", "fatal", ...options()];
    expect(await countFrames(hub.url + pathOf(0, 60), { options: quiet })).toBeGreaterThanOrEqual(250);
  });

  testIf(hasGstreamer, gstreamerNeeds)(
    "GStreamer decodes every frame, over the discontinuity, too",
    async () => {
      expect((await playGstreamer(hub, pathOf(0, 60))).pictures).toBe(260);
    },
  );
});
