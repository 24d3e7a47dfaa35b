import { describe, expect, test } from "bun:test";
import { createAuthRoutes } from "../../../src/hub/auth/auth.routes.ts";
import type { Principal } from "../../../src/hub/http/app-env.ts";
import { maxVideosPerDay } from "../../../src/hub/ui/camera-day.ts";
import { createLoginRenderer } from "../../../src/hub/ui/render-login.tsx";
import { cameraOf, nodeOf, usualData, videoAt } from "./page-data.ts";
import { createPageApp, nowMs, type PageData } from "./page-server.ts";

const data = usualData();
const newest = data.cameras[0]?.newestVideo ?? videoAt(nowMs);
const hostile = `"><img src=x onerror=alert(1)></title><script>alert(1)</script>`;

async function textOf(path: string, given: PageData = data, headers = {}) {
  const response = await createPageApp(given).get(path, headers);
  return { status: response.status, html: await response.text(), response };
}

describe("every page", () => {
  const paths = [
    "/",
    "/cameras/cam01",
    `/videos/${newest.videoId}`,
    "/nodes",
    "/health",
    "/account",
    "/nothing",
  ];
  for (const path of paths) {
    for (const language of ["en", "ko"]) {
      test(`${path} in ${language} is whole, and has nothing inline`, async () => {
        const { html, response } = await textOf(path, data, { "accept-language": language });
        expect(html).toStartWith(`<!DOCTYPE html><html lang="${language}">`);
        expect(html).toEndWith("</html>");
        expect(html).not.toMatch(/undefined|\[object|NaN|Invalid/);
        expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|javascript:/i);
        expect(response.headers.get("content-type")).toContain("text/html");
        expect(response.headers.get("content-security-policy")).not.toContain("unsafe");
        expect(response.headers.get("cache-control")).toContain("private");
      });
    }
  }

  test("is for people alone", async () => {
    const statusFor = async (principal: Principal) => {
      const { get } = createPageApp(data, { principal });
      return Promise.all(paths.slice(0, 6).map(async (path) => (await get(path)).status));
    };
    const all = (status: number) => Array(6).fill(status);
    expect(await statusFor({ kind: "person", userId: 2, name: "eve", role: "viewer" })).toEqual(all(200));
    expect(await statusFor({ kind: "client", keyId: "k", name: "x" })).toEqual(all(403));
    expect(await statusFor({ kind: "node", keyId: "k", nodeId: undefined })).toEqual(all(403));
    expect(await statusFor({ kind: "anonymous" })).toEqual(all(303));
  });

  test("tells what is wrong with a camera while it is, and not what was before a pause", async () => {
    const message = "ffmpeg ended: No route to host";
    for (const [state, isTold] of [
      ["retrying", true],
      ["paused", false],
      ["recording", false],
    ] as const) {
      const given = { ...data, cameras: [cameraOf("cam01", { state, message })] };
      for (const path of ["/", "/cameras/cam01"]) {
        expect([state, path, (await textOf(path, given)).html.includes(message)]).toEqual([
          state,
          path,
          isTold,
        ]);
      }
    }
  });

  test("shows whatever nodes and people call things as text", async () => {
    const evil: PageData = {
      ...data,
      videos: [{ ...newest, notes: hostile, codec: hostile, nodeId: hostile }],
      cameras: [
        cameraOf("cam01", { name: hostile, state: "retrying", message: hostile, newestVideo: newest }),
      ],
      nodes: [nodeOf("site-1", { softwareVersion: hostile, ipAddress: hostile })],
      status: {
        ...data.status,
        parts: {
          ...data.status.parts,
          disk: {
            ...data.status.parts.disk,
            state: "down",
            message: hostile,
            figures: { [hostile]: hostile },
          },
        },
      },
    };
    const principal: Principal = { kind: "person", userId: 1, name: hostile, role: "admin" };
    const { get } = createPageApp(evil, { principal });
    for (const path of paths) {
      const html = await (await get(path)).text();
      expect(html).toContain("&lt;script&gt;");
      expect(html).not.toMatch(/<img src=x|<script>alert/);
    }
    // What stands in the address is not repeated where it could act either.
    expect(await (await get(`/cameras/cam01?date=${encodeURIComponent(hostile)}`)).text()).not.toMatch(
      /<img src=x|<script>alert/,
    );
  });
});

