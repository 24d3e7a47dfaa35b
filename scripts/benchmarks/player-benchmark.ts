import { join } from "node:path";
import type { Page } from "playwright-core";
import { newUuidV7 } from "../../src/common/ids.ts";
import { archiveTestRun } from "../../tests/support/archived-run.ts";
import { openBrowser } from "../../tests/support/browser.ts";
import * as inPlayer from "../../tests/support/in-player.js";
import { announceOf } from "../../tests/support/test-hub.ts";
import { archiveSample } from "./archive-sample.ts";
import type { Benchmark, Row } from "./benchmark.ts";
import { type RunningHub, runProgram, startHub } from "./livecam-programs.ts";
import { makeSampleSegment, type SampleSegment } from "./sample-segment.ts";
import { percentile } from "./statistics.ts";

const sizes = {
  full: { files: 24, rounds: 5, clicks: 40, border: 20 },
  quick: { files: 12, rounds: 3, clicks: 25, border: 20 },
  tiny: { files: 2, rounds: 1, clicks: 2, border: 2 },
};

/** One round. */
interface Seen {
  firstFrame: number;
  slowest: number;
  bare: number;
  bareSlowest: number;
}

export const playerBenchmark: Benchmark = {
  name: "player",
  summary:
    "the page of a camera in Chromium: clicks on the timeline, and playing over the borders of segments",

  async run({ scale, scratch, signal, say, binaries }) {
    const { hub: hubBinary } = await binaries();
    const { files, rounds, clicks, border } = sizes[scale];
    const [dataDir, archiveDir] = [join(scratch, "data"), join(scratch, "archive")];
    say(`making ${files} segments`);
    const segment = await makeSampleSegment(scratch, scale, signal);
    await using hub = await startHub({ hub: hubBinary, dataDir, archiveDir, signal });
    const videoIds: string[] = [];
    for (let i = 0; i < files; i++) {
      videoIds.push((await archiveSample(ofDay(segment, i), archiveDir, hub)).videoId);
    }
    const startTimeMs = segment.identity.startTimeMs;
    const whole = { fromMs: startTimeMs, toMs: startTimeMs + files * segment.identity.durationMs };
    await announceRun(hub, archiveDir, startTimeMs, border);

    await using browser = await openBrowser();
    const { page } = await browser.open();
    await signIn(page, hub, { hubBinary, dataDir, scratch, signal });

    const all: Seen[] = [];
    for (let round = 1; round <= rounds; round++) {
      say(`round ${round} of ${rounds}`);
      const ours = await clickAround(page, hub, { ...whole, clicks, round });
      const bare = await seekAround(page, hub, { videoId: videoIds[0] ?? "", clicks, round });
      all.push({
        ...{ firstFrame: percentile(ours, 0.5), slowest: percentile(ours, 0.95) },
        ...{ bare: percentile(bare, 0.5), bareSlowest: percentile(bare, 0.95) },
      });
    }
    say("playing over the borders of segments");
    await page.goto(`${hub.url}/cameras/run?at=${new Date(startTimeMs + (border - 1) * 1000).toISOString()}`);
    await page.waitForFunction(inPlayer.hasPicture);
    const before = await page.evaluate(inPlayer.figures);
    await page.keyboard.press("l");
    await page.waitForFunction(inPlayer.isPast, startTimeMs + (2 * border + 0.5) * 1000, { timeout: 60_000 });
    const after = await page.evaluate(inPlayer.figures);
    return rowsOf(all, { waits: after.waits - before.waits, dropped: after.dropped - before.dropped });
  },
};

/** Random, and the same in every run. */
function* shares(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    yield state / 2 ** 31;
  }
}

