import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { newUuidV7 } from "../../src/common/ids.ts";
import { archiveTestRun } from "../support/archived-run.ts";
import { archiveTestVideo } from "../support/archived-video.ts";
import { openBrowser, type PageOptions, type TestBrowser } from "../support/browser.ts";
import * as inPlayer from "../support/in-player.js";
import { openTestHub, type TestHub } from "../support/test-hub.ts";

// The page of a camera's day in a real browser: 24 seconds in three segments, a minute and a half of nothing, another run.

setDefaultTimeout(180_000);

const startMs = Date.parse("2025-09-23T06:30:00Z");
const midnightMs = Date.parse("2025-09-23T15:00:00Z");
const at = (seconds: number) => new Date(startMs + seconds * 1000).toISOString();
const pathAt = (seconds: number, more = "") => `/cameras/cam01?at=${at(seconds)}${more}`;

let hub: TestHub;
let browser: TestBrowser;

beforeAll(async () => {
  [hub, browser] = await Promise.all([openTestHub(), openBrowser()]);
  const archive = join(hub.folder, "archive");
  await hub.announce([
    ...(await archiveTestRun(archive, { startTimeMs: startMs, secondsPerVideo: [8, 8, 8], audio: true })),
    ...(await archiveTestRun(archive, {
      startTimeMs: startMs + 114_000,
      secondsPerVideo: [10],
      audio: true,
    })),
    // Its sound was switched off.
    ...(await archiveTestRun(archive, { startTimeMs: startMs + 300_000, secondsPerVideo: [4] })),
    ...(await archiveTestRun(archive, {
      ...{ cameraId: "cam02", startTimeMs: startMs - 3_000, secondsPerVideo: [20], negative: true },
    })),
    ...(await archiveTestRun(archive, {
      ...{ cameraId: "loud", startTimeMs: startMs, secondsPerVideo: [10], codec: "h265", audio: true },
    })),
    // Over midnight in Seoul.
    ...(await archiveTestRun(archive, {
      ...{ cameraId: "night", startTimeMs: midnightMs - 4_000, secondsPerVideo: [4, 4] },
    })),
    await archiveTestVideo(archive, {
      ...{ cameraId: "hevc", codec: "h265", startTimeMs: startMs, width: 426, height: 240, seconds: 3 },
    }),
  ]);
  const gap = { gap_id: newUuidV7(startMs), camera_id: "cam01", cause: "camera_failed", detail: "" };
  const gaps = [{ ...gap, from_time: at(24), to_time: at(114) }];
  expect((await hub.post("/api/nodes/site-1/gaps", { protocol_version: 1, gaps }, hub.nodeKey)).status).toBe(
    200,
  );
  const [name = "", value = ""] = (await hub.signIn()).split("=");
  await browser.context.addCookies([{ name, value, url: hub.url }]);
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await hub?.[Symbol.asyncDispose]();
});

async function open(path: string, options: PageOptions = {}) {
  const { page, troubles } = await browser.open(options);
  await page.goto(hub.url + path);
  await page.waitForFunction(inPlayer.hasPicture);
  return { page, troubles };
}

/** Seconds from the beginning of what is recorded. */
const shownAt = async (page: Page) => ((await page.evaluate(inPlayer.atMs)) - startMs) / 1000;

/** A click on the timeline, which shows the day from midnight in Seoul on. */
async function clickAt(page: Page, wallMs: number) {
  const x = await page.evaluate(inPlayer.xOf, wallMs);
  await page.locator(".surface").click({ position: { x, y: 36 } });
}

