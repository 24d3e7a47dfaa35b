import { join } from "node:path";
import type { Page } from "playwright-core";
import { openBrowser } from "../../tests/support/browser.ts";
import * as inPlayer from "../../tests/support/in-player.js";
import { type ArchivedDay, archiveDay } from "./archive-day.ts";
import type { Benchmark, Row } from "./benchmark.ts";
import { type RunningHub, runProgram, startHub } from "./livecam-programs.ts";
import { percentile } from "./statistics.ts";

/** Of a day the disk has no room at 4 Mb/s; what that rate costs is seen over fewer files. */
const sizes = {
  full: { day: 144, dayBitsPerSecond: 400_000, busy: 8, rounds: 4, clicks: 40 },
  quick: { day: 48, dayBitsPerSecond: 400_000, busy: 4, rounds: 3, clicks: 25 },
  tiny: { day: 3, dayBitsPerSecond: 400_000, busy: 2, rounds: 1, clicks: 2 },
};
const busyBitsPerSecond = 4_000_000;
const midnightMs = Date.UTC(2025, 8, 23);
/** Played before and after a border. */
const besideMs = { full: 6_000, quick: 6_000, tiny: 1_500 };

/** One round over one camera. */
interface Clicks {
  ours: number[];
  bare: number[];
}

interface Playing {
  waits: number;
  dropped: number;
}

export const playerBenchmark: Benchmark = {
  name: "player",
  summary:
    "the page of a camera in Chromium: clicks on the timeline of a day, and playing over the borders of segments",

  async run({ scale, scratch, signal, say, binaries }) {
    const { hub: hubBinary } = await binaries();
    const { day: files, dayBitsPerSecond, busy: busyFiles, rounds, clicks } = sizes[scale];
    const [dataDir, archiveDir] = [join(scratch, "data"), join(scratch, "archive")];
    await using hub = await startHub({ hub: hubBinary, dataDir, archiveDir, signal });
    say(`making a day of ${files} segments`);
    const where = { scale, scratch, archiveDir, hub, signal };
    const when = { startTimeMs: midnightMs };
    const day = await archiveDay({ ...when, cameraId: "day", files, bitsPerSecond: dayBitsPerSecond }, where);
    const busy = await archiveDay(
      { ...when, cameraId: "busy", files: busyFiles, bitsPerSecond: busyBitsPerSecond },
      where,
    );

    await using browser = await openBrowser();
    const { page } = await browser.open();
    await signIn(page, hub, { hubBinary, dataDir, scratch, signal });
    const clickRound = async (cameraId: string, whole: ArchivedDay, round: number): Promise<Clicks> => ({
      ours: await clickAround(page, hub, { ...whole, cameraId, clicks, round }),
      bare: await seekAround(page, hub, { videoId: whole.videos[0]?.videoId ?? "", clicks, round }),
    });
    const all: { day: Clicks[]; busy: Clicks[] } = { day: [], busy: [] };
    const playing: { border: Playing[]; middle: Playing[] } = { border: [], middle: [] };
    for (let round = 1; round <= rounds; round++) {
      say(`round ${round} of ${rounds}`);
      all.day.push(await clickRound("day", day, round));
      all.busy.push(await clickRound("busy", busy, round));
      const { fileMs } = busy;
      const borderMs = midnightMs + Math.min(round, busyFiles - 1) * fileMs;
      const play = (atMs: number) =>
        playOver(page, hub, { cameraId: "busy", atMs, besideMs: besideMs[scale] });
      playing.border.push(await play(borderMs));
      playing.middle.push(await play(borderMs + fileMs / 2));
    }
    return [
      ...clickRows(all.day, `a day of ${files} segments`),
      ...clickRows(all.busy, `${busyFiles} segments at 4 Mb/s`),
      ...playingRows(playing),
    ];
  },
};

async function playOver(
  page: Page,
  hub: RunningHub,
  { cameraId, atMs, besideMs }: { cameraId: string; atMs: number; besideMs: number },
): Promise<Playing> {
  await page.goto(`${hub.url}/cameras/${cameraId}?at=${new Date(atMs - besideMs).toISOString()}`);
  await page.waitForFunction(inPlayer.hasPicture);
  const before = await page.evaluate(inPlayer.figures);
  await page.keyboard.press("l");
  await page.waitForFunction(inPlayer.isPast, atMs + besideMs, { timeout: 60_000 });
  const after = await page.evaluate(inPlayer.figures);
  return { waits: after.waits - before.waits, dropped: after.dropped - before.dropped };
}

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
  what: { cameraId: string; fromMs: number; toMs: number; clicks: number; round: number },
): Promise<number[]> {
  const { cameraId, fromMs, toMs, clicks, round } = what;
  await page.goto(`${hub.url}/cameras/${cameraId}?at=${new Date(fromMs).toISOString()}`);
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

function clickRows(all: readonly Clicks[], over: string): Row[] {
  const row = (share: number, limitMs: number): Row => {
    const of = (key: keyof Clicks) => all.map((round) => percentile(round[key], share));
    return {
      figure: `click on the timeline to its picture, ${over}: p${share * 100}`,
      ...{ ours: of("ours"), unit: "ms" },
      peer: { name: "a bare video element seeking in one file", values: of("bare") },
      goal: { of: "figure", is: "at_most", value: limitMs },
      note: "1080p30, drawn without a graphics card; from the finger lifted to the frame shown, by the player's own counter.",
    };
  };
  return [row(0.5, 300), row(0.95, 500)];
}

function playingRows({ border, middle }: Record<"border" | "middle", readonly Playing[]>): Row[] {
  const row = (figure: string, key: keyof Playing): Row => ({
    figure,
    ...{ ours: border.map((one) => one[key]), unit: "" },
    peer: { name: "the same in the middle of a segment", values: middle.map((one) => one[key]) },
    goal: { of: "figure", is: "at_most", value: 0 },
  });
  return [
    row("waits while it plays over a border of segments at 4 Mb/s", "waits"),
    row("frames dropped while it plays over a border of segments at 4 Mb/s", "dropped"),
  ];
}
