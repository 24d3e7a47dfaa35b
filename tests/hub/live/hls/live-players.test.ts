import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runChild } from "../../../../src/common/child-process.ts";
import { openBrowser, type TestBrowser } from "../../../support/browser.ts";
import { countFrames } from "../../../support/count-frames.ts";
import { checkReload, readHlsPlaylist } from "../../../support/hls-validator.ts";
import { playLiveHls } from "../../../support/in-page.js";
import { helloOf, LinkedNode } from "../../../support/linked-node.ts";
import { startLiveCamera } from "../../../support/live-camera.ts";
import { registerRequest } from "../../../support/node-reports.ts";
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
  if (browser === undefined) throw new Error("there is no browser");
  const [name = "", value = ""] = (await hub.signIn()).split("=");
  await browser.context.addCookies([{ name, value, url: hub.url }]);
  const { page, troubles } = await browser.open();
  const script = Bun.resolveSync("hls.js/dist/hls.js", import.meta.dir);
  await page.route("**/assets/hls.js", (route) =>
    route.fulfill({ path: script, contentType: "text/javascript" }),
  );
  const texts: Promise<string>[] = [];
  page.on("response", (response) => {
    if (response.url().endsWith(path)) texts.push(response.text());
  });
  await page.goto(`${hub.url}/api/docs`);
  await page.addScriptTag({ url: "/assets/hls.js" });
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

const plugin = (name: string) =>
  new Bun.Glob(`*/gstreamer-1.0/${name}.so`).scanSync("/usr/lib").next().done !== true;
const hasGstreamer =
  existsSync("/usr/lib/python3/dist-packages/gi") && plugin("libgsthls") && plugin("libgstlibav");
testIf(
  hasGstreamer,
  "needs python3-gi, gstreamer1.0-plugins-bad and gstreamer1.0-libav (scripts/setup players)",
)("GStreamer plays on", async () => {
  // It reads the playlist again without the header that it was given.
  using signedIn = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ url }) =>
      fetch(hub.url + new URL(url).pathname, { headers: { authorization: `Bearer ${hub.clientKey}` } }),
  });
  const exit = await runChild({
    argv: [
      ...["/usr/bin/python3", join(import.meta.dir, "../../../support/gstreamer-player.py")],
      ...[`http://127.0.0.1:${signedIn.port}${path}`, "30"],
    ],
    timeoutMs: 50_000,
  });
  expect(exit.exitCode).toBe(0);
  // Some more may come before it ends.
  expect(Number(new TextDecoder().decode(exit.stdout))).toBeGreaterThanOrEqual(30);
});