describe("the player", () => {
  test("lands where the address leads, and plays over the borders of segments, every frame", async () => {
    const { page, troubles } = await open(pathAt(6));
    expect(await shownAt(page)).toBeCloseTo(6, 1);
    const before = await page.evaluate(inPlayer.figures);
    for (let i = 0; i < 3; i++) await page.keyboard.press("l");
    await page.waitForFunction(inPlayer.isPast, startMs + 18_000);
    await page.keyboard.press(" ");
    expect(await page.evaluate(inPlayer.isPlaying)).toBe(false);
    const seconds = await shownAt(page);
    const figures = await page.evaluate(inPlayer.figures);
    // Ten frames a second; the one that was seen at first is not new, and some are decoded ahead.
    expect(figures.decoded - before.decoded).toBeGreaterThanOrEqual(Math.floor((seconds - 6) * 10) - 5);
    expect(figures.errors).toEqual([]);
    await page.waitForFunction(inPlayer.addressIsOfWhatIsSeen);
    expect(troubles).toEqual([]);
    await page.close();
  });

  test("goes over what is not there, and says why", async () => {
    const { page } = await open(pathAt(22));
    await page.keyboard.press("l");
    await page.waitForFunction(inPlayer.isPast, startMs + 114_000);
    await page.waitForFunction(inPlayer.noteSays, "1 min 30 sec not there: No picture from the camera");
    await page.close();
  });

  test("takes the page along over midnight: title, calendar, tiles, address", async () => {
    const { page, troubles } = await open(
      `/cameras/night?date=2025-09-23&at=${new Date(midnightMs - 2_000).toISOString()}`,
    );
    const tiles = () => page.locator(".tile a").allTextContents();
    expect([await page.title(), await tiles()]).toEqual([
      "night, Tuesday, September 23, 2025 · livecam",
      ["23:59:56"],
    ]);
    await page.evaluate(inPlayer.mark);
    await page.keyboard.press("l");
    await page.waitForFunction(inPlayer.titleSays, "Wednesday, September 24, 2025");
    await page.waitForFunction(inPlayer.isPast, midnightMs + 1_000);
    await page.keyboard.press("k");
    expect(await tiles()).toEqual(["00:00:00"]);
    expect(await page.textContent(".calendar summary")).toContain("September 24");
    await page.waitForFunction(inPlayer.addressIsOfWhatIsSeen);
    // The player is the same one, and goes back with the page, too.
    expect(await page.evaluate(inPlayer.isMarked)).toBe(true);
    await page.keyboard.press("ArrowLeft");
    await page.waitForFunction(inPlayer.titleSays, "Tuesday, September 23, 2025");
    expect(await tiles()).toEqual(["23:59:56"]);
    expect(troubles).toEqual([]);
    await page.close();
  });

  test("goes on where the camera has no sound any more", async () => {
    const { page, troubles } = await open(pathAt(122));
    await page.keyboard.press("l");
    await page.waitForFunction(inPlayer.isPast, startMs + 301_000);
    await page.keyboard.press("k");
    expect(troubles).toEqual([]);
    await page.close();
  });

  test("waits at the newest, and goes on as soon as more is archived", async () => {
    const newestMs = Math.floor(Date.now() / 1000) * 1000 - 60_000;
    const archive = join(hub.folder, "archive");
    const run = { cameraId: "cam03", startTimeMs: newestMs, secondsPerVideo: [4, 4] };
    const [first, second] = await archiveTestRun(archive, run);
    await hub.announce(first ? [first] : []);
    const { page } = await browser.open();
    await page.clock.install();
    await page.goto(`${hub.url}/cameras/cam03?at=${new Date(newestMs + 2_000).toISOString()}`);
    await page.waitForFunction(inPlayer.hasPicture);
    await page.keyboard.press("l");
    await page.waitForFunction(inPlayer.noteSays, "This is the newest.");
    await hub.announce(second ? [second] : []);
    // It asks every fifteen seconds, and plays what it is then told of.
    const deadline = AbortSignal.timeout(90_000);
    while (!(await page.evaluate(inPlayer.isPast, newestMs + 5_000))) {
      deadline.throwIfAborted();
      await page.clock.fastForward(16_000);
      await Bun.sleep(1_000);
    }
    await page.close();
  });

  test("says that the hub does not answer, and plays by itself as soon as it does", async () => {
    const { page } = await browser.open();
    let isAway = true;
    await page.route(/hls\.m3u8|stream\.mp4/, (route) => (isAway ? route.abort() : route.continue()));
    await page.goto(hub.url + pathAt(6));
    await page.waitForFunction(inPlayer.noteSays, "The hub or the archive does not answer.");
    await page.keyboard.press("l");
    isAway = false;
    await page.waitForFunction(inPlayer.isPast, startMs + 8_000);
    await page.close();
  });

  test("plays H.264 of a camera with H.265, where the browser does not know that", async () => {
    const { page } = await browser.open();
    await page.goto(`${hub.url}/cameras/hevc?at=${at(0.5)}`);
    await page.waitForFunction(inPlayer.hasPicture);
    await page.waitForFunction(inPlayer.qualityIs, "h264");
    await page.keyboard.press("l");
    await page.waitForFunction(inPlayer.isPast, startMs + 1_500);
    await page.close();
  });

  test("plays H.265 with sound, and beside another camera in step with it", async () => {
    const alone = await browser.open();
    await alone.page.goto(`${hub.url}/cameras/loud?at=${at(0.5)}`);
    await alone.page.waitForFunction(inPlayer.hasPicture);
    await alone.page.waitForFunction(inPlayer.qualityIs, "h264");
    await alone.page.keyboard.press("l");
    await alone.page.waitForFunction(inPlayer.isPast, startMs + 1_500);
    await alone.page.close();

    const { page } = await open(pathAt(2, "&with=loud"));
    await page.waitForFunction(inPlayer.isInStep, 50);
    await page.keyboard.press(" ");
    await page.waitForFunction(inPlayer.isPast, startMs + 4_000);
    await page.keyboard.press("k");
    // Who pauses sees the same moment of both.
    await page.waitForFunction(inPlayer.isInStep, 50);
    expect(await page.textContent("[data-part=note]")).toBe("");
    await page.close();
  });

  test("seeks by a click on the timeline, to the next moment that is there", async () => {
    const { page } = await open(pathAt(6));
    await page.evaluate(inPlayer.zoomTo, [startMs - 60_000, startMs + 180_000]);
    await clickAt(page, startMs + 118_000);
    await page.waitForFunction(inPlayer.isPast, startMs + 117_000);
    expect(await shownAt(page)).toBeLessThan(119);
    await clickAt(page, startMs + 60_000);
    await page.waitForFunction(inPlayer.noteSays, "54 sec not there");
    await page.waitForFunction(inPlayer.isAt, startMs + 114_000);
    await page.waitForFunction(inPlayer.addressIsOfWhatIsSeen);
    await page.close();
  });

  test("is zoomed by two fingers, moved by one, and the page by one that goes up", async () => {
    const { page } = await open(pathAt(6), { width: 360, height: 740 });
    const wire = await page.context().newCDPSession(page);
    await wire.send("Emulation.setTouchEmulationEnabled", { enabled: true, maxTouchPoints: 2 });
    const box = await page.locator(".surface").boundingBox();
    const [left, y] = [box?.x ?? 0, (box?.y ?? 0) + 36];
    const touch = (type: "touchStart" | "touchMove" | "touchEnd", ...points: [x: number, y: number][]) =>
      wire.send("Input.dispatchTouchEvent", {
        type,
        touchPoints: points.map(([x, y], id) => ({ x, y, id })),
      });
    const length = async () => {
      const { fromMs, toMs } = await page.evaluate(inPlayer.view);
      return toMs - fromMs;
    };
    const whole = await length();
    await touch("touchStart", [left + 120, y]);
    await touch("touchStart", [left + 120, y], [left + 160, y]);
    for (let i = 1; i <= 6; i++) await touch("touchMove", [left + 120 - i * 10, y], [left + 160 + i * 10, y]);
    await touch("touchEnd");
    // From 40 pixels to 160.
    expect(await length()).toBeCloseTo(whole / 4, -3);
    const before = await page.evaluate(inPlayer.view);
    await touch("touchStart", [left + 100, y]);
    for (let i = 1; i <= 6; i++) await touch("touchMove", [left + 100 + i * 10, y]);
    await touch("touchEnd");
    const after = await page.evaluate(inPlayer.view);
    expect(before.fromMs - after.fromMs).toBeGreaterThan(0);
    expect(await page.evaluate(inPlayer.scrolled)).toBe(0);
    await touch("touchStart", [left + 100, y]);
    for (let i = 1; i <= 6; i++) await touch("touchMove", [left + 100, y - i * 20]);
    await touch("touchEnd");
    await page.waitForFunction(inPlayer.isScrolled);
    expect(await page.evaluate(inPlayer.view)).toEqual(after);
    await page.close();
  });

  test("fills the screen with its picture, timeline and controls", async () => {
    const { page } = await open(pathAt(6));
    await page.click("[data-part=full]");
    await page.waitForSelector("livecam-player:fullscreen");
    const [video, surface] = [
      await page.locator("video").boundingBox(),
      await page.locator(".surface").boundingBox(),
    ];
    const height = await page.evaluate(inPlayer.height);
    expect(video?.height).toBeGreaterThan(height * 0.6);
    expect((surface?.y ?? 0) + (surface?.height ?? 0)).toBeLessThan(height);
    await page.keyboard.press("f");
    await page.waitForSelector("livecam-player:not(:fullscreen)");
    await page.close();
  });

  test("does as its keys say", async () => {
    const { page } = await open(pathAt(6));
    const keepsAt = (seconds: number) => page.waitForFunction(inPlayer.isAt, startMs + seconds * 1000);
    await page.keyboard.press("ArrowRight");
    await keepsAt(11);
    await page.keyboard.press("ArrowLeft");
    await keepsAt(6);
    await page.waitForFunction(inPlayer.showsWhereItIs);
    const frame = await page.evaluate(inPlayer.shownFrame);
    await page.keyboard.press(".");
    await page.waitForFunction(inPlayer.showsFrame, frame + 1);
    await page.keyboard.press(".");
    await page.waitForFunction(inPlayer.showsFrame, frame + 2);
    await page.keyboard.press(",");
    await page.waitForFunction(inPlayer.showsFrame, frame + 1);
    await page.keyboard.press("l");
    await page.keyboard.press("l");
    expect(await page.inputValue("[data-part=rate]")).toBe("2");
    await page.waitForFunction(inPlayer.isPast, startMs + 9_000);
    await page.keyboard.press("j");
    const turnedMs = await page.evaluate(inPlayer.atMs);
    await page.waitForFunction(inPlayer.isBefore, turnedMs - 1_000);
    await page.keyboard.press("k");
    expect(await page.evaluate(inPlayer.isPlaying)).toBe(false);
    await page.close();
  });

  test("marks a part, which the hub then gives away", async () => {
    const { page } = await open(pathAt(6));
    expect(await page.locator("[data-part=clip]").isVisible()).toBe(false);
    await page.keyboard.press("i");
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(inPlayer.isAt, startMs + 11_000);
    await page.click("[data-part=mark-to]");
    const query = `from=${encodeURIComponent(at(6))}&to=${encodeURIComponent(at(11))}`;
    expect(await page.getAttribute("[data-part=clip]", "href")).toBe(`/api/cameras/cam01/clip.mp4?${query}`);
    expect(await page.textContent("[data-part=marked]")).toContain("5 sec");
    for (const name of ["clip", "evidence"]) {
      const href = (await page.getAttribute(`[data-part=${name}]`, "href")) ?? "";
      expect((await hub.get(href)).status).toBe(200);
    }
    await page.click("[data-part=clear]");
    expect(await page.locator("[data-part=clip]").isVisible()).toBe(false);
    await page.close();
  });

  test("gives away a part of several cameras as one ZIP", async () => {
    const { page } = await open(pathAt(6, "&with=cam02"));
    await page.click("[data-part=mark-from]");
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(inPlayer.isAt, startMs + 11_000);
    await page.click("[data-part=mark-to]");
    const link = page.locator("[data-part=clip]");
    expect(await link.textContent()).toBe("Save as videos in a ZIP");
    const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
    expect(download.suggestedFilename()).toEndWith(".zip");
    expect(await download.failure()).toBeNull();
    const zip = Buffer.from(await Bun.file(await download.path()).bytes());
    for (const cameraId of ["cam01", "cam02"]) expect(zip.includes(`${cameraId}_`)).toBe(true);
    await page.close();
  });

  test("keeps another camera at the same instant, and says when it has nothing", async () => {
    const { page, troubles } = await open(pathAt(12, "&with=cam02"));
    await page.waitForFunction(inPlayer.isInStep, 50);
    await page.keyboard.press(" ");
    // Slowly, so that it is looked at before its end, at 17.
    await page.selectOption("[data-part=rate]", "0.25");
    await page.waitForFunction(inPlayer.isPast, startMs + 12_500);
    await page.waitForFunction(inPlayer.isInStep, 200);
    expect(new URL(page.url()).searchParams.get("with")).toBe("cam02");
    await page.selectOption("[data-part=rate]", "2");
    await page.waitForSelector(".screen.away .no-footage", { state: "visible" });
    await page.click("[data-part=play]");
    expect(troubles).toEqual([]);
    await page.close();
  });
});

