import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runToEnd, Service } from "../../scripts/service.ts";
import { openBrowser } from "../support/browser.ts";
import * as inPlayer from "../support/in-player.js";
import { freePort } from "../support/ports.ts";
import { testIf } from "../support/test-if.ts";

const root = resolve(import.meta.dir, "../..");
const targets = ["linux-x64", "linux-arm64"] as const;
type Target = (typeof targets)[number];

const emulator = ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"];

/** What has to stand before a binary of the target for this machine to run it; undefined where nothing helps. */
function emulatorFor(target: Target): string[] | undefined {
  if (target === `linux-${process.arch}`) return [];
  const isThere =
    Bun.which("qemu-aarch64-static") !== null && existsSync("/usr/aarch64-linux-gnu/lib/libc.so.6");
  return target === "linux-arm64" && isThere ? emulator : undefined;
}

let built: string;
/** Starts a command in an empty folder, the repository hidden behind another, so that nothing of it can help. */
let away: string[];
let dir: string;
let testEnds: AbortController;
const services: Service[] = [];

beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), "livecam-built-"));
  await runToEnd([process.execPath, join(root, "scripts/build.ts"), "--out", built]);
  const empty = join(built, "empty");
  await mkdir(empty);
  const inEmpty = ["sh", "-c", 'cd "$0" && exec "$@"', empty];
  const hidden = [
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount --bind "$0" "$1" && shift && exec "$@"',
    empty,
    root,
    ...inEmpty,
  ];
  // Only root may; elsewhere the empty folder has to do.
  away =
    (await runToEnd([...hidden, "test", "!", "-e", join(root, "package.json")]).catch(() => null)) === null
      ? inEmpty
      : hidden;
}, 120_000);

afterAll(() => rm(built, { recursive: true, force: true }));

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "livecam-binaries-"));
  testEnds = new AbortController();
});

afterEach(async () => {
  testEnds.abort();
  for (const service of services.splice(0).toReversed()) await service.stop(30_000);
  await rm(dir, { recursive: true, force: true });
});

const pathOf = (binary: "edge" | "hub", target: Target) => join(built, `livecam-${binary}-${target}`);

/** The command that runs a built binary, far from its sources. */
const command = (binary: "edge" | "hub", target: Target) => [
  ...away,
  ...(emulatorFor(target) ?? []),
  pathOf(binary, target),
];

