import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { newUuidV7 } from "../../src/common/ids.ts";
import { GapCause } from "../../src/common/protocol/gap.ts";
import { createAuthRoutes } from "../../src/hub/auth/auth.routes.ts";
import type { EdgeVideo } from "../../src/hub/edge-footage/edge-footage.ts";
import type { Principal } from "../../src/hub/http/app-env.ts";
import { createEdgeVideoPages } from "../../src/hub/ui/edge-video.routes.tsx";
import { createLoginRenderer } from "../../src/hub/ui/render-login.tsx";
import { cameraOf, nodeOf, troubledNode, usualData, videoAt } from "../hub/ui/page-data.ts";
import { createPageApp, fakeServices, nowMs, type PageData } from "../hub/ui/page-server.ts";
import { findAxeProblems } from "../support/axe.ts";
import { openBrowser, type TestBrowser } from "../support/browser.ts";
import * as inPage from "../support/in-page.js";

// Every page in every state that it has, before axe-core: the pages as they are, over lists instead of a hub.

const clock = { wallMs: () => nowMs, monotonicMs: () => 0 };
const linked = { isConnected: true, sinceMs: nowMs - 60_000, reason: undefined };

const onEdge: EdgeVideo[] = (["recording", "uploading", "on_edge"] as const).map((status, i) => ({
  ...{ videoId: newUuidV7(nowMs - (i + 1) * 600_000), cameraId: "cam01", nodeId: "site-1" },
  ...{ runId: "02bb5696-bf3c-4bf4-828d-881531f7cd36", sequence: i, sizeBytes: 30_000_000 },
  ...{ startTimeMs: nowMs - (i + 1) * 600_000, endTimeMs: nowMs - i * 600_000, codec: "avc1.64001f" },
  ...{ width: 1920, height: 1080, clockState: "synced", isMock: i === 2, status, progress: 0.43 },
}));

function fullData(): PageData {
  const usual = usualData();
  const mock = videoAt(nowMs - 3_600_000, { durationMs: 300_000, isMock: true });
  const damaged = videoAt(nowMs - 3_000_000, { durationMs: 200_000, status: "damaged", notes: "note" });
  const missing = videoAt(nowMs - 2_700_000, { durationMs: 200_000, status: "missing" });
  const states = ["starting", "paused", "stalled", "retrying", "stopped", "unknown"] as const;
  const part = (state: "degraded" | "down", message: string) => ({
    ...{ state, message, figures: { free_bytes: 0 }, checkedAtMs: nowMs },
  });
  return {
    ...usual,
    videos: [...usual.videos, mock, damaged, missing],
    cameras: [
      ...usual.cameras,
      ...states.map((state) =>
        cameraOf(state, {
          ...{ state, nodeId: "site-2", message: state === "retrying" ? "ffmpeg ended" : null },
          ...{ pausedSinceMs: state === "paused" ? nowMs - 60_000 : null },
        }),
      ),
    ],
    nodes: [...usual.nodes, troubledNode(), nodeOf("site-3", { status: "never_seen", cameraIds: [] })],
    gaps: GapCause.options.map((cause, i) => ({
      ...{ gapId: newUuidV7(nowMs), nodeId: "site-1", cameraId: "cam01", cause, detail: "ffmpeg ended" },
      ...{ fromMs: nowMs - (i + 20) * 600_000, toMs: nowMs - (i + 20) * 600_000 + 300_000 },
    })),
    onEdge: { videos: onEdge, asOfMs: nowMs, isCut: false },
    links: { "site-1": linked, "site-2": linked },
    status: {
      ...usual.status,
      state: "degraded",
      parts: {
        ...usual.status.parts,
        archive: { ...part("down", "in English"), findings: ["no_folder"] },
        disk: part("degraded", "ENOENT: no such file or directory"),
      },
    },
  };
}

