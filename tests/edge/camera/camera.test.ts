import { afterEach, describe, expect, test } from "bun:test";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../../src/common/clock.ts";
import { createLogger } from "../../../src/common/log.ts";
import { Camera } from "../../../src/edge/camera/camera.ts";
import { createCapturePlanner } from "../../../src/edge/camera/capture-planner.ts";
import { ffmpegStart, fragmentedMp4Output } from "../../../src/edge/camera/ffmpeg-arguments.ts";
import { cameraBench, childrenWith, SeenRuns } from "../../support/camera-bench.ts";
import { sampleRecording, temporaryFolder } from "../../support/sample-recording.ts";
import { ffmpeg, sourceFile } from "../../support/source-files.ts";

/** The programs of these tests carry this, so that what is left of them can be found. */
const mark = "comment=livecam-camera-test";

/** A file as a camera: in real time (`-re`) or as fast as it is taken. */
async function fileArgv(
  options: { realTime?: boolean; kind?: "h264" | "h264-b-frames-aac"; size?: string } = {},
) {
  const path = await sourceFile(options.kind ?? "h264", options.size);
  return [
    ...[...ffmpegStart, ...(options.realTime ? ["-re"] : []), "-i", path],
    ...["-map", "0", "-c", "copy", "-metadata", mark, ...fragmentedMp4Output],
  ];
}

const command = (...argv: string[]) => ({ commands: [{ argv }] });
const shell = (script: string, ...rest: string[]) => command("bash", "-c", script, mark, ...rest);

/** What ends a capture from outside. */
async function signalFfmpeg(signal: NodeJS.Signals): Promise<number> {
  const [child] = await childrenWith(mark);
  if (!child) throw new Error("no capture runs");
  process.kill(child.pid, signal);
  return child.pid;
}

/** What was killed a moment ago may still be on its way out; what stays is a leak. */
async function untilNone(find: () => Promise<unknown[]>): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + 5_000;
  while ((await find()).length > 0 && systemClock.monotonicMs() < deadlineMs) await Bun.sleep(20);
  expect(await find()).toEqual([]);
}

afterEach(async () => {
  await untilNone(() => childrenWith(mark));
  await untilNone(async () => (await childrenWith("")).filter(({ state }) => state === "Z"));
});

