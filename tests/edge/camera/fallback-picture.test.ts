import { describe, expect, test } from "bun:test";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CapturePlan } from "../../../src/edge/camera/camera-source.ts";
import { planFallbackCapture } from "../../../src/edge/camera/fallback-source.ts";
import { startPipeline } from "../../../src/edge/camera/pipeline.ts";
import { cameraBench, childrenWith } from "../../support/camera-bench.ts";
import { sampleRecording, temporaryFolder } from "../../support/sample-recording.ts";

/** The programs of these tests carry this, so that what is left of them can be found. */
const mark = "livecam-fallback-test";
const shell = (script: string, ...rest: string[]): CapturePlan => ({
  commands: [{ argv: ["bash", "-c", script, mark, ...rest] }],
});
const noCamera = shell("echo 'no such camera' >&2; exit 3");

/** Streams of `count` fragments, which then end, or wait for more that never comes. */
async function setUp() {
  const folder = await temporaryFolder();
  const { init, fragments } = await sampleRecording();
  const stream = async (count: number) => {
    const path = join(folder.path, `${count}.mp4`);
    await writeFile(path, Buffer.concat([init.bytes, ...fragments.slice(0, count)]));
    return path;
  };
  return {
    flag: join(folder.path, "camera-works"),
    ending: async (count: number) => shell('exec cat "$1"', await stream(count)),
    lasting: async (count: number) => shell('exec tail -c +1 -f "$1"', await stream(count)),
    /** Fails until the file of that name is there. */
    whenThere: async (flag: string, count: number) =>
      shell('[ -e "$1" ] || exit 3; exec tail -c +1 -f "$2"', flag, await stream(count)),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

async function untilNoneLeft(): Promise<void> {
  while ((await childrenWith(mark)).length > 0) await Bun.sleep(20);
}

const sampleFragments = 5;

describe("a camera that gives nothing", () => {
  test("is not replaced any more when that is not wanted any more", async () => {
    await using made = await setUp();
    const picture = await made.lasting(sampleFragments);
    let afterFailures = 2;
    await using bench = cameraBench(noCamera, {
      fallback: { afterFailures: () => afterFailures, plan: () => picture },
    });
    bench.camera.start();
    await bench.seen.until((runs) => (runs[0]?.fragments.length ?? 0) > 0);
    afterFailures = 0;
    await bench.seen.until((runs) => runs[0]?.endReason !== undefined);
    const plans = bench.plans();
    while (bench.plans() < plans + 5) await Bun.sleep(20);
    expect(bench.seen.runs).toHaveLength(1);
    expect(bench.camera.status().fallbackSinceMs).toBeUndefined();
    afterFailures = 2;
    await bench.seen.until((runs) => (runs[1]?.fragments.length ?? 0) > 0);
    await bench.camera.stop();
    await untilNoneLeft();
    expect(bench.seen.errors).toEqual([]);
  });

  test("is replaced after so many failures in a row, and taken back with its first fragment", async () => {
    await using made = await setUp();
    const camera = await made.whenThere(made.flag, 3);
    const picture = await made.lasting(sampleFragments);
    const askedAfter: number[] = [];
    await using bench = cameraBench(camera, {
      fallback: {
        afterFailures: 3,
        plan: () => {
          askedAfter.push(bench.plans());
          return picture;
        },
      },
    });
    const beforeMs = Date.now();
    bench.camera.start();
    await bench.seen.until((runs) => runs[0]?.fragments.length === sampleFragments - 1);
    const status = bench.camera.status();
    expect(status.fallbackSinceMs).toBeWithin(beforeMs, Date.now() + 1);
    // Of the camera itself, which is tried all the time.
    expect(["starting", "retrying"]).toContain(status.state);
    expect(status.lastFragmentAtMs).toBeUndefined();
    const plans = bench.plans();
    while (bench.plans() < plans + 2) await Bun.sleep(10);

    await writeFile(made.flag, "");
    await bench.seen.until((runs) => runs[1]?.fragments.length === 3);
    expect(bench.camera.status()).toMatchObject({ state: "running", fallbackSinceMs: undefined });
    expect(askedAfter).toEqual([3]);
    const told = bench.seen.runs.map(({ isMock, endReason, fragments }) => [
      isMock,
      endReason,
      fragments.length,
    ]);
    // The newest fragment of the picture is from the time that the camera's first is from.
    expect(told).toEqual([
      [true, "the camera is back", sampleFragments - 1],
      [false, undefined, 3],
    ]);
    expect(bench.seen.errors).toEqual([]);
    // The camera's own program goes on; the picture's has ended.
    while ((await childrenWith(mark)).length > 1) await Bun.sleep(20);
    await bench.camera.stop();
    await untilNoneLeft();
  }, 60_000);

  test("is replaced again when it fails again", async () => {
    await using made = await setUp();
    await writeFile(made.flag, "");
    const camera = await made.whenThere(made.flag, 2);
    const picture = await made.lasting(2);
    let sinceMs = 0;
    await using bench = cameraBench(camera, {
      stallMs: 500,
      fallback: {
        afterFailures: 2,
        plan: (ms) => {
          sinceMs = ms;
          return picture;
        },
      },
    });
    bench.camera.start();
    await bench.seen.until((runs) => runs[0]?.fragments.length === 2);
    const lastMs = bench.camera.status().lastFragmentAtMs;
    await rm(made.flag);
    await bench.seen.until((runs) => runs.at(-1)?.isMock === true);
    // It may have come up once more before the flag was gone.
    expect(sinceMs).toBeGreaterThanOrEqual(lastMs ?? Number.NaN);
    await writeFile(made.flag, "");
    await bench.seen.until((runs) => runs.at(-1)?.isMock === false && runs.at(-1)?.fragments.length === 2);
    expect(bench.seen.errors).toEqual([]);
  }, 60_000);

  test("is not replaced while it gives pictures between its failures", async () => {
    await using made = await setUp();
    await using bench = cameraBench(await made.ending(2), {
      fallback: {
        afterFailures: 2,
        plan: () => expect.unreachable(),
      },
    });
    bench.camera.start();
    await bench.seen.until((runs) => runs.length >= 5);
    expect(bench.camera.status().fallbackSinceMs).toBeUndefined();
    expect(bench.seen.runs.some(({ isMock }) => isMock)).toBe(false);
  }, 60_000);

  test("is tried on and taken back when even the picture cannot be made", async () => {
    await using made = await setUp();
    const camera = await made.whenThere(made.flag, 2);
    await using bench = cameraBench(camera, {
      fallback: { afterFailures: 1, plan: () => ({ commands: [{ argv: ["/nowhere/ffmpeg"] }] }) },
    });
    bench.camera.start();
    while (bench.plans() < 3) await Bun.sleep(10);
    await writeFile(made.flag, "");
    await bench.seen.until((runs) => runs[0]?.fragments.length === 2);
    expect(bench.seen.runs[0]?.isMock).toBe(false);
  }, 60_000);

  test("and is stopped: the picture ends cleanly with all it gave", async () => {
    await using made = await setUp();
    const picture = await made.lasting(sampleFragments);
    await using bench = cameraBench(noCamera, { fallback: { afterFailures: 1, plan: () => picture } });
    bench.camera.start();
    await bench.seen.until((runs) => runs[0]?.fragments.length === sampleFragments - 1);
    await bench.camera.stop();
    expect(bench.seen.runs).toMatchObject([{ isMock: true, endReason: "stopped" }]);
    expect(bench.seen.runs[0]?.fragments.length).toBe(sampleFragments);
    expect(bench.camera.status()).toMatchObject({ state: "stopped", fallbackSinceMs: undefined });
    await untilNoneLeft();
  }, 60_000);
});

test("the picture is a small stream that ffmpeg makes, with nothing of the camera's id left to interpret", async () => {
  const sinceMs = Date.parse("2025-09-23T06:30:00Z");
  const plan = planFallbackCapture({ cameraId: "cam01", sinceMs, timeZone: "Asia/Seoul" });
  const argv = plan.commands[0]?.argv ?? [];
  expect(argv.slice(0, 3)).toEqual(["env", "TZ=Asia/Seoul", "ffmpeg"]);
  expect(argv.join(" ")).toContain("since 2025-09-23 15\\:30\\:00");
  // As fast as it goes, and its first frames only.
  const quick = argv.filter((word) => word !== "-re").toSpliced(-1, 0, "-frames:v", "6");
  const pipeline = await startPipeline({ commands: [{ argv: quick }] });
  expect(await pipeline.exited).toBe("env ended");
  // The pipe holds all of it.
  const sizeBytes = pipeline.output.read(new Uint8Array(100_000));
  pipeline.output.close();
  expect(sizeBytes).toBeWithin(2_000, 60_000);
}, 60_000);
