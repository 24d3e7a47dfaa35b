import { expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ControlClient } from "../../src/edge/control/control-client.ts";
import { openBrowser } from "../support/browser.ts";
import { EdgeProcess, makeEdgeSite } from "../support/edge-process.ts";
import { startHubProcess } from "../support/hub-process.ts";
import * as inPage from "../support/in-page.js";
import { freePort } from "../support/ports.ts";
import { temporaryFolder } from "../support/sample-recording.ts";
import { makeAccounts, password, userName } from "../support/test-hub.ts";

// The hub and an edge as processes, and a real browser that plays what the camera gives now.

test("the live page plays the camera, says when it is paused or away, and plays again", async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, "data");
  const archive = join(folder.path, "videos");
  await mkdir(archive);
  const { nodeKey } = await makeAccounts(data);
  const port = await freePort();
  let hub = await startHubProcess({ data, archive, port });
  const site = await makeEdgeSite(folder.path, {
    hubUrl: hub.url,
    apiKey: nodeKey,
    cameras: [{ id: "cam01", source: { type: "test", width: 640, height: 360, fps: 15, bitrate: 400_000 } }],
  });
  let edge = new EdgeProcess(site);
  const control = new ControlClient(site.socket);
  await using browser = await openBrowser();
  try {
    await edge.logged("linked to the hub");
    await edge.logged("registered at the hub");
    // The page shows the newest picture at first.
    while (!(await control.snapshot("cam01").catch(() => undefined))) await Bun.sleep(50);
    const { page, troubles } = await browser.open({ width: 1000 });
    await page.goto(`${hub.url}/`);
    await page.fill("input[name=username]", userName);
    await page.fill("input[name=password]", password);
    await Promise.all([page.waitForURL(`${hub.url}/`), page.click("button[type=submit]")]);
    await page.goto(`${hub.url}/cameras/cam01`);
    await page.click("main a[href='/cameras/cam01/live']");

    const isPlaying = () => page.waitForFunction(inPage.livePlays, undefined, { timeout: 30_000 });
    await isPlaying();
    const screenshots = process.env.LIVECAM_SCREENSHOTS;
    if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, "live.png") });

    const [download] = await Promise.all([page.waitForEvent("download"), page.click("[data-tool=save]")]);
    expect(download.suggestedFilename()).toMatch(/^cam01_\d{8}_\d{6}\.jpg$/);
    expect((await Bun.file(await download.path()).bytes()).subarray(0, 3)).toEqual(
      Uint8Array.of(255, 216, 255),
    );
    await page.focus("[data-tool=recorded]");
    const recorded = new URL((await page.getAttribute("[data-tool=recorded]", "href")) ?? "", hub.url);
    expect(recorded.pathname).toBe("/cameras/cam01");
    expect(recorded.searchParams.get("at")).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

    // A phone that has slept: its connection is dead, and nobody says so.
    const { page: sleeper } = await browser.open();
    let connections = 0;
    let isDead = false;
    await sleeper.routeWebSocket(/\/live$/, (near) => {
      const isFirst = connections++ === 0;
      near.connectToServer().onMessage((message) => {
        if (!(isFirst && isDead)) near.send(message);
      });
    });
    await sleeper.clock.install();
    await sleeper.goto(`${hub.url}/cameras/cam01/live`);
    await sleeper.waitForFunction(inPage.livePlays, undefined, { timeout: 30_000 });
    isDead = true;
    while (connections < 2) {
      await sleeper.clock.fastForward(15_000);
      await Bun.sleep(100);
    }
    await sleeper.waitForFunction(inPage.livePlays, undefined, { timeout: 30_000 });
    await sleeper.close();

    await control.post("/cameras/cam01/pause");
    await page.waitForSelector("[data-state=stopped]", { timeout: 30_000 });
    expect(await page.evaluate(inPage.liveShowsNothing)).toBe(true);
    if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, "live-paused.png") });
    const snapshot = await page.request.get(`${hub.url}/api/cameras/cam01/snapshot`);
    expect(snapshot.status()).toBe(503);
    expect(await snapshot.json()).toMatchObject({ detail: expect.stringContaining("the camera is paused") });
    await control.post("/cameras/cam01/resume");
    await isPlaying();

    await edge.stop();
    await page.waitForSelector("[data-state=away]", { timeout: 30_000 });
    edge = new EdgeProcess(site);
    await isPlaying();
    expect(troubles).toEqual([]);

    hub.child.kill("SIGKILL");
    await hub.child.exited;
    await page.waitForSelector("[data-state=lost]", { timeout: 30_000 });
    expect(await page.isVisible("[data-when=lost]")).toBe(true);
    hub = await startHubProcess({ data, archive, port });
    // The longer the hub was away, the later the edge tries again.
    await page.waitForFunction(inPage.livePlays, undefined, { timeout: 120_000 });
  } finally {
    edge.kill("SIGKILL");
    await edge.exited;
    await hub[Symbol.asyncDispose]();
  }
}, 300_000);