describe("a capture", () => {
  test("that ends is started again; every run has its fragments and its reason", async () => {
    await using bench = cameraBench(command(...(await fileArgv())));
    bench.camera.start();
    await bench.seen.until((runs) => runs[1]?.endReason !== undefined);
    await bench.camera.stop();
    expect(bench.seen.errors).toEqual([]);
    const [first, second] = bench.seen.runs;
    expect(first?.endReason).toBe("ffmpeg ended");
    expect(first?.fragments.length).toBe(24);
    expect(first?.fragments.every(({ startsWithKeyframe }) => startsWithKeyframe)).toBe(true);
    expect(second?.fragments.length).toBe(24);
    expect(bench.camera.status()).toMatchObject({
      state: "stopped",
      width: 160,
      height: 120,
      message: "ffmpeg ended",
    });
    expect(bench.camera.status().restarts).toBeGreaterThanOrEqual(1);
  }, 60_000);

  test("that is stopped gives its last, unfinished GOP", async () => {
    await using bench = cameraBench(command(...(await fileArgv({ realTime: true }))));
    bench.camera.start();
    await bench.seen.until((runs) => (runs[0]?.fragments.length ?? 0) >= 2);
    expect(bench.camera.status().state).toBe("running");
    await bench.camera.stop();
    const [run] = bench.seen.runs;
    expect(run?.endReason).toBe("stopped");
    expect(run?.fragments.at(-1)?.videoDurationMs).toBeLessThan(1000);
    // Decode times go on without a hole.
    for (const [i, fragment] of run?.fragments.entries() ?? []) {
      const before = run?.fragments[i - 1];
      if (before) expect(fragment.videoDecodeTime).toBe(before.videoDecodeTime + before.videoDurationTicks);
    }
  }, 60_000);

  test("killed by somebody: said so, and started again", async () => {
    await using bench = cameraBench(command(...(await fileArgv({ realTime: true }))));
    bench.camera.start();
    await bench.seen.until((runs) => (runs[0]?.fragments.length ?? 0) >= 1);
    await signalFfmpeg("SIGKILL");
    await bench.seen.until((runs) => (runs[1]?.fragments.length ?? 0) >= 1);
    expect(bench.seen.runs[0]?.endReason).toBe("ffmpeg was ended by SIGKILL");
  }, 60_000);

  test("that stands still is noticed by its fragments, killed and started again", async () => {
    await using bench = cameraBench(command(...(await fileArgv({ realTime: true }))), { stallMs: 2_000 });
    bench.camera.start();
    await bench.seen.until((runs) => (runs[0]?.fragments.length ?? 0) >= 1);
    const pid = await signalFfmpeg("SIGSTOP");
    await bench.seen.until((runs) => (runs[1]?.fragments.length ?? 0) >= 1);
    // Two GOPs and a second, since that is longer than the two seconds that were asked for.
    expect(bench.seen.runs[0]?.endReason).toBe("no keyframe for 3 s");
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  }, 60_000);

  test("that never gives a fragment is given up", async () => {
    const endlessGop =
      "-f lavfi -i testsrc2=size=160x120:rate=25 -c:v libx264 -preset ultrafast -g 100000".split(" ");
    const argv = [...ffmpegStart, "-re", ...endlessGop, "-metadata", mark, ...fragmentedMp4Output];
    await using bench = cameraBench(command(...argv), { startMs: 1_500 });
    bench.camera.start();
    while (bench.plans() < 2) await Bun.sleep(20);
    expect(bench.camera.status().message).toStartWith("no fragment within 1.5 s of the start");
  }, 60_000);

  test("that will not end is killed", async () => {
    const script = "trap '' INT TERM; echo ready >&2; while :; do sleep 0.2; done";
    await using bench = cameraBench(shell(script));
    bench.camera.start();
    while ((await childrenWith(mark)).length === 0) await Bun.sleep(20);
    await bench.camera.stop();
    expect(bench.camera.status().state).toBe("stopped");
  }, 60_000);

  test.each([
    ["random bytes", "exec cat /dev/urandom"],
    ["a box without end", String.raw`printf '\0\0\0\0mdat'; exec cat /dev/zero`],
    ["a box too large", String.raw`printf '\377\377\377\377moov'; exec cat /dev/zero`],
    ["HTML", "while :; do echo '<html><body>Not found</body></html>'; done"],
  ])(
    "that gives %s is ended, and nothing reaches the consumer",
    async (_name, script) => {
      await using bench = cameraBench(shell(script));
      bench.camera.start();
      while (bench.plans() < 3) await Bun.sleep(20);
      await bench.camera.stop();
      expect(bench.seen.runs).toEqual([]);
      expect(bench.camera.status().message).toStartWith("not a usable stream: ");
    },
    60_000,
  );

  test("that is cut off in the middle of a fragment gives the whole ones", async () => {
    const path = await sourceFile("h264");
    const fragmented = await ffmpeg(["-i", path, "-c", "copy", ...fragmentedMp4Output]);
    const cut = Math.round(fragmented.byteLength * 0.6);
    const script = `ffmpeg -nostdin -loglevel error -i ${path} -c copy ${fragmentedMp4Output.join(" ")} | head -c ${cut}`;
    await using bench = cameraBench(shell(script));
    bench.camera.start();
    await bench.seen.until((runs) => runs[0]?.endReason !== undefined);
    const count = bench.seen.runs[0]?.fragments.length ?? 0;
    expect(count).toBeGreaterThan(8);
    expect(count).toBeLessThan(20);
  }, 60_000);

  test("that floods stderr records all the same", async () => {
    const argv = await fileArgv();
    const script = 'head -c 100000000 /dev/zero | tr "\\0" x >&2; exec "$@"';
    await using bench = cameraBench(shell(script, ...argv));
    const heapBytes = () => {
      Bun.gc(true);
      return process.memoryUsage().heapUsed;
    };
    const before = heapBytes();
    bench.camera.start();
    await bench.seen.until((runs) => runs[0]?.endReason !== undefined);
    expect(bench.seen.runs[0]?.fragments.length).toBe(24);
    expect(heapBytes() - before).toBeLessThan(20_000_000);
  }, 60_000);

  test("that ends at once is not started again and again without a pause", async () => {
    await using bench = cameraBench(shell("echo 'no such camera' >&2; exit 3"), {
      backoff: { firstMs: 100, maxMs: 60_000, jitter: 0 },
    });
    const startedMs = performance.now();
    bench.camera.start();
    while (bench.plans() < 4) await Bun.sleep(10);
    // 100 + 200 + 400.
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(690);
    expect(bench.camera.status().message).toBe("bash exited with 3: no such camera");
  }, 60_000);

  test("whose program is not there says so", async () => {
    await using bench = cameraBench(command("/nowhere/rpicam-vid"));
    bench.camera.start();
    while (bench.plans() < 2) await Bun.sleep(10);
    expect(bench.camera.status()).toMatchObject({
      message:
        "cannot start /nowhere/rpicam-vid; is it installed and on PATH?: ENOENT: no such file or directory, posix_spawn '/nowhere/rpicam-vid'",
    });
  }, 60_000);
});

