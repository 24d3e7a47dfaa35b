import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { archiveTestRun } from "../support/archived-run.ts";
import { openBrowser, type TestBrowser } from "../support/browser.ts";
import * as inPage from "../support/in-page.js";
import * as inPlayer from "../support/in-player.js";
import { registerRequest } from "../support/node-reports.ts";
import { openTestHub, password, type TestHub, userName } from "../support/test-hub.ts";

// A person without a mouse, from the login to the logout, by keys alone.

setDefaultTimeout(180_000);

const startMs = Date.parse("2025-09-23T06:30:00Z");
let hub: TestHub;
let browser: TestBrowser;

beforeAll(async () => {
  [hub, browser] = await Promise.all([openTestHub(), openBrowser()]);
  const archive = join(hub.folder, "archive");
  const cameras = ["cam01", "cam02"].map((id) => ({ camera_id: id, name: id, source: "test" }));
  const node = { ...registerRequest(), node_id: "site-1", cameras };
  expect((await hub.post("/api/nodes/register", node, hub.nodeKey)).ok).toBe(true);
  await hub.announce([
    ...(await archiveTestRun(archive, { startTimeMs: startMs, secondsPerVideo: [8, 8], audio: true })),
    ...(await archiveTestRun(archive, { startTimeMs: startMs - 86_400_000, secondsPerVideo: [4] })),
    ...(await archiveTestRun(archive, {
      ...{ cameraId: "cam02", startTimeMs: startMs, secondsPerVideo: [16] },
    })),
  ]);
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await hub?.[Symbol.asyncDispose]();
});

/** Tab until the focus is on what is looked for; each stop on the way shows that it has the focus. */
async function tabTo(page: Page, selector: string, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  for (let i = 0; i < 80; i++) {
    if (await page.evaluate(inPage.focusMatches, selector)) return;
    await page.keyboard.press(key);
    expect(await page.evaluate(inPage.lookAtFocus)).toMatchObject({ isMarked: true });
  }
  throw new Error(`no way by Tab to ${selector}`);
}

const seconds = async (page: Page) => ((await page.evaluate(inPlayer.atMs)) - startMs) / 1000;

test("signs in, finds a moment, takes a clip away, sees two cameras, and signs out", async () => {
  const { page, troubles } = await browser.open({ language: "en" });
  const { keyboard } = page;
  await page.goto(`${hub.url}/`);
  // The page is there to sign in, so one can begin to type.
  await keyboard.type(userName);
  await keyboard.press("Tab");
  await keyboard.type(password);
  await Promise.all([page.waitForURL(`${hub.url}/`), keyboard.press("Enter")]);

  await tabTo(page, "[data-wall-columns]");
  await keyboard.press("3");
  expect(await page.evaluate(inPage.lookAtWall)).toMatchObject({ columns: 3 });
  await tabTo(page, "[data-camera=cam01] a");
  await Promise.all([page.waitForURL(/\/cameras\/cam01/), keyboard.press("Enter")]);
  await page.waitForFunction(inPlayer.hasPicture);

  await tabTo(page, "[role=slider]");
  await keyboard.press("Home");
  await page.waitForFunction(inPlayer.isAt, startMs);
  await keyboard.press("ArrowUp");
  await page.waitForFunction(inPlayer.isAt, startMs + 5_000);
  await keyboard.press("ArrowLeft");
  await page.waitForFunction(inPlayer.isAt, startMs);
  await keyboard.press("l");
  await page.waitForFunction(inPlayer.isPast, startMs + 500);
  await keyboard.press("k");
  expect(await page.evaluate(inPlayer.isPlaying)).toBe(false);
  await page.waitForFunction(inPlayer.showsWhereItIs);
  const before = await page.evaluate(inPlayer.shownFrame);
  await keyboard.press(".");
  await page.waitForFunction(inPlayer.showsFrame, before + 1);
  await keyboard.press(",");
  await page.waitForFunction(inPlayer.showsFrame, before);
  await tabTo(page, "[data-part=play]");
  await keyboard.press("Space");
  expect(await page.evaluate(inPlayer.isPlaying)).toBe(true);
  await keyboard.press("Space");
  expect(await page.evaluate(inPlayer.isPlaying)).toBe(false);
  await tabTo(page, "[data-part=rate]");
  await keyboard.press("ArrowDown");
  expect(await page.inputValue("[data-part=rate]")).toBe("2");

  await keyboard.press("Tab");
  await tabTo(page, "[data-part=mark-from]");
  await keyboard.press("Enter");
  await tabTo(page, "[role=slider]", "Shift+Tab");
  await keyboard.press("ArrowRight");
  await page.waitForFunction(inPlayer.isPast, startMs + 5_000);
  await keyboard.press("o");
  await tabTo(page, "[data-part=clip]");
  const [download] = await Promise.all([page.waitForEvent("download"), keyboard.press("Enter")]);
  expect((await stat(await download.path())).size).toBeGreaterThan(10_000);
  await tabTo(page, "[data-part=clear]");
  await keyboard.press("Enter");
  // What had the focus is gone.
  expect(await page.evaluate(inPage.focusMatches, "[data-part=mark-from]")).toBe(true);

  await tabTo(page, ".in-step summary");
  await keyboard.press("Enter");
  await tabTo(page, "input[value=cam02]");
  await Promise.all([page.waitForURL(/with=cam02/), keyboard.press("Space")]);
  await page.waitForFunction(inPage.focusMatches, "input[value=cam02]:checked");
  await page.waitForFunction(inPlayer.hasPicture);
  const from = await seconds(page);
  await keyboard.press("l");
  await page.waitForFunction(inPlayer.isPast, startMs + from * 1000 + 300);
  await keyboard.press("k");
  await page.waitForFunction(inPlayer.isInStep, 400);

  await tabTo(page, ".calendar summary", "Shift+Tab");
  await keyboard.press("Enter");
  expect(await page.locator(".calendar-sheet").isVisible()).toBe(true);
  await keyboard.press("Escape");
  expect(await page.locator(".calendar-sheet").isVisible()).toBe(false);
  expect(await page.evaluate(inPage.focusMatches, ".calendar summary")).toBe(true);
  await keyboard.press("Enter");
  await tabTo(page, ".month a[href*='2025-09-22']");
  await Promise.all([page.waitForURL(/date=2025-09-22/), keyboard.press("Enter")]);
  await page.waitForFunction(inPlayer.hasPicture);
  // An open calendar lies over what comes next.
  await tabTo(page, ".calendar summary");
  await keyboard.press("Enter");
  await tabTo(page, ".screen video");
  expect(await page.locator(".calendar-sheet").isVisible()).toBe(false);

  await page.goBack();
  expect(page.url()).toContain("with=cam02");
  await tabTo(page, ".account");
  await Promise.all([page.waitForURL(`${hub.url}/account`), keyboard.press("Enter")]);
  await tabTo(page, "form[action='/logout'] button");
  await Promise.all([page.waitForURL(`${hub.url}/login`), keyboard.press("Enter")]);
  expect(troubles).toEqual([]);
  await page.close();
});