describe("cameras", () => {
  test("say what they do, and since when there is no picture", async () => {
    const old = videoAt(nowMs - 7_200_000 - 600_000);
    const cameras = [
      ...data.cameras,
      cameraOf("cam02", { state: "unknown", newestVideo: old }),
      cameraOf("cam03", { state: "starting" }),
    ];
    const { html } = await textOf("/", { ...data, cameras });
    for (const text of [
      "1 of 3 recording",
      "Last video 10 minutes ago",
      "Last video 2 hours ago",
      "No contact",
      "No picture yet",
    ]) {
      expect(html).toContain(text);
    }
    expect(html).toContain(`/api/videos/${newest.videoId}/thumbnail`);
  });

  test("that give nothing are not said to have given the picture that says so", async () => {
    const newestVideo = videoAt(nowMs - 600_000, { isMock: true });
    const cameras = [cameraOf("cam01", { state: "retrying", newestVideo })];
    const { html } = await textOf("/", { ...data, cameras });
    expect(html).toContain("No signal");
    expect(html).not.toContain("Last video");
  });

  test("none at all is explained", async () => {
    const { html } = await textOf("/", { ...data, cameras: [] });
    expect(html).toContain("No cameras yet");
  });
});

describe("a day", () => {
  test("is the newest one with video, unless another is asked for", async () => {
    const { html } = await textOf("/cameras/cam01");
    for (const text of [
      "Tuesday, September 23, 2025",
      "14 hr 40 min recorded, 92% of the day so far",
      "88 videos",
      "Asia/Seoul (UTC+9)",
    ]) {
      expect(html).toContain(text);
    }
    const before = await textOf("/cameras/cam01?date=2025-09-22");
    expect(before.html).toContain("22 hr 50 min recorded, 95% of the day<");
    expect(before.html).toContain('href="/cameras/cam01?date=2025-09-17"');
    expect(before.html).toContain('href="/cameras/cam01?date=2025-09-23"');
  });

  test("a reader of the page aloud hears what the button with the date is for", async () => {
    const { html } = await textOf("/cameras/cam01");
    expect(html.replace(/<[^>]+>/g, "")).toContain("Choose a day: Tuesday, September 23, 2025");
  });

  test("live says without script that its picture stands still", async () => {
    const { html } = await textOf("/cameras/cam01/live", data, { "accept-language": "ko" });
    expect(html).toMatch(/<noscript>.*정지 화면입니다.*<\/noscript>/s);
  });

  test("says what its camera does in the language of the page, and in English what its program said", async () => {
    const cameras = [cameraOf("cam01", { state: "retrying", message: "ffmpeg ended" })];
    for (const path of ["/", "/cameras/cam01"]) {
      const { html } = await textOf(path, { ...data, cameras }, { "accept-language": "ko" });
      expect(html).toContain("카메라에 오류가 있어 다시 시작하고 있습니다.");
      expect(html).toMatch(/<p[^>]* lang="en">ffmpeg ended<\/p>/);
    }
  });

  test("without video says so and shows the way", async () => {
    const { html } = await textOf("/cameras/cam01?date=2025-09-01");
    expect(html).toContain("Nothing was recorded on this day");
    expect(html).toContain("Go to the newest day");
  });

  test("of many videos shows an hour, and leads to the others", async () => {
    const start = Date.UTC(2025, 8, 22, 15);
    const videos = Array.from({ length: 1000 }, (_, i) =>
      videoAt(start + i * 10_000, { durationMs: 10_000 }),
    );
    const busy = { ...data, videos };
    const { html } = await textOf("/cameras/cam01?date=2025-09-23&hour=1", busy);
    expect(html.match(/class="tile"/g)?.length).toBe(360);
    expect(html).toContain("1,000 videos");
    // With script, too, the strip stays: it is where another hour is chosen.
    expect(html).toContain('class="card coverage by-hour"');
    expect(html).toContain('href="/cameras/cam01?date=2025-09-23&amp;hour=2"');
  });

  test("of very many stops somewhere, and says so", async () => {
    const start = Date.UTC(2025, 8, 22, 15);
    const videos = Array.from({ length: maxVideosPerDay + 500 }, (_, i) =>
      videoAt(start + i * 8_000, { durationMs: 8_000 }),
    );
    const { html } = await textOf("/cameras/cam01?date=2025-09-23", { ...data, videos });
    expect(html).toContain("Only the first 10,000 videos of this day are shown.");
  });

  test("that is none is refused as such", async () => {
    const bad = [
      "2025-02-30",
      "2025-9-3",
      "0000-00-00",
      "9999-99-99",
      "1969-12-31",
      "..",
      "2025-09-23'",
      "%00",
      "2025-09-23&date=2025-09-24",
    ];
    for (const date of bad)
      expect([date, (await textOf(`/cameras/cam01?date=${date}`)).status]).toEqual([date, 400]);
    for (const hour of ["-1", "25", "1.5", "x", "1e1"]) {
      expect([hour, (await textOf(`/cameras/cam01?hour=${hour}`)).status]).toEqual([hour, 400]);
    }
    expect((await textOf("/cameras/cam01?date=2999-12-31")).status).toBe(200);
    expect((await textOf("/cameras/..%2f..%2fetc")).status).toBe(400);
    expect((await textOf("/cameras/cam77")).status).toBe(404);
  });
});