describe("a stream", () => {
  test.each(["h264", "h265"] as const)(
    "of %s whose resolution changes goes on as another run, and nothing of the new kind is in the old one",
    async (kind) => {
      await using folder = await temporaryFolder();
      const small = await sourceFile(kind);
      const large = await sourceFile(kind, "320x240");
      const transport = async (path: string) =>
        Buffer.from(await ffmpeg(["-i", path, "-c", "copy", "-f", "mpegts", "pipe:1"]));
      await Bun.write(`${folder.path}/1.ts`, Buffer.concat([await transport(small), await transport(large)]));
      await Bun.write(`${folder.path}/2.ts`, await transport(large));
      const copy = (name: string) => [
        ...[...ffmpegStart, "-f", "mpegts", "-i", `${folder.path}/${name}`, "-c", "copy", "-metadata", mark],
        ...fragmentedMp4Output,
      ];
      await using bench = cameraBench((attempt) => command(...copy(attempt === 1 ? "1.ts" : "2.ts")));
      bench.camera.start();
      await bench.seen.until((runs) => runs[1]?.endReason !== undefined);
      const [first, second] = bench.seen.runs;
      expect(first?.endReason).toBe("the picture's format changed");
      expect([first?.init.video.width, second?.init.video.width]).toEqual([160, 320]);
      // The last GOP before the change ends with it.
      expect(first?.fragments.length).toBeWithin(23, 25);
      expect(second?.fragments.length).toBe(24);
    },
    60_000,
  );

  test("that begins anew within one process is another run", async () => {
    const argv = await fileArgv();
    await using bench = cameraBench(shell('"$@"; "$@"', ...argv));
    bench.camera.start();
    await bench.seen.until((runs) => runs[1]?.endReason !== undefined);
    expect(bench.seen.runs[0]?.endReason).toBe("the stream began anew");
    expect(bench.seen.runs.slice(0, 2).map(({ fragments }) => fragments.length)).toEqual([24, 24]);
    expect(bench.seen.errors).toEqual([]);
  }, 60_000);
});

