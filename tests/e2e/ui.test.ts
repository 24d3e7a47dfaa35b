import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { newUuidV7 } from "../../src/common/ids.ts";
import type { Video } from "../../src/hub/db/catalog.ts";
import { archiveTestVideo } from "../support/archived-video.ts";
import { openBrowser, type TestBrowser } from "../support/browser.ts";
import * as inPage from "../support/in-page.js";
import { heartbeatRequest, registerRequest } from "../support/node-reports.ts";
import { type RunningHub, startHub } from "../support/running-hub.ts";
import { reportedAlert } from "../support/sample-alert.ts";

// The hub as a process, a real browser, and videos as an edge archives them.

const segmentMs = 4_000;
let hub: RunningHub;
let browser: TestBrowser;
let videos: Video[];
/** Path of the page by its name. */
let paths: Record<string, string>;

beforeAll(async () => {
  [hub, browser] = await Promise.all([startHub(), openBrowser()]);
  await hub.post("/api/nodes/register", {
    ...registerRequest(),
    cameras: [
      { camera_id: "cam01", name: "Gate <b>& co</b>", source: "test" },
      { camera_id: "cam02", name: "마당", source: "test" },
    ],
  });
  const beat = heartbeatRequest();
  const idle = { message: null, width: null, height: null, codec: null, fps: null, bitrate_bps: null };
  const unknown = { last_fragment_at: null, run_started_at: null, restarts: 0 };
  await hub.post("/api/nodes/node01/heartbeat", {
    ...beat,
    alerts: [
      reportedAlert({
        ...{ camera_id: "cam02", raised_at: new Date(Date.now() - 600_000).toISOString() },
        params: { failures: 5, error: "ffmpeg ended: <i>no</i> such device" },
      }),
      reportedAlert({
        code: "from_the_future",
        camera_id: null,
        message: "<b>words</b> of its own",
        params: {},
      }),
    ],
    cameras: [
      { camera_id: "cam01", state: "recording", ...idle, ...unknown },
      {
        camera_id: "cam02",
        state: "retrying",
        ...idle,
        ...unknown,
        message: "ffmpeg ended: <i>no</i> such device",
      },
    ],
  });
  const first = Math.floor(Date.now() / 1000) * 1000 - 60 * 60_000;
  const at = (ms: number) => new Date(ms).toISOString();
  await hub.post("/api/nodes/node01/gaps", {
    protocol_version: 1,
    gaps: (["camera_failed", "node_down", "paused"] as const).map((cause, i) => ({
      gap_id: newUuidV7(first - (i + 1) * 600_000),
      camera_id: "cam01",
      from_time: at(first - (i + 1) * 600_000),
      to_time: at(first - (i + 1) * 600_000 + 300_000),
      cause,
      detail: "ffmpeg ended: <b>Connection</b> to tcp://192.0.2.40:554 failed: No route to host",
    })),
  });
  videos = [];
  for (let i = 0; i < 3; i++) {
    videos.push(
      await archiveTestVideo(hub.archive, {
        nodeId: "node01",
        startTimeMs: first + i * segmentMs,
        seconds: segmentMs / 1000,
        picture: ["testsrc2", "color=c=navy", "color=c=teal"][i] ?? "testsrc2",
      }),
    );
  }
  await hub.announce(videos);
  paths = {
    cameras: "/",
    day: "/cameras/cam01",
    "empty camera": "/cameras/cam02",
    video: `/videos/${videos[1]?.videoId}`,
    nodes: "/nodes",
    health: "/health",
    account: "/account",
    "not found": "/nothing/here",
  };
  const { page } = await browser.open();
  await signIn(page);
  await page.close();
}, 180_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await hub?.[Symbol.asyncDispose]();
});

async function signIn(page: Page) {
  await page.goto(`${hub.url}/`);
  await page.fill("input[name=username]", hub.login.username);
  await page.fill("input[name=password]", hub.login.password);
  await Promise.all([page.waitForURL(`${hub.url}/`), page.click("button[type=submit]")]);
}

const looks = (["en", "ko"] as const).flatMap((language) =>
  ([360, 1440] as const).flatMap((width) =>
    (["light", "dark"] as const).map((colorScheme) => ({ language, width, colorScheme })),
  ),
);