describe("a video", () => {
  test("has its player, facts and neighbours", async () => {
    const index = data.videos.findIndex(({ videoId }) => videoId === newest.videoId);
    const previous = data.videos[index - 1];
    const { html } = await textOf(`/videos/${newest.videoId}`);
    expect(html).toContain(`src="/api/videos/${newest.videoId}/stream"`);
    expect(html).toContain(`poster="/api/videos/${newest.videoId}/thumbnail"`);
    expect(html).toContain(`href="/videos/${previous?.videoId}"`);
    expect(html).toContain(`/api/videos/${newest.videoId}/stream?download=1`);
    expect(html).not.toContain("data-next");
    for (const text of [
      "1920 × 1080",
      "29.97 frames/s",
      "312 MB",
      "10 min",
      newest.fileSha256,
      newest.filePath,
    ]) {
      expect(html).toContain(text);
    }
  });

  for (const [status, hasPlayer] of [
    ["damaged", true],
    ["missing", false],
    ["deleted", false],
  ] as const) {
    test(`that is ${status} says so`, async () => {
      const { html } = await textOf(`/videos/${newest.videoId}`, {
        ...data,
        videos: [{ ...newest, status }],
      });
      expect(html).toContain('role="status"');
      expect(html.includes("<video")).toBe(hasPlayer);
    });
  }

  test("that is no footage says so, and still plays", async () => {
    const videos = [{ ...newest, isMock: true as const }];
    const { html } = await textOf(`/videos/${newest.videoId}`, { ...data, videos });
    expect(html).toContain("it does not count as footage");
    expect(html).toContain("<video");
    expect((await textOf("/cameras/cam01", { ...data, videos })).html).toContain("No signal");
  });

  test("outlives the registration of its camera", async () => {
    const { html, status } = await textOf(`/videos/${newest.videoId}`, { ...data, cameras: [] });
    expect([status, html.includes("<h1>cam01</h1>")]).toEqual([200, true]);
  });

  test("that does not exist is not found", async () => {
    expect((await textOf("/videos/01997543-c640-77dc-a5cd-4d9081e75f60")).status).toBe(404);
    expect((await textOf("/videos/x")).status).toBe(400);
  });
});

describe("the language", () => {
  test("chosen stays, and the way back is on this hub", async () => {
    const { get } = createPageApp(data);
    const response = await get("/language?to=ko&next=/nodes");
    expect([response.status, response.headers.get("location")]).toEqual([303, "/nodes"]);
    expect(response.headers.get("set-cookie")).toContain("livecam_language=ko;");
    const page = await get("/nodes", {
      cookie: "livecam_session=x; livecam_language=ko",
      "accept-language": "en",
    });
    expect(await page.text()).toContain('<html lang="ko">');
    for (const next of [
      "//evil.example",
      "/\\evil.example",
      "https://evil.example",
      "/%0d%0a",
      "",
      "javascript:alert(1)",
      "/a b",
      "/<script>",
    ]) {
      const { status, headers } = await get(`/language?to=ko&next=${encodeURIComponent(next)}`);
      expect([next, status === 400 || headers.get("location") === next]).toEqual([next, true]);
      expect(headers.get("location") ?? "").not.toMatch(/evil/);
    }
    expect((await get("/language?to=xx")).status).toBe(400);
    expect((await get("/language")).status).toBe(400);
  });
});

describe("the login page", () => {
  const clock = { wallMs: () => nowMs, monotonicMs: () => 0 };
  const { assets } = createPageApp(data);
  const routes = createAuthRoutes({
    signIn: {
      signIn: async () => ({ result: "too_many_attempts", retryAfterSeconds: 90 }),
    } as unknown as Parameters<typeof createAuthRoutes>[0]["signIn"],
    publicOrigin: undefined,
    renderLogin: createLoginRenderer({ clock, assets }),
  });
  const { app } = createPageApp(data, { principal: { kind: "anonymous" }, routes: [routes] });
  const get = async (path: string) =>
    (await app.request(path, { headers: { accept: "text/html" } }, { addressOf: () => undefined })).text();

  test("keeps the language that is chosen on it", async () => {
    const html = await get("/login?next=/nodes");
    expect(html).toContain('href="/login?lang=ko&amp;next=%2Fnodes"');
    const korean = await get("/login?lang=ko&next=/nodes");
    expect(korean).toContain('<html lang="ko">');
    expect(korean).toContain('action="/login?lang=ko"');
    expect(korean).toContain('value="/language?to=ko&amp;next=%2Fnodes"');
    expect(korean).toContain('href="/login?lang=en&amp;next=%2Fnodes"');
  });

  test("says why it is shown again, with what was typed", async () => {
    const body = new URLSearchParams({
      username: hostile,
      password: "x",
      next: "/language?to=ko&next=%2Fnodes",
    });
    const request = new Request("http://hub.test/login?lang=ko", {
      method: "POST",
      body,
      headers: { accept: "text/html" },
    });
    const html = await (await app.request(request, undefined, { addressOf: () => undefined })).text();
    expect(html).toContain("시도 횟수가 너무 많습니다. 1분 30초 후에 다시 시도하세요.");
    expect(html).toContain('value="/language?to=ko&amp;next=%2Fnodes"');
    expect(html).toContain("&quot;&gt;&lt;img");
    expect(html).not.toContain("<img src=x");
  });
});