/** Asks until there is an answer; the test's own time limit ends it. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (const { signal } = testEnds; ; ) {
    signal.throwIfAborted();
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    await Bun.sleep(100);
  }
}

function startService(binary: "edge" | "hub", target: Target, args: string[]): Service {
  const prefix = emulatorFor(target) ?? [];
  // Both start themselves again for work they keep apart, which an emulated program cannot do by its own path.
  const self = prefix.length > 0 ? JSON.stringify([...prefix, pathOf(binary, target)]) : undefined;
  const env = { ...process.env, LIVECAM_SELF_COMMAND: self };
  const service = new Service(binary, [...command(binary, target), ...args], join(dir, `${binary}.log`), env);
  services.push(service);
  return service;
}

async function startHub(target: Target) {
  const hub = command("hub", target);
  const data = join(dir, "hub");
  const archive = join(dir, "archive");
  await mkdir(data);
  await mkdir(archive);
  const key = async (...args: string[]) =>
    JSON.parse(await runToEnd([...hub, "key", "create", "--json", "--data", data, ...args])).key as string;
  const clientKey = await key("--client", "test");
  const nodeKey = await key("--node", "pi");

  const listen = ["--listen", "127.0.0.1:0"];
  const service = startService("hub", target, ["serve", ...listen, "--data", data, "--archive", archive]);
  const url = await Promise.race([
    service.endedByItself,
    until(async () => /"address":"(http:[^"]+)"/.exec(await Bun.file(service.logFile).text())?.[1]),
  ]);
  const get = (path: string) => fetch(`${url}${path}`, { headers: { authorization: `Bearer ${clientKey}` } });
  return { service, url, archive, nodeKey, get };
}

async function startEdge(
  target: Target,
  hub: { url: string; archive: string; nodeKey: string },
  metricsPort: number,
) {
  const edge = command("edge", target);
  const keyFile = join(dir, "node-key");
  await writeFile(keyFile, hub.nodeKey, { mode: 0o600 });
  const configFile = join(dir, "edge.json");
  const source = { type: "test", width: 320, height: 240, fps: 10, bitrate: 200_000, tone: true };
  const config = {
    node_id: "pi",
    cameras: [{ id: "cam01", source }],
    recording: { segment_seconds: 2 },
    upload: { destination: { type: "path", path: hub.archive } },
    network: { hub_url: hub.url, api_key: { file: keyFile } },
    health: { metrics_listen: `127.0.0.1:${metricsPort}` },
    system: { spool_path: join(dir, "spool"), control_socket: join(dir, "edge.sock"), clock: "trusted" },
  };
  await writeFile(configFile, JSON.stringify(config));
  await runToEnd([...edge, "check-config", configFile]);
  const service = startService("edge", target, ["run", "--config", configFile]);
  return service;
}

/** Signs in at a running hub, as somebody who was just added, and answers with the cookie. */
async function signIn(target: Target, url: string): Promise<string> {
  const file = join(dir, "password");
  await writeFile(file, "correct horse", { mode: 0o600 });
  const words = ["user", "add", "ada", "--password-file", file, "--data", join(dir, "hub")];
  await runToEnd([...command("hub", target), ...words]);
  const body = new URLSearchParams({ username: "ada", password: "correct horse" });
  const answer = await fetch(`${url}/login`, { method: "POST", redirect: "manual", body });
  return answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

/** The page of the day plays what was recorded: byte ranges of the archived files, and nothing that was made of them. */
async function watchInBrowser(
  target: Target,
  hub: Awaited<ReturnType<typeof startHub>>,
  videos: readonly { start_time: string }[],
) {
  await using browser = await openBrowser();
  const [name = "", value = ""] = (await signIn(target, hub.url)).split("=");
  await browser.context.addCookies([{ name, value, url: hub.url }]);
  const { page, troubles } = await browser.open();
  const asked: string[] = [];
  page.on("request", (request) =>
    asked.push(`${new URL(request.url()).pathname} ${request.headers().range ?? ""}`),
  );
  const [oldest = "", next = ""] = videos.map(({ start_time }) => start_time).sort();
  const patience = { timeout: 60_000 };
  await page.goto(`${hub.url}/cameras/cam01?at=${oldest}`);
  await page.waitForFunction(inPlayer.hasPicture, undefined, patience);
  await page.keyboard.press("l");
  // Over the border of two segments.
  await page.waitForFunction(inPlayer.isPast, Date.parse(next) + 300, patience);
  const media = asked.filter((one) => /\.mp4|\/parts\/|\/init\//.test(one));
  expect(media.length).toBeGreaterThanOrEqual(3);
  for (const one of media) expect(one).toMatch(/^\/api\/videos\/[0-9a-f-]{36}\/stream\.mp4 bytes=\d+-\d+$/);
  expect(troubles).toEqual([]);
  const metrics = await (await hub.get("/metrics")).text();
  for (const [, ended, count] of metrics.matchAll(/^livecam_hub_transcodes_total\{.*="(\w+)".*\} (\d+)$/gm)) {
    expect({ ended, count }).toEqual({ ended, count: "0" });
  }
  expect(metrics).toContain("livecam_hub_transcodes_total{");
}

for (const target of targets) {
  const canRun = testIf(emulatorFor(target) !== undefined, `no emulator for ${target} on ${process.arch}`);

  describe(`the ${target} binaries, away from their sources`, () => {
    canRun("know their version and commit", async () => {
      for (const binary of ["edge", "hub"] as const) {
        const text = await runToEnd([...command(binary, target), "version"]);
        expect(text).toMatch(
          new RegExp(`^livecam-${binary} \\d+\\.\\d+\\.\\d+ \\((?:[0-9a-f]{7,}|unknown)(?:-dirty)?\\)\\n$`),
        );
      }
    });

    canRun(
      "hub: makes its catalog and serves pages and API",
      async () => {
        const { service, url, get } = await startHub(target);
        expect(await (await get("/api/videos")).json()).toEqual({ videos: [], next_cursor: null });
        expect((await fetch(`${url}/api/videos`)).status).toBe(401);
        const page = await (await fetch(`${url}/login`)).text();
        expect(page).toContain("<form");
        const assets = [...page.matchAll(/(?:href|src)="(\/[^"]+\.(?:css|js)[^"]*)"/g)].map(
          ([, path]) => path,
        );
        expect(assets.length).toBeGreaterThan(0);
        for (const path of assets) expect((await fetch(`${url}${path}`)).status).toBe(200);
        const script = assets.find((path) => path?.endsWith(".js"));
        expect(await (await fetch(`${url}${script}`)).text()).toContain("hlsManifestParsed");
        expect(await service.stop(30_000)).toBe(true);
      },
      120_000,
    );

    canRun(
      "edge: records two segments, archives them and announces them to the hub",
      async () => {
        const hub = await startHub(target);
        const metricsPort = await freePort();
        const edge = await startEdge(target, hub, metricsPort);
        const listed = until(async () => {
          const { videos } = (await (await hub.get("/api/videos")).json()) as {
            videos: { video_id: string; start_time: string }[];
          };
          return videos.length >= 2 ? videos : undefined;
        });
        const videos = await Promise.race([listed, edge.endedByItself, hub.service.endedByItself]);
        const stream = await hub.get(`/api/videos/${videos[0]?.video_id}/stream`);
        expect(stream.status).toBe(200);
        expect((await stream.bytes()).length).toBeGreaterThan(10_000);
        const picture = await until(async () => {
          const response = await hub.get("/api/cameras/cam01/snapshot");
          return response.status === 200 ? response : undefined;
        });
        expect(picture.headers.get("content-type")).toBe("image/jpeg");

        if (target === `linux-${process.arch}`) await watchInBrowser(target, hub, videos);

        const socket = ["--socket", join(dir, "edge.sock")];
        const isRecording = ({ cameras }: { cameras: { state: string }[] }) =>
          cameras[0]?.state === "recording" ? true : undefined;
        const status = () => runToEnd([...command("edge", target), "status", "--json", ...socket]);
        await until(async () => isRecording(JSON.parse(await status())));
        await until(async () => {
          const metrics = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
          return (
            /^livecam_edge_camera_state\{.*state="recording".*\} 1$/m.test(await metrics.text()) || undefined
          );
        });
        // Asked over the link.
        await until(async () => isRecording((await (await hub.get("/api/nodes/pi/status")).json()) as never));

        expect(await edge.stop(30_000)).toBe(true);
        const report = await runToEnd([...command("edge", target), "verify", join(hub.archive, "cam01")]);
        expect(report).toContain("ok");
        expect(await readdir(join(dir, "spool", "recording"))).toEqual([]);
        expect(await hub.service.stop(30_000)).toBe(true);
      },
      // Emulated on a machine that does other things, too, this takes a while.
      480_000,
    );
  });
}