async function clickAround(
  page: Page,
  hub: RunningHub,
  what: { fromMs: number; toMs: number; clicks: number; round: number },
): Promise<number[]> {
  const { fromMs, toMs, clicks, round } = what;
  await page.goto(`${hub.url}/cameras/cam01?at=${new Date(fromMs).toISOString()}`);
  await page.waitForFunction(inPlayer.hasPicture);
  await page.waitForFunction(inPlayer.hasFirstFrames, 1);
  await page.evaluate(inPlayer.zoomTo, [fromMs, toMs]);
  const random = shares(round);
  for (let i = 0; i < clicks; i++) {
    const wallMs = fromMs + (toMs - fromMs - 2_000) * (random.next().value ?? 0);
    const x = await page.evaluate(inPlayer.xOf, wallMs);
    await page.locator(".surface").click({ position: { x, y: 36 } });
    await page.waitForFunction(inPlayer.hasFirstFrames, i + 2);
  }
  const { firstFrames } = await page.evaluate(inPlayer.figures);
  return firstFrames.slice(1);
}

/** The same file in a bare element, which the browser seeks by itself. */
async function seekAround(
  page: Page,
  hub: RunningHub,
  what: { videoId: string; clicks: number; round: number },
): Promise<number[]> {
  await page.goto(`${hub.url}/videos/${what.videoId}`);
  const random = shares(what.round);
  const times = Array.from({ length: what.clicks }, () => random.next().value ?? 0);
  return page.evaluate(inPlayer.seekBare, times);
}

async function signIn(
  page: Page,
  hub: RunningHub,
  where: { hubBinary: string; dataDir: string; scratch: string; signal: AbortSignal },
): Promise<void> {
  const passwordFile = join(where.scratch, "password");
  const password = crypto.randomUUID();
  await Bun.write(passwordFile, password);
  const add = ["user", "add", "bench", "--data", where.dataDir, "--password-file", passwordFile];
  await runProgram([where.hubBinary, ...add], where.signal);
  await page.goto(`${hub.url}/login`);
  await page.fill("input[name=username]", "bench");
  await page.fill("input[name=password]", password);
  await Promise.all([page.waitForURL(`${hub.url}/`), page.click("button[type=submit]")]);
}

async function announceRun(hub: RunningHub, archiveDir: string, startTimeMs: number, seconds: number) {
  const secondsPerVideo = [seconds, seconds, seconds];
  const run = { cameraId: "run", startTimeMs, secondsPerVideo, size: "1280x720" };
  const response = await fetch(`${hub.url}/api/videos/announce`, {
    method: "POST",
    headers: { authorization: `Bearer ${hub.nodeKey}`, "content-type": "application/json" },
    body: JSON.stringify(announceOf(await archiveTestRun(archiveDir, run))),
  });
  if (response.status !== 200) throw new Error(`the hub answered ${response.status}`);
}

function ofDay({ path, identity }: SampleSegment, index: number): Pick<SampleSegment, "path" | "identity"> {
  const startTimeMs = identity.startTimeMs + index * identity.durationMs;
  const when = { startTimeMs, endTimeMs: startTimeMs + identity.durationMs, sequence: index };
  return { path, identity: { ...identity, ...when, videoId: newUuidV7(startTimeMs) } };
}

function rowsOf(all: readonly Seen[], border: { waits: number; dropped: number }): Row[] {
  const values = (key: keyof Seen) => all.map((seen) => seen[key]);
  const peer = (key: keyof Seen) => ({
    name: "a bare video element seeking in one file",
    values: values(key),
  });
  const none = { of: "figure", is: "at_most", value: 0 } as const;
  return [
    {
      figure: "click on the timeline to its picture: p50",
      ...{ ours: values("firstFrame"), unit: "ms", peer: peer("bare") },
      goal: { of: "figure", is: "at_most", value: 300 },
      note: "1080p30 at 4 Mb/s, drawn without a graphics card; from the finger lifted to the frame shown, by the player's own counter.",
    },
    {
      figure: "click on the timeline to its picture: p95",
      ...{ ours: values("slowest"), unit: "ms", peer: peer("bareSlowest") },
      goal: { of: "figure", is: "at_most", value: 500 },
    },
    { figure: "waits at two borders of segments", ours: [border.waits], unit: "", goal: none },
    { figure: "frames dropped at two borders of segments", ours: [border.dropped], unit: "", goal: none },
  ];
}
