import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { openBrowser, type TestBrowser } from "../../../support/browser.ts";
import { countFrames } from "../../../support/count-frames.ts";
import { gstreamerNeeds, hasGstreamer, playGstreamer } from "../../../support/gstreamer.ts";
import { checkReload, readHlsPlaylist } from "../../../support/hls-validator.ts";
import { playLiveHls } from "../../../support/in-page.js";
import { helloOf, LinkedNode } from "../../../support/linked-node.ts";
import { startLiveCamera } from "../../../support/live-camera.ts";
import { registerRequest } from "../../../support/node-reports.ts";
import { openPlayerPage } from "../../../support/player-page.ts";
import { openTestHub, type TestHub } from "../../../support/test-hub.ts";
import { testIf } from "../../../support/test-if.ts";

setDefaultTimeout(60_000);

// What a real encoder gives, in real time, through a hub to real players.

const path = "/api/cameras/cam01/live.m3u8";
let hub: TestHub;
let node: LinkedNode;
let camera: AsyncDisposable | undefined;
let browser: TestBrowser | undefined;

beforeAll(async () => {
  hub = await openTestHub();
  const key = await hub.makeKey("node", "node01");
  const cameras = [{ camera_id: "cam01", name: "cam01", source: "test" }];
  await hub.post("/api/nodes/register", { ...registerRequest(), cameras }, key);
  const methods = [...(helloOf("x").methods as string[]), "watch", "unwatch"];
  node = await LinkedNode.link(hub.url, "node01", key, { methods });
  node.answers.set("watch", () => {
    camera ??= startLiveCamera("cam01", { gopSeconds: 0.5, send: (frame) => node.send(frame) });
    return { result: {} };
  });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await camera?.[Symbol.asyncDispose]();
  node?.close();
  await hub?.[Symbol.asyncDispose]();
});

test("ffmpeg decodes every frame that it asks for", async () => {
  const options = ["-headers", `Authorization: Bearer ${hub.clientKey}\r\n`, "-read_intervals", "%+2"];
  expect(await countFrames(hub.url + path, { options })).toBe(20);
});

test("hls.js in Chromium plays on, and its answers follow from each other", async () => {
  const { page, troubles } = await openPlayerPage(browser, hub, "hls.js/dist/hls.js");
  const texts: Promise<string>[] = [];
  page.on("response", (response) => {
    if (response.url().endsWith(path)) texts.push(response.text());
  });
  const played = await page.evaluate(playLiveHls, { address: path, seconds: 3 });
  expect(played.errors).toEqual([]);
  expect(played.frames).toBeGreaterThanOrEqual(25);
  expect(troubles).toEqual([]);
  const playlists = (await Promise.all(texts)).map(readHlsPlaylist);
  expect(playlists.length).toBeGreaterThan(2);
  playlists.slice(1).forEach((after, i) => {
    checkReload(playlists[i] as typeof after, after);
  });
});

testIf(hasGstreamer, gstreamerNeeds)("GStreamer plays on", async () => {
  // Some more may come before it ends.
  expect((await playGstreamer(hub, path, { until: 30 })).pictures).toBeGreaterThanOrEqual(30);
});
