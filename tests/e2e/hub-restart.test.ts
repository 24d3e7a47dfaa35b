import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { archiveTestRun } from "../support/archived-run.ts";
import { openBrowser, type TestBrowser } from "../support/browser.ts";
import { type HubProcess, startHubProcess } from "../support/hub-process.ts";
import * as inPlayer from "../support/in-player.js";
import { freePort } from "../support/ports.ts";
import { temporaryFolder } from "../support/sample-recording.ts";
import { announceOf, makeAccounts, password, userName } from "../support/test-hub.ts";

// What was recorded, watched while the hub is killed and started again on the same port.

setDefaultTimeout(180_000);

const startMs = Date.parse("2025-09-23T06:30:00Z");
const pathAt = (seconds: number) => `/cameras/cam01?at=${new Date(startMs + seconds * 1000).toISOString()}`;
const unanswered = "The hub or the archive does not answer.";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let browser: TestBrowser;
let hub: HubProcess;
let places: { data: string; archive: string; port: number };

beforeAll(async () => {
  folder = await temporaryFolder();
  places = {
    ...{ data: join(folder.path, "data"), archive: join(folder.path, "videos") },
    port: await freePort(),
  };
  await mkdir(places.archive);
  const { nodeKey } = await makeAccounts(places.data, "site-1");
  [hub, browser] = await Promise.all([startHubProcess(places), openBrowser()]);
  // More than a player loads ahead.
  const run = { startTimeMs: startMs, secondsPerVideo: [60, 60] };
  const response = await fetch(`${hub.url}/api/videos/announce`, {
    method: "POST",
    headers: { authorization: `Bearer ${nodeKey}`, "content-type": "application/json" },
    body: JSON.stringify(announceOf(await archiveTestRun(places.archive, run))),
  });
  expect(response.status).toBe(200);
  const { page } = await browser.open();
  await page.goto(`${hub.url}/login`);
  await page.fill("input[name=username]", userName);
  await page.fill("input[name=password]", password);
  await Promise.all([page.waitForURL(`${hub.url}/`), page.click("button[type=submit]")]);
  await page.close();
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await hub?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

async function open(path: string) {
  const { page } = await browser.open();
  await page.goto(hub.url + path);
  await page.waitForFunction(inPlayer.hasPicture);
  return page;
}

test("a hub that is killed: the page says what it waits for, keeps its picture, and plays on by itself", async () => {
  const page = await open(pathAt(2));
  await page.keyboard.press("l");
  hub.child.kill("SIGKILL");
  await hub.child.exited;
  await page.evaluate(inPlayer.seek, startMs + 100_000);
  await page.waitForFunction(inPlayer.noteSays, unanswered);
  expect(await page.evaluate(inPlayer.keepsPicture)).toBe(true);
  hub = await startHubProcess(places);
  await page.waitForFunction(inPlayer.isPast, startMs + 102_000, { timeout: 60_000 });
  expect(await page.textContent("[data-part=note]")).toBe("");
  await page.close();
});

test("without an answer it is not said that there is no footage", async () => {
  const page = await open(pathAt(2));
  await page.route(/\/timeline\?/, (route) => route.abort());
  await page.evaluate(inPlayer.seek, startMs - 3 * 86_400_000);
  await page.waitForFunction(inPlayer.noteSays, unanswered);
  expect(await page.evaluate(inPlayer.isAt, startMs + 2_000)).toBe(true);
  await page.unroute(/\/timeline\?/);
  // The next that there is.
  await page.waitForFunction(inPlayer.isAt, startMs);
  await page.close();
});
