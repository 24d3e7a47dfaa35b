import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import { formatLinkFrame } from "../../src/common/protocol/link-frame.ts";
import { openBrowser, type TestBrowser } from "../support/browser.ts";
import * as inPage from "../support/in-page.js";
import { helloOf, LinkedNode } from "../support/linked-node.ts";
import { startLiveCamera } from "../support/live-camera.ts";
import { registerRequest } from "../support/node-reports.ts";
import { openTestHub, type TestHub } from "../support/test-hub.ts";

// A hub, a node with two cameras that an encoder feeds in real time, and a real browser before the wall.

let hub: TestHub;
let browser: TestBrowser;
let node: LinkedNode;
/** What the node was asked for, in order. */
const asked: string[] = [];
const running = new Map<string, AsyncDisposable>();

beforeAll(async () => {
  hub = await openTestHub();
  const key = await hub.makeKey("node", "node01");
  const cameras = ["cam01", "cam02"].map((id) => ({ camera_id: id, name: id, source: "test" }));
  await hub.post("/api/nodes/register", { ...registerRequest(), cameras }, key);
  const jpeg = await onePicture();
  const methods = [...(helloOf("x").methods as string[]), "watch", "unwatch"];
  node = await LinkedNode.link(hub.url, "node01", key, { methods });
  node.answers.set("snapshot", ({ camera_id }, id) => {
    const header = { type: "snapshot", id, camera_id: String(camera_id), media_type: "image/jpeg" } as const;
    return formatLinkFrame({ header, payload: jpeg });
  });
  node.answers.set("watch", ({ camera_id }) => {
    const cameraId = String(camera_id);
    asked.push(`watch ${cameraId}`);
    void running.get(cameraId)?.[Symbol.asyncDispose]();
    running.set(cameraId, startLiveCamera(cameraId, { gopSeconds: 0.5, send: (frame) => node.send(frame) }));
    return { result: {} };
  });
  node.answers.set("unwatch", ({ camera_id }) => {
    asked.push(`unwatch ${camera_id}`);
    void running.get(String(camera_id))?.[Symbol.asyncDispose]();
    return { result: {} };
  });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  for (const camera of running.values()) await camera[Symbol.asyncDispose]();
  node?.close();
  await hub?.[Symbol.asyncDispose]();
});

async function onePicture(): Promise<Uint8Array<ArrayBuffer>> {
  const source = ["-f", "lavfi", "-i", "color=c=teal:s=320x180", "-frames:v", "1"];
  const exit = await runChild({
    argv: ["ffmpeg", "-v", "error", ...source, "-f", "image2pipe", "-c:v", "mjpeg", "pipe:1"],
    timeoutMs: 30_000,
  });
  return exit.stdout;
}

const isAsked = async (...last: string[]) => {
  while (asked.slice(-last.length).sort().join() !== last.join()) await Bun.sleep(10);
};

test("the wall: newest pictures, live while it is seen, and as it was chosen the time before", async () => {
  const [name = "", value = ""] = (await hub.signIn()).split("=");
  await browser.context.addCookies([{ name, value, url: hub.url }]);
  const { page, troubles } = await browser.open({ width: 1440 });
  await page.clock.install();
  await page.goto(`${hub.url}/`);
  await page.waitForSelector(".camera img[src*='/cam01/snapshot']");
  await page.waitForSelector(".camera img[src*='/cam02/snapshot']");
  expect(asked).toEqual([]);

  await page.selectOption("[data-wall-columns]", "4");
  await page.check("[data-wall-live]");
  await page.waitForFunction(inPage.wallPlays, 2, { timeout: 30_000 });
  await isAsked("watch cam01", "watch cam02");
  await page.hover("[data-camera=cam02]");
  await page.click("[data-camera=cam02] [data-tile=live]");
  await isAsked("unwatch cam02");

  await page.reload();
  await page.waitForFunction(inPage.wallPlays, 1, { timeout: 30_000 });
  expect(await page.evaluate(inPage.lookAtWall)).toEqual({ columns: 4, playing: ["cam01"], pressed: 1 });
  await page.evaluate(inPage.hidePage, true);
  await page.clock.fastForward(11_000);
  await isAsked("unwatch cam01");
  await page.evaluate(inPage.hidePage, false);
  await page.clock.fastForward(1_000);
  await page.waitForFunction(inPage.wallPlays, 1, { timeout: 30_000 });

  // What the hub says now is taken in without touching what plays.
  const cameras = ["cam01", "cam03"].map((id) => ({ camera_id: id, name: `now ${id}`, source: "test" }));
  await hub.post("/api/nodes/register", { ...registerRequest(), cameras }, hub.nodeKey);
  await page.clock.fastForward(16_000);
  await page.waitForSelector("[data-camera=cam03]");
  expect(await page.textContent("[data-camera=cam01] h2")).toBe("now cam01");
  await page.waitForFunction(inPage.wallPlays, 1, { timeout: 30_000 });

  // While the hub does not answer, the page says that what it shows is old.
  await page.route(`${hub.url}/`, (route) => route.abort());
  await page.clock.fastForward(16_000);
  await page.waitForSelector("p[data-hub-away]");
  await page.unroute(`${hub.url}/`);
  await page.clock.fastForward(16_000);
  await page.waitForSelector("p[data-hub-away]", { state: "hidden" });

  await page.hover("[data-camera=cam01]");
  await page.click("[data-camera=cam01] [data-tile=full]");
  await page.waitForSelector("[data-camera=cam01] .picture:fullscreen");
  const screen = await page.evaluate(inPage.screenSize);
  expect(await page.locator("[data-camera=cam01] .picture").boundingBox()).toMatchObject(screen);
  await page.evaluate(inPage.leaveFullScreen);

  // Of more cameras than fit on the screen, each is seen whole.
  await page.selectOption("[data-wall-columns]", "1");
  await page.click("[data-wall-full]");
  await page.waitForSelector(".wall:fullscreen");
  for (const id of ["cam01", "cam03"]) {
    const [tile, picture] = [`[data-camera=${id}]`, `[data-camera=${id}] .picture`];
    const shown = await page.locator(tile).boundingBox();
    expect(shown?.width).toBeGreaterThan(screen.width * 0.9);
    expect(shown?.height).toBeGreaterThan((await page.locator(picture).boundingBox())?.height ?? 0);
  }
  const screenshots = process.env.LIVECAM_SCREENSHOTS;
  if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, "wall-full.png") });
  expect(troubles).toEqual([expect.stringContaining("ERR_FAILED")]);
}, 180_000);
