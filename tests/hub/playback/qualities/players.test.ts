import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { archiveTestRun } from "../../../support/archived-run.ts";
import { archiveTestVideo } from "../../../support/archived-video.ts";
import { openBrowser, type TestBrowser } from "../../../support/browser.ts";
import { countFrames } from "../../../support/count-frames.ts";
import { playMixedHls } from "../../../support/in-page.js";
import { openTestHub, type TestHub } from "../../../support/test-hub.ts";

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
  const hevc = { cameraId: "hevc", codec: "h265", startTimeMs: startMs, width: 426, height: 240 } as const;
  await hub.announce([await archiveTestVideo(archive, { ...hevc, seconds: 3 })]);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await hub?.[Symbol.asyncDispose]();
});

/** A page of the hub's with hls.js in it. */
async function openPage() {
  if (browser === undefined) throw new Error("there is no browser");
  const [name = "", value = ""] = (await hub.signIn()).split("=");
  await browser.context.addCookies([{ name, value, url: hub.url }]);
  const { page, troubles } = await browser.open();
  const script = Bun.resolveSync("hls.js/dist/hls.js", import.meta.dir);
  await page.route("**/assets/library.js", (route) =>
    route.fulfill({ path: script, contentType: "text/javascript" }),
  );
  await page.goto(`${hub.url}/api/docs`);
  await page.addScriptTag({ url: "/assets/library.js" });
  return { page, troubles };
}
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

  test("plays H.264 of a camera with H.265, which this browser does not know", async () => {
    const { page } = await openPage();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    const played = await page.evaluate(playMixedHls, masterOf("hevc"));
    expect(played).toMatchObject({ errors: [], corrupted: 0, frames: 30, heights: [240] });
    expect(asked.filter((url) => /stream\.mp4/.test(url))).toEqual([]);
  });
});

test("ffmpeg decodes every picture of the lower quality", async () => {
  const query = new URLSearchParams({ from: at(0), to: at(20), quality: "240p" });
  const options = ["-headers", `Authorization: Bearer ${hub.clientKey}\r\n`];
  expect(await countFrames(`${hub.url}/api/cameras/cam01/hls.m3u8?${query}`, { options })).toBe(200);
});
