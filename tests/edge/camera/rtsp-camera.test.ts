import { describe, expect } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Child, startChild } from "../../../src/common/child-process.ts";
import { systemClock } from "../../../src/common/clock.ts";
import { createLogger } from "../../../src/common/log.ts";
import { Secret } from "../../../src/common/secret.ts";
import { Camera } from "../../../src/edge/camera/camera.ts";
import { createCapturePlanner } from "../../../src/edge/camera/capture-planner.ts";
import { childrenWith, SeenRuns } from "../../support/camera-bench.ts";
import { picturesOf, sourceFile } from "../../support/source-files.ts";
import { testIf } from "../../support/test-if.ts";

const hasServer = existsSync("/usr/lib/python3/dist-packages/gi") && existsGst();
const testRtsp = testIf(
  hasServer,
  "needs gir1.2-gst-rtsp-server-1.0, python3-gi and gstreamer1.0-plugins-good",
);

function existsGst(): boolean {
  return (
    [
      ...new Bun.Glob("/usr/lib/*/girepository-1.0/GstRtspServer-1.0.typelib").scanSync({
        cwd: "/",
        absolute: true,
      }),
    ].length > 0
  );
}

const user = "adm in";
const password = "pa:s/s@w'o\\rd%20";

interface Server extends AsyncDisposable {
  url: string;
  child: Child;
}

async function startServer(path: string, isProtected = true): Promise<Server> {
  const video = "d.video_0 ! queue ! rtph264pay name=pay0 pt=96 config-interval=1";
  const audio = "d.audio_0 ! queue ! rtpmp4gpay name=pay1 pt=97";
  const launch = `( filesrc location=${path} ! qtdemux name=d ${video} ${audio} )`;
  const child = startChild({
    argv: [
      ...["/usr/bin/python3", join(import.meta.dir, "../../support/rtsp-server.py"), launch],
      ...(isProtected ? [user, password] : []),
    ],
    stdout: "pipe",
    killAfterMs: 0,
  });
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  const port = Number(new TextDecoder().decode(value));
  if (!port) throw new Error(`no RTSP server: ${(await child.exited).stderrTail}`);
  return {
    url: `rtsp://127.0.0.1:${port}/cam`,
    child,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

function rtspCamera(url: string, credentials?: string) {
  const seen = new SeenRuns();
  const camera = new Camera({
    cameraId: "cam01",
    planner: createCapturePlanner({
      cameraId: "cam01",
      source: { type: "rtsp", url, transport: "tcp", timeout_seconds: 2, audio: "auto" },
      piModel: "none",
      ...(credentials === undefined ? {} : { credentials: new Secret(credentials) }),
    }),
    consumer: seen,
    clock: systemClock,
    logger: createLogger("camera"),
    stallMs: 20_000,
    backoff: { firstMs: 100, maxMs: 500 },
  });
  return { camera, seen, [Symbol.asyncDispose]: () => camera.stop() };
}

describe("a network camera", () => {
  testRtsp(
    "is recorded as it is, with sound; its password is in no command line and in no status",
    async () => {
      const path = await sourceFile("h264-b-frames-aac");
      await using server = await startServer(path);
      await using setup = rtspCamera(server.url, `${user}:${password}`);
      setup.camera.start();
      await setup.seen.until((runs) => (runs[0]?.fragments.length ?? 0) >= 3);
      const captures = await childrenWith("-protocol_whitelist");
      expect(captures.length).toBe(1);
      for (const { pid } of captures) {
        const commandLine = await Bun.file(`/proc/${pid}/cmdline`).text();
        const environment = await Bun.file(`/proc/${pid}/environ`).text();
        for (const text of [commandLine, environment]) {
          expect(text).not.toContain("s@w");
          expect(text).not.toContain("s%40w");
          expect(text).not.toContain(server.url);
        }
      }
      await setup.camera.stop();
      const [run] = setup.seen.runs;
      expect(run?.init.tracks.map(({ codec }) => codec.slice(0, 4))).toEqual(["avc1", "mp4a"]);
      const whole = run?.fragments.filter(({ videoDurationMs }) => videoDurationMs > 900).length ?? 0;
      const recorded = await picturesOf(
        Buffer.concat([
          run?.init.bytes ?? new Uint8Array(),
          ...(run?.fragments.slice(0, whole) ?? []).map(({ bytes }) => bytes),
        ]),
      );
      expect(recorded).toEqual((await picturesOf(path)).slice(0, recorded.length));
      expect(recorded.length).toBeGreaterThanOrEqual(75);
    },
    60_000,
  );

  testRtsp(
    "that refuses the password, is not there, or has no such stream says so without the password",
    async () => {
      await using server = await startServer(await sourceFile("h264-b-frames-aac"));
      for (const [url, credentials, expected] of [
        [server.url, `${user}:wrong-secret`, "401 Unauthorized"],
        [server.url, undefined, "401 Unauthorized"],
        ["rtsp://127.0.0.1:9/cam", `${user}:wrong-secret`, "Connection refused"],
      ] as const) {
        await using setup = rtspCamera(url, credentials);
        setup.camera.start();
        while (setup.camera.status().restarts < 1) await Bun.sleep(20);
        const { message } = setup.camera.status();
        expect(message).toContain(expected);
        expect(message).not.toContain("wrong-secret");
        expect(message).not.toContain("adm");
        expect(setup.seen.runs).toEqual([]);
      }
    },
    60_000,
  );

  testRtsp(
    "that stops sending is given up after its timeout, and taken back when it sends again",
    async () => {
      await using server = await startServer(await sourceFile("h264-b-frames-aac"), false);
      await using setup = rtspCamera(server.url);
      setup.camera.start();
      await setup.seen.until((runs) => (runs[0]?.fragments.length ?? 0) >= 1);
      server.child.kill("SIGSTOP");
      await setup.seen.until((runs) => runs[0]?.endReason !== undefined);
      expect(setup.seen.runs[0]?.endReason).toContain("timed out");
      server.child.kill("SIGCONT");
      await setup.seen.until((runs) => (runs[1]?.fragments.length ?? 0) >= 1);
    },
    90_000,
  );

  testRtsp(
    "that dies ends the run, with the pictures up to then",
    async () => {
      const server = await startServer(await sourceFile("h264-b-frames-aac"), false);
      await using setup = rtspCamera(server.url);
      setup.camera.start();
      await setup.seen.until((runs) => (runs[0]?.fragments.length ?? 0) >= 2);
      await server[Symbol.asyncDispose]();
      await setup.seen.until((runs) => runs[0]?.endReason !== undefined);
      expect(setup.seen.runs[0]?.endReason).toStartWith("ffmpeg ended");
      expect(setup.seen.runs.length).toBe(1);
    },
    60_000,
  );
});