describe("every page", () => {
  for (const look of looks) {
    const { language, width, colorScheme } = look;
    test(`${language}, ${width} pixels, ${colorScheme}`, async () => {
      const { page, troubles } = await browser.open(look);
      for (const [name, path] of Object.entries(paths)) {
        await page.goto(hub.url + path, { waitUntil: "load" });
        const seen = await page.evaluate(inPage.look);
        const problems = troubles.splice(0).filter((text) => name !== "not found" || !/404/.test(text));
        expect({ name, problems }).toEqual({ name, problems: [] });
        expect({ name, ...seen }).toMatchObject({ name, language, brokenImages: 0 });
        expect(seen.heading).not.toBe("");
        expect(seen.overflow).toBeLessThanOrEqual(0);
        const lightness = Number(/\d+/.exec(seen.ground)?.[0]);
        expect(lightness > 128).toBe(colorScheme === "light");
        await keepScreenshot(page, `${name.replace(" ", "-")}-${language}-${width}-${colorScheme}`);
      }
      await page.close();
    }, 180_000);
  }

  test("shows names from outside as text", async () => {
    const { page } = await browser.open();
    await page.goto(`${hub.url}/`);
    const wall = (await page.textContent("main")) ?? "";
    expect(wall).toContain("Gate <b>& co</b>");
    expect(wall).toContain("ffmpeg ended: <i>no</i> such device");
    expect(await page.locator("main b, main i").count()).toBe(0);
    await page.close();
  });

  test("is reachable and usable by keyboard alone", async () => {
    const { page } = await browser.open();
    for (const path of Object.values(paths)) {
      await page.goto(hub.url + path);
      const wanted = await page.evaluate(inPage.countFocusable);
      const reached = new Set<number>();
      for (let i = 0; i < wanted + 10; i++) {
        await page.keyboard.press("Tab");
        const focused = await page.evaluate(inPage.lookAtFocus);
        if (!focused) continue;
        expect(focused).toMatchObject({ isMarked: true });
        reached.add(focused.index);
      }
      expect({ path, reached: reached.size }).toEqual({ path, reached: wanted });
    }
    await page.goto(`${hub.url}/cameras/cam01`);
    await page.focus("summary");
    await page.keyboard.press("Enter");
    expect(await page.locator(".calendar-sheet").isVisible()).toBe(true);
    await page.goto(`${hub.url}/`);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(inPage.focusedId)).toBe("content");
    await page.close();
  }, 180_000);

  test("works without script", async () => {
    const { page } = await browser.open();
    await page.route("**/assets/script*", (route) => route.abort());
    await page.goto(`${hub.url}/`);
    await page.click("h2 >> text=Gate");
    await page.click(".tile a >> nth=0");
    expect(await page.getAttribute("video", "src")).toBe(`/api/videos/${videos[2]?.videoId}/stream`);
    await page.click("a[rel=prev]");
    expect(new URL(page.url()).pathname).toBe(`/videos/${videos[1]?.videoId}`);
    await page.click(".crumb a");
    expect(new URL(page.url()).pathname).toBe("/cameras/cam01");
    await page.close();
  }, 180_000);
});