const data = fullData();
const emptyHub = { ...data, cameras: [], nodes: [], videos: [] };
const [mock, damaged, missing] = data.videos.slice(-3);
const edgeVideo = onEdge[2] as EdgeVideo;
const at = new Date(edgeVideo.startTimeMs).toISOString();
const paths = [
  ...["/", "/nodes", "/health", "/account", "/api/docs", "/nothing/here"],
  ...["/cameras/cam01", "/cameras/cam01?with=paused,retrying", "/cameras/cam01?date=2001-01-01"],
  ...["/cameras/cam01/live", "/cameras/paused/live", "/cameras/retrying", "/cameras/cam01?date=x"],
  ...[mock, damaged, missing].map((video) => `/videos/${video?.videoId}`),
  `/cameras/cam01/on-edge/${edgeVideo.videoId}?at=${encodeURIComponent(at)}`,
];

let full: Bun.Server<undefined>;
let empty: Bun.Server<undefined>;
/** For who is not signed in. */
let nobodys: Bun.Server<undefined>;
let browser: TestBrowser;

function serve(given: PageData, principal?: Principal) {
  const { assets } = createPageApp(given);
  const signIn = { signIn: async () => ({ result: "wrong_credentials" }) };
  const { app } = createPageApp(given, {
    ...(principal && { principal }),
    routes: [
      createAuthRoutes({
        signIn: signIn as unknown as Parameters<typeof createAuthRoutes>[0]["signIn"],
        ...{ publicOrigin: undefined, renderLogin: createLoginRenderer({ clock, assets }) },
      }),
      createEdgeVideoPages({ ...fakeServices(given), fetchNext: async () => {}, clock, assets }),
    ],
  });
  return Bun.serve({
    ...{ port: 0, hostname: "127.0.0.1" },
    fetch: (request) => app.fetch(request, { addressOf: () => "127.0.0.1" }),
  });
}

beforeAll(async () => {
  full = serve(data);
  empty = serve(emptyHub);
  nobodys = serve(data, { kind: "anonymous" });
  browser = await openBrowser();
  const cookies = [full, empty].map(({ url }) => ({ name: "livecam_session", value: "x", url: url.origin }));
  await browser.context.addCookies(cookies);
}, 60_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await full?.stop(true);
  await empty?.stop(true);
  await nobodys?.stop(true);
});

describe("nothing that axe-core knows is wrong with any page", () => {
  for (const [language, width] of [
    ["ko", 360],
    ["en", 1440],
  ] as const) {
    for (const colorScheme of ["light", "dark"] as const) {
      test(`${language}, ${width} pixels, ${colorScheme}`, async () => {
        const { page } = await browser.open({ language, width, colorScheme });
        for (const [server, list] of [
          [full, paths],
          [empty, ["/", "/nodes"]],
        ] as const) {
          for (const path of list) {
            await page.goto(`${server.url.origin}${path}`);
            await page.evaluate(inPage.openAll);
            expect({ path, problems: await findAxeProblems(page) }).toEqual({ path, problems: [] });
          }
        }
        await page.goto(`${nobodys.url.origin}/login`);
        expect(await findAxeProblems(page)).toEqual([]);
        await page.fill("input[name=username]", "ada");
        await page.fill("input[name=password]", "wrong");
        await page.click("button[type=submit]");
        await page.waitForSelector("[role=alert]");
        expect(await findAxeProblems(page)).toEqual([]);
        await page.close();
      }, 300_000);
    }
  }
});

describe("no page is wider than its window", () => {
  for (const [language, width] of [
    ["ko", 360],
    ["en", 360],
    ["ko", 768],
    ["en", 768],
  ] as const) {
    test(`${language}, ${width} pixels, also with letters of twice the size`, async () => {
      const { page } = await browser.open({ language });
      for (const path of paths) {
        await page.setViewportSize({ width: 1440, height: 900 });
        await page.goto(`${full.url.origin}${path}`);
        // As when a tablet is turned: what was drawn for the wider window must not keep the page wide.
        await page.evaluate(inPage.nextFrame);
        await page.setViewportSize({ width, height: 900 });
        await page.evaluate(inPage.openAll);
        const asIs = await page.evaluate(inPage.look);
        await page.evaluate(inPage.enlargeText);
        const enlarged = await page.evaluate(inPage.look);
        expect({ path, overflow: [asIs.overflow, enlarged.overflow] }).toEqual({ path, overflow: [0, 0] });
      }
      await page.close();
    }, 300_000);
  }
});
