import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openBrowser } from "../support/browser.ts";
import { countFrames } from "../support/count-frames.ts";
import { EdgeProcess, makeEdgeSite } from "../support/edge-process.ts";
import { readHlsPlaylist } from "../support/hls-validator.ts";
import { startHubProcess } from "../support/hub-process.ts";
import * as inPlayer from "../support/in-player.js";
import { temporaryFolder } from "../support/sample-recording.ts";
import { makeAccounts, password, userName } from "../support/test-hub.ts";

interface OnEdge {
  as_of: string | null;
  videos: {
    video_id: string;
    status: string;
    sequence: number;
    run_id: string;
    stream_url: string;
    start_time: string;
    end_time: string;
  }[];
}

const hash = (bytes: ArrayBuffer) => createHash("sha256").update(new Uint8Array(bytes)).digest("hex");

/** Until `look` finds something. */
async function until<T>(
  look: () => Promise<T | undefined>,
  what: string,
  context: () => string = () => "",
): Promise<T> {
  const deadline = AbortSignal.timeout(60_000);
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (deadline.aborted) throw new Error(`waited for ${what}: ${context()}`);
    await Bun.sleep(100);
  }
}

test("while the archive is away, what is on the node is listed and plays over the link; what was asked for is archived first", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const [data, archive, mount] = ["data", "videos", "mount"].map((name) => join(folder.path, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(archive);
  const { nodeKey, clientKey } = await makeAccounts(data);
  const hub = stack.use(await startHubProcess({ data, archive }));
  // Not beside the hub's archive, whose identity it would write over.
  const site = await makeEdgeSite(join(folder.path, "edge"), {
    hubUrl: hub.url,
    apiKey: nodeKey,
    cameras: [
      {
        id: "cam01",
        source: { type: "test", width: 320, height: 180, fps: 10, bitrate: 200_000, keyframe_seconds: 0.5 },
      },
    ],
    // Nothing is mounted there.
    config: { upload: { destination: { type: "path", path: mount }, check_cron: "* * * * * *" } },
  });
  const edge = new EdgeProcess(site);
  stack.defer(async () => {
    edge.kill("SIGKILL");
    await edge.exited;
  });
  await edge.logged("linked to the hub");
  await edge.logged("an upload failed");

  const authorization = `Bearer ${clientKey}`;
  const get = (path: string, headers = {}) =>
    fetch(hub.url + path, { headers: { authorization, ...headers } });
  const fromMs = Date.now() - 3_600_000;
  const range = `from=${new Date(fromMs).toISOString()}&to=${new Date(fromMs + 7_200_000).toISOString()}`;
  const list = async () => (await (await get(`/api/cameras/cam01/on-edge?${range}`)).json()) as OnEdge;

  // In lists: those that wait, and the one that is being recorded.
  const { videos } = await until(async () => {
    const found = await list();
    const waiting = found.videos.filter(({ status }) => status === "on_edge");
    return waiting.length >= 4 && found.videos.at(-1)?.status === "recording" ? found : undefined;
  }, "four segments on the edge");
  const forFetch = { method: "POST", headers: { authorization } };
  const cookie = await signIn(hub.url);
  const page = await fetch(`${hub.url}/cameras/cam01`, { headers: { cookie, accept: "text/html" } });
  expect(await page.text()).toContain("on the edge");

  // It plays over the link, as it was recorded: all its frames.
  const [, , asked] = videos;
  if (!asked) throw new Error("no third segment");
  const whole = await get(asked.stream_url);
  expect(whole.status).toBe(200);
  const bytes = await whole.arrayBuffer();
  const recorded = JSON.parse(
    await readFile(join(await directoryOf(site.spool, asked.video_id), "segment.json"), "utf8"),
  );
  expect(hash(bytes)).toBe(recorded.recorded_sha256);
  const path = join(folder.path, "played.mp4");
  await writeFile(path, new Uint8Array(bytes));
  // A cut falls on the keyframe next to two seconds, half a second sooner or later.
  const seconds = (Date.parse(asked.end_time) - Date.parse(asked.start_time)) / 1000;
  expect(await countFrames(path)).toBe(Math.round(seconds * 10));

  // And in the camera's playlist: every frame from the first segment to the last that waits, of one run without a cut.
  const waiting = videos.filter(({ status }) => status === "on_edge");
  const [start, end] = [waiting[0]?.start_time, waiting.at(-1)?.end_time];
  const playlist = `/api/cameras/cam01/hls.m3u8?from=${start}&to=${end}`;
  expect((await get(playlist)).status).toBe(404);
  const withEdge = await (await get(`${playlist}&edge=1`)).text();
  const { parts, isEnded } = readHlsPlaylist(withEdge);
  expect(isEnded).toBe(true);
  expect(parts.every(({ uri, isDiscontinuous }) => uri.includes("/on-edge/") && !isDiscontinuous)).toBe(true);
  expect(new Set(parts.map(({ uri }) => uri)).size).toBe(waiting.length);
  const frames = Math.round(parts.reduce((sum, { seconds }) => sum + seconds, 0) * 10);
  const options = ["-headers", `Authorization: ${authorization}\r\n`];
  expect(await countFrames(`${hub.url}${playlist}&edge=1`, { options })).toBe(frames);

  // In a browser: the moment that the address says, and on over the border to the next segment, without a wait.
  const browser = stack.use(await openBrowser());
  const [name = "", value = ""] = cookie.split("=");
  await browser.context.addCookies([{ name, value, url: hub.url }]);
  const { page: player, troubles } = await browser.open();
  const playedMs = Date.parse(waiting[1]?.start_time ?? "");
  await player.goto(`${hub.url}/cameras/cam01?at=${new Date(playedMs + 500).toISOString()}`);
  await player.waitForFunction(inPlayer.hasPicture, undefined, { timeout: 60_000 });
  await player.waitForFunction(inPlayer.isAt, playedMs + 500, { timeout: 60_000 });
  await player.click("[data-part=play]");
  await player.waitForFunction(inPlayer.isPast, playedMs + 2_500, { timeout: 60_000 });
  // And on into what is recorded while it plays.
  for (let i = 0; i < 2; i++) await player.keyboard.press("l");
  await player.waitForFunction(inPlayer.isPast, Date.now() + 1_000, { timeout: 60_000 });
  expect(await player.locator(".surface .on-edge").count()).toBeGreaterThan(0);
  expect(troubles).toEqual([]);
  await player.close();
  expect((await fetch(`${hub.url}${asked.stream_url.replace("stream.mp4", "fetch")}`, forFetch)).status).toBe(
    204,
  );

  // The archive comes back.
  await symlink(archive, mount);
  const first = await until(
    async () => edge.log.find(({ message }) => message === "archived"),
    "an upload",
    () => edge.tail(),
  );
  expect(first.properties.video_id).toBe(asked.video_id);
  await until(
    async () => ((await get(`/api/videos/${asked.video_id}`)).ok ? true : undefined),
    "the announce",
  );
  // A player that was given the playlist before plays on, whatever is archived meanwhile.
  const text = withEdge.replaceAll("/api/", `${hub.url}/api/`);
  const before = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response(text) });
  stack.defer(() => before.stop(true));
  expect(await countFrames(`${before.url}before.m3u8`, { options })).toBe(frames);
  await edge.stop();

  // The same under the same address, from the archive; the node is gone.
  const later = await get(asked.stream_url);
  expect(hash(await later.arrayBuffer())).toBe(recorded.recorded_sha256);
  const part = await get(asked.stream_url, { range: "bytes=100-4999" });
  expect(part.status).toBe(206);
  expect(Buffer.from(await part.arrayBuffer()).equals(Buffer.from(bytes.slice(100, 5000)))).toBe(true);

  // And the recording beside all this missed nothing.
  const { gaps } = (await (await get("/api/gaps?camera_id=cam01")).json()) as { gaps: { cause: string }[] };
  expect(gaps.filter(({ cause }) => cause !== "node_stopped")).toEqual([]);
  const all = (await (await get("/api/videos?camera_id=cam01&order=oldest_first&limit=500")).json()) as {
    videos: { sequence: number; run_id: string }[];
  };
  expect(new Set(all.videos.map(({ run_id }) => run_id)).size).toBe(1);
  expect(all.videos.map(({ sequence }) => sequence)).toEqual(all.videos.map((_, i) => i));
}, 180_000);

async function signIn(url: string): Promise<string> {
  const response = await fetch(`${url}/login`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ username: userName, password }),
  });
  return response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

async function directoryOf(spool: string, videoId: string): Promise<string> {
  for await (const name of new Bun.Glob(`*/*_${videoId}`).scan({ cwd: spool, onlyFiles: false }))
    return join(spool, name);
  throw new Error(`no segment ${videoId} in the spool`);
}