describe("the player", () => {
  test("plays, and seeks to where it is told", async () => {
    const { page, troubles } = await browser.open();
    await page.goto(`${hub.url}/videos/${videos[0]?.videoId}`);
    const times = [3.05, 1.25, 0.05, 2.65];
    const facts = await page.evaluate(inPage.playAndSeek, times);
    expect(facts).toMatchObject({ width: 640, height: 360, corrupted: 0 });
    expect(facts.duration).toBeCloseTo(segmentMs / 1000, 2);
    expect(facts.played).toEqual(facts.played.toSorted((a, b) => a - b));
    // Ten frames a second: the one shown began at most a tenth before the time asked for.
    for (const [index, asked] of times.entries()) {
      expect(facts.shown[index]).toBeLessThanOrEqual(asked + 0.001);
      expect(facts.shown[index]).toBeGreaterThan(asked - 0.101);
    }
    expect(troubles).toEqual([]);
    await page.close();
  }, 180_000);

  test("goes on with the next segment, in the same element, and ends with the last", async () => {
    const { page, troubles } = await browser.open();
    await page.goto(`${hub.url}/videos/${videos[1]?.videoId}`);
    await page.evaluate(inPage.playFrom, 3.5);
    await page.waitForURL(`${hub.url}/videos/${videos[2]?.videoId}`);
    await page.waitForFunction(inPage.playsOnInSameElement);
    expect(await page.getAttribute("video", "src")).toBe(`/api/videos/${videos[2]?.videoId}/stream`);
    expect(await page.textContent(".facts")).toContain(videos[2]?.fileSha256 ?? "?");
    expect(await page.locator("a[data-next]").count()).toBe(0);
    await page.evaluate(inPage.seekTo, 3.8);
    await page.waitForFunction(inPage.hasEnded);
    expect(page.url()).toBe(`${hub.url}/videos/${videos[2]?.videoId}`);
    expect(troubles).toEqual([]);
    await page.close();
  }, 180_000);

  test("goes on with a segment that was recorded while the one before was watched", async () => {
    const { page } = await browser.open();
    const last = videos.at(-1) as Video;
    await page.goto(`${hub.url}/videos/${last.videoId}`);
    expect(await page.locator("a[data-next]").count()).toBe(0);
    await page.evaluate(inPage.playFrom, 3.5);
    await page.waitForFunction(inPage.hasEnded);
    const video = await archiveTestVideo(hub.archive, {
      nodeId: "node01",
      startTimeMs: last.endTimeMs,
      seconds: 2,
    });
    await hub.announce([video]);
    await page.waitForURL(`${hub.url}/videos/${video.videoId}`);
    await page.waitForFunction(inPage.playsOnInSameElement);
    videos.push(video);
    await page.close();
  }, 180_000);
});

describe("people", () => {
  test("see the new video on the wall without doing anything", async () => {
    const { page } = await browser.open();
    await page.clock.install();
    await page.goto(`${hub.url}/`);
    const before = await page.getAttribute(".camera img", "src");
    const last = videos.at(-1) as Video;
    const video = await archiveTestVideo(hub.archive, {
      nodeId: "node01",
      startTimeMs: last.endTimeMs + 60_000,
      seconds: 1,
    });
    await hub.announce([video]);
    await page.clock.fastForward(16_000);
    await page.waitForFunction(inPage.showsOtherPicture, before);
    expect(await page.getAttribute(".camera img", "src")).toBe(`/api/videos/${video.videoId}/thumbnail`);
    await page.close();
  }, 180_000);

  test("choose a language, which stays", async () => {
    const { page } = await browser.open({ language: "en" });
    await page.goto(`${hub.url}/account`);
    await page.click("a[lang=ko]");
    expect(await page.getAttribute("html", "lang")).toBe("ko");
    await page.goto(`${hub.url}/nodes`);
    expect(await page.textContent("h1")).toBe("노드");
    await page.goto(`${hub.url}/account`);
    await page.click("a[lang=en]");
    expect(await page.getAttribute("html", "lang")).toBe("en");
    await browser.context.clearCookies({ name: "livecam_language" });
    await page.close();
  });

  test("sign out, are told when the password is wrong, and come back to where they wanted to go", async () => {
    const { page } = await browser.open();
    await page.goto(`${hub.url}/account`);
    await page.click("form[action='/logout'] button");
    await page.waitForURL(`${hub.url}/login`);
    await page.goto(`${hub.url}/cameras/cam01`);
    expect(new URL(page.url()).pathname).toBe("/login");
    await page.click("a[lang=ko]");
    await page.fill("input[name=username]", hub.login.username);
    await page.fill("input[name=password]", "not the password");
    await page.click("button[type=submit]");
    expect(await page.textContent("[role=alert]")).toContain("틀립니다");
    expect(await page.inputValue("input[name=username]")).toBe(hub.login.username);
    await page.fill("input[name=password]", hub.login.password);
    await page.click("button[type=submit]");
    await page.waitForURL(`${hub.url}/cameras/cam01`);
    expect(await page.getAttribute("html", "lang")).toBe("ko");
    await page.close();
  }, 180_000);
});

/** For a look by eye: `LIVECAM_SCREENSHOTS=folder`. */
async function keepScreenshot(page: Page, name: string) {
  const folder = process.env.LIVECAM_SCREENSHOTS;
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