describe("a source that is read in real time", () => {
  /** 24 fragments of a second each, all of them there at once. */
  const plan = async (...options: string[]) => {
    const [program = "", ...argv] = await fileArgv({ size: "640x480" });
    return { isReadInRealTime: true as const, commands: [{ argv: [program, ...options, ...argv] }] };
  };

  test("gives each fragment when its time has come, also when its program has ended long before", async () => {
    await using bench = cameraBench(await plan("-t", "4"));
    const startedMs = systemClock.monotonicMs();
    const takenMs: number[] = [];
    bench.seen.whileConsuming = () => void takenMs.push(systemClock.monotonicMs() - startedMs);
    bench.camera.start();
    await bench.seen.until((runs) => runs[0]?.endReason !== undefined);
    await bench.camera.stop();
    expect(bench.seen.runs[0]).toMatchObject({ endReason: "ffmpeg ended" });
    expect(bench.seen.runs[0]?.fragments.length).toBe(4);
    for (const [i, ms] of takenMs.slice(0, 4).entries()) expect(ms).toBeGreaterThan((i + 1) * 1000 - 20);
  }, 30_000);

  test("gives nothing more when it is stopped", async () => {
    await using bench = cameraBench(await plan());
    const startedMs = systemClock.monotonicMs();
    bench.camera.start();
    await bench.seen.until((runs) => (runs[0]?.fragments.length ?? 0) >= 2);
    await bench.camera.stop();
    const elapsedMs = systemClock.monotonicMs() - startedMs;
    expect(bench.seen.runs[0]).toMatchObject({ endReason: "stopped" });
    expect(bench.seen.runs[0]?.fragments.length).toBeLessThanOrEqual(elapsedMs / 1000);
    expect(bench.seen.errors).toEqual([]);
  }, 30_000);
});

describe("a consumer", () => {
  test("that is slow holds the capture back: nothing is lost, nothing piles up, and it is no stall", async () => {
    const path = await sourceFile("h264", "640x480");
    const argv = [
      ...ffmpegStart,
      "-stream_loop",
      "4",
      "-i",
      path,
      "-c",
      "copy",
      "-metadata",
      mark,
      ...fragmentedMp4Output,
    ];
    await using bench = cameraBench(command(...argv), { stallMs: 2_000, startMs: 20_000 });
    let isFirst = true;
    bench.seen.whileConsuming = async () => {
      if (!isFirst) return;
      isFirst = false;
      // Longer than any patience with the source.
      await Bun.sleep(4_000);
    };
    bench.camera.start();
    await bench.seen.until((runs) => runs[0]?.endReason !== undefined);
    expect(bench.seen.runs[0]?.endReason).toBe("ffmpeg ended");
    expect(bench.seen.runs[0]?.fragments.length).toBe(120);
  }, 60_000);

  test("that throws ends the run; the camera goes on", async () => {
    await using bench = cameraBench(command(...(await fileArgv())));
    bench.seen.whileConsuming = () => {
      bench.seen.whileConsuming = undefined;
      throw new Error("a bug");
    };
    bench.camera.start();
    await bench.seen.until((runs) => runs[1]?.endReason !== undefined);
    expect(bench.seen.runs[0]).toMatchObject({ endReason: "a bug" });
    expect(bench.seen.runs[1]?.fragments.length).toBe(24);
  }, 60_000);
});