describe("assets", () => {
  const { app, assets, get } = createPageApp(data, { principal: { kind: "anonymous" } });

  test("are open, kept for ever, and under names that change with them", async () => {
    for (const { path, contentType, text: textOf } of Object.values(assets)) {
      const text = await textOf();
      expect(path).toMatch(/^\/assets\/[a-z]+\.[0-9a-f]{12}\.(?:css|js|svg)$/);
      const response = await get(path);
      expect([response.status, response.headers.get("content-type")]).toEqual([200, contentType]);
      expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
      expect(await response.text()).toBe(text);
      const zipped = await get(path, { "accept-encoding": "br, gzip" });
      expect(zipped.headers.get("content-encoding")).toBe("gzip");
      expect(new TextDecoder().decode(Bun.gunzipSync(await zipped.arrayBuffer()))).toBe(text);
      const head = await app.request(path, { method: "HEAD" }, { addressOf: () => undefined });
      expect(head.headers.get("content-length")).toBe(String(Buffer.byteLength(text)));
    }
  });

  test("the script, with hls.js in it, is small enough for a phone", async () => {
    const zipped = await (await get(assets.script.path, { "accept-encoding": "gzip" })).arrayBuffer();
    expect(zipped.byteLength).toBeLessThan(250_000);
    expect(await assets.script.text()).toContain("hlsManifestParsed");
  });

  test("the icon is found where browsers look for it", async () => {
    const response = await createPageApp(data).get("/favicon.ico");
    expect([response.status, response.headers.get("location")]).toEqual([302, assets.icon.path]);
  });

  test("are all there is under that path", async () => {
    for (const name of ["x.css", "style.css", "..", "constructor", "style.000000000000.css"]) {
      expect((await get(`/assets/${name}`)).status).not.toBe(200);
    }
  });
});

describe("saving a part of a day", () => {
  const save = (query: string) => createPageApp(data).get(`/cameras/cam01/save?${query}`);

  test("leads to the clip or the evidence of that time in the camera's zone", async () => {
    const clip = await save("date=2025-09-23&from=15:30&to=15:31:30&as=clip");
    expect([clip.status, clip.headers.get("location")]).toEqual([
      303,
      "/api/cameras/cam01/clip.mp4?from=2025-09-23T06%3A30%3A00.000Z&to=2025-09-23T06%3A31%3A30.000Z",
    ]);
    const evidence = await save("date=2025-09-23&from=15:30&to=15:31:30&as=evidence");
    expect(evidence.headers.get("location")).toStartWith(
      "/api/evidence.zip?camera_id=cam01&from=2025-09-23T06",
    );
  });

  test("leads to a ZIP when other cameras go with it, each once", async () => {
    const more = "camera=cam02&camera=cam01&camera=cam03&camera=cam02";
    for (const [as, zip] of [
      ["clip", "clips.zip"],
      ["evidence", "evidence.zip"],
    ]) {
      const answer = await save(`date=2025-09-23&from=15:30&to=15:31:30&as=${as}&${more}`);
      expect(answer.headers.get("location")).toStartWith(
        `/api/${zip}?camera_id=cam01,cam02,cam03&from=2025-09`,
      );
    }
  });

  test.each([
    "",
    "date=2025-09-23&from=15:30&to=15:31&as=clip&camera=../x",
    "date=2025-02-30&from=15:30&to=15:31&as=clip",
    "date=2025-09-23&from=24:30&to=15:31&as=clip",
  ])("%p is refused", async (query) => expect((await save(query)).status).toBe(400));

  test("is offered on a day with video, for its last minutes", async () => {
    const { html } = await textOf("/cameras/cam01");
    expect(html).toMatch(/<form class="save-range"[^>]*action="\/cameras\/cam01\/save"/);
    const [camera] = data.cameras;
    const two = { ...data, cameras: [camera!, { ...camera!, cameraId: "cam02" }] };
    const offer = await (await createPageApp(two).get("/cameras/cam01")).text();
    const boxes = [...offer.matchAll(/type="checkbox" name="camera" value="(\w+)"/g)].map(([, id]) => id);
    expect(boxes).toEqual(["cam02"]);
    expect((await textOf("/cameras/cam01?date=2001-01-01")).html).not.toContain("save-range");
  });
});