describe("the page", () => {
  test("without script is as it was: hours, videos, links", async () => {
    const { page } = await browser.open();
    await page.route("**/assets/script*", (route) => route.abort());
    await page.goto(hub.url + pathAt(6));
    expect(await page.locator("livecam-player").isVisible()).toBe(false);
    expect(await page.locator(".strip").isVisible()).toBe(true);
    expect(await page.locator(".tile").count()).toBe(5);
    await page.close();
  });

  for (const look of [
    { name: "light", options: { width: 1440 }, path: pathAt(6) },
    { name: "dark-360", options: { width: 360, colorScheme: "dark" }, path: pathAt(6) },
    { name: "korean", options: { language: "ko" }, path: pathAt(6, "&with=cam02") },
    { name: "korean-360", options: { width: 360, language: "ko" }, path: pathAt(6, "&with=cam02") },
  ] as const) {
    test(`fits and keeps the policy: ${look.name}`, async () => {
      const { page, troubles } = await open(look.path, look.options);
      expect(await page.evaluate(inPlayer.overflow)).toBeLessThanOrEqual(0);
      expect(troubles).toEqual([]);
      await keepScreenshot(page, look.name);
      await page.close();
    });
  }

  test("refuses odd moments and cameras, and leaves out those that are not known", async () => {
    for (const query of [
      "at=yesterday",
      "at=0000-01-01T00:00:00Z",
      "at=9999-12-31T00:00:00Z",
      "with=..%2f",
    ]) {
      expect((await hub.get(`/cameras/cam01?${query}`, { cookie: await hub.signIn() })).status).toBe(400);
    }
    const { page } = await open(pathAt(6, "&with=nowhere,cam02,cam01"));
    expect(await page.locator(".screen").count()).toBe(2);
    await page.close();
  });
});

/** For a look by eye: `LIVECAM_SCREENSHOTS=folder`. */
async function keepScreenshot(page: Page, name: string) {
  const folder = process.env.LIVECAM_SCREENSHOTS;
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `player-${name}.png`), fullPage: true });
}