describe("two programs in a row", () => {
  const pair = async () => {
    const path = await sourceFile("h264-b-frames-aac");
    const first = [
      ...ffmpegStart,
      "-re",
      "-i",
      path,
      "-c",
      "copy",
      "-metadata",
      mark,
      "-f",
      "mpegts",
      "pipe:1",
    ];
    const second = [
      ...[...ffmpegStart, "-analyzeduration", "500000", "-f", "mpegts", "-i", "pipe:0"],
      ...["-c", "copy", "-bsf:a", "aac_adtstoasc", "-metadata", mark, ...fragmentedMp4Output],
    ];
    return { commands: [{ argv: first }, { argv: second }] };
  };

  test("give the first fragment on time, and the last one when they are stopped", async () => {
    await using bench = cameraBench(await pair());
    bench.camera.start();
    await bench.seen.until((runs) => (runs[0]?.fragments.length ?? 0) >= 2);
    await bench.camera.stop();
    const [run] = bench.seen.runs;
    expect(run?.endReason).toBe("stopped");
    expect(run?.init.tracks.map(({ kind }) => kind)).toEqual(["video", "audio"]);
    expect(run?.fragments[0]?.videoDecodeTime).toBe(0);
    expect(run?.fragments[0]?.videoDurationMs).toBe(1000);
  }, 60_000);

  test.each([0, 1])(
    "end together when number %d is killed",
    async (index) => {
      await using bench = cameraBench(await pair());
      bench.camera.start();
      await bench.seen.until((runs) => (runs[0]?.fragments.length ?? 0) >= 1);
      const children = await childrenWith(mark);
      expect(children.length).toBe(2);
      process.kill(children.map(({ pid }) => pid).sort((a, b) => a - b)[index] as number, "SIGKILL");
      await bench.seen.until((runs) => (runs[1]?.fragments.length ?? 0) >= 1);
      expect(bench.seen.runs[0]?.endReason).toBe("ffmpeg was ended by SIGKILL");
      expect((await childrenWith(mark)).length).toBe(2);
    },
    60_000,
  );

  test.each([0, 1])(
    "end together even when only number %d ends and the other would not notice",
    async (index) => {
      const silent = { argv: ["bash", "-c", 'exec -a "$0" sleep 1000', mark] };
      const ending = { argv: ["bash", "-c", "exit 3"] };
      await using bench = cameraBench({ commands: index === 0 ? [ending, silent] : [silent, ending] });
      bench.camera.start();
      while (bench.plans() < 2) await Bun.sleep(20);
      expect(bench.camera.status().message).toBe("bash exited with 3");
    },
    60_000,
  );

  test("of which one cannot be started leave nothing running", async () => {
    const [first] = (await pair()).commands;
    await using bench = cameraBench({
      commands: [{ argv: first?.argv ?? [] }, { argv: ["/nowhere/ffmpeg"] }],
    });
    bench.camera.start();
    while (bench.plans() < 3) await Bun.sleep(20);
    await bench.camera.stop();
    expect(bench.camera.status().message).toStartWith("cannot start /nowhere/ffmpeg");
  }, 60_000);
});

describe("the test picture", () => {
  const testCamera = () => {
    const seen = new SeenRuns();
    const source = {
      ...{ type: "test" as const, width: 320, height: 180, fps: 10, bitrate: 200_000 },
      ...{ codec: "h264" as const, keyframe_seconds: 0.5, tone: true },
    };
    const camera = new Camera({
      cameraId: "cam01",
      planner: createCapturePlanner({ cameraId: "cam01", source, piModel: "none" }),
      consumer: seen,
      clock: systemClock,
      logger: createLogger("camera"),
      stallMs: 20_000,
    });
    return { camera, seen, [Symbol.asyncDispose]: () => camera.stop() };
  };

  test("comes in real time, healthy, with sound; a snapshot is a JPEG of its size", async () => {
    await using setup = testCamera();
    const { camera, seen } = setup;
    await expect(camera.snapshot()).rejects.toThrow("has not given a picture yet");
    expect(camera.isHealthy()).toBe(false);
    camera.start();
    await seen.until((runs) => (runs[0]?.fragments.length ?? 0) >= 4);
    expect(camera.isHealthy()).toBe(true);
    expect(camera.status()).toMatchObject({
      state: "running",
      width: 320,
      height: 180,
      fps: 10,
      restarts: 0,
    });
    expect(camera.status().codec).toMatch(/^avc1\.[0-9a-f]{6},mp4a\.40\.2$/);
    const [picture, same] = await Promise.all([camera.snapshot(), camera.snapshot()]);
    expect(same).toBe(picture);
    const probe = await ffmpeg(
      ["-f", "jpeg_pipe", "-i", "pipe:0", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"],
      picture,
    );
    expect(probe.byteLength).toBe(320 * 180);
    await expect(camera.snapshot(AbortSignal.abort())).rejects.toMatchObject({ code: "cancelled" });
  }, 60_000);

  test("takes other settings by restarting the capture only, and refuses impossible ones", async () => {
    await using setup = testCamera();
    const { camera, seen } = setup;
    camera.start();
    await seen.until((runs) => (runs[0]?.fragments.length ?? 0) >= 1);
    await expect(camera.configure({ width: 5, fps: 1000 })).rejects.toMatchObject({
      code: "invalid_input",
      issues: [{ path: "width" }, { path: "fps" }],
    });
    await camera.configure({ width: 160, height: 120 });
    await seen.until((runs) => (runs[1]?.fragments.length ?? 0) >= 1);
    expect(seen.runs[0]?.endReason).toBe("settings changed");
    expect(seen.runs[1]?.init.video).toMatchObject({ width: 160, height: 120 });
    await camera.configure({ fps: 5 });
    await seen.until((runs) => (runs[2]?.fragments.length ?? 0) >= 1);
    // What was not named stays.
    expect(seen.runs[2]?.init.video).toMatchObject({ width: 160, height: 120 });
    expect(camera.status().restarts).toBe(0);
  }, 60_000);

  test("goes on with another plan at once, without what was asked of the one before", async () => {
    await using setup = testCamera();
    const { camera, seen } = setup;
    camera.start();
    await camera.configure({ width: 160, height: 120 });
    await seen.until((runs) => (runs.at(-1)?.fragments.length ?? 0) >= 1);
    const source = { type: "test", width: 240, height: 160, fps: 10, bitrate: 100_000 } as const;
    const rest = { codec: "h264", keyframe_seconds: 0.5, tone: false } as const;
    const planner = createCapturePlanner({
      cameraId: "cam01",
      source: { ...source, ...rest },
      piModel: "none",
    });
    await camera.replan(planner);
    await seen.until((runs) => runs.at(-1)?.init.video.width === 240);
    expect(seen.runs.at(-1)?.init.video).toMatchObject({ width: 240, height: 160 });
    expect(seen.runs.at(-2)?.endReason).toBe("settings changed");
    await camera.replan(planner, { width: 200 });
    await seen.until((runs) => runs.at(-1)?.init.video.width === 200);
    expect(camera.status().restarts).toBe(0);
    expect(seen.errors).toEqual([]);
  }, 60_000);

  test("is given up after the patience that is in force, not the one that it began with", async () => {
    await using folder = await temporaryFolder();
    const { init, fragments } = await sampleRecording();
    const path = join(folder.path, "growing.mp4");
    await writeFile(path, Buffer.concat([init.bytes, ...fragments.slice(0, 2)]));
    let stallMs = 3_600_000;
    await using bench = cameraBench(shell('exec tail -c +1 -f "$1"', path), { stallMs: () => stallMs });
    bench.camera.start();
    await bench.seen.until((runs) => runs[0]?.fragments.length === 2);
    stallMs = 200;
    await appendFile(path, fragments[2] as Uint8Array);
    await bench.seen.until((runs) => runs[0]?.endReason !== undefined);
    expect(bench.seen.runs[0]?.fragments).toHaveLength(3);
    // Two fragments and a second, where that is longer than the patience asked for.
    expect(bench.camera.status().message).toContain("no keyframe for 1.8 s");
  }, 60_000);

  test("that waits for its next try is tried with another plan at once", async () => {
    const works = await fileArgv({ realTime: true });
    await using bench = cameraBench(shell("exit 3"), { backoff: { firstMs: 3_600_000, maxMs: 3_600_000 } });
    bench.camera.start();
    while (bench.camera.status().state !== "retrying") await Bun.sleep(20);
    await bench.camera.replan({ check: () => undefined, plan: async () => command(...works) });
    await bench.seen.until((runs) => (runs[0]?.fragments.length ?? 0) >= 1);
  }, 60_000);

  test("can be stopped at any moment and started again", async () => {
    await using setup = testCamera();
    const { camera, seen } = setup;
    for (const ms of [0, 5, 50, 400]) {
      camera.start();
      await Bun.sleep(ms);
      await camera.stop();
      expect(camera.status().state).toBe("stopped");
    }
    camera.start();
    await seen.until((runs) => (runs.at(-1)?.fragments.length ?? 0) >= 1);
    expect(seen.errors).toEqual([]);
  }, 60_000);
});
