import { join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import { sleep } from "../../src/common/clock.ts";
import { clockCells, clockCodeLayout } from "../../src/edge/camera/clock-code.ts";
import { testPictureUnit } from "../../src/edge/camera/test-source.ts";
import { openBrowser } from "../../tests/support/browser.ts";
import type { Benchmark, Row } from "./benchmark.ts";
import { measureLive } from "./live-page.js";
import { cleanEnvironment, type RunningHub, startEdge, startHub } from "./livecam-programs.ts";
import { percentile } from "./statistics.ts";

const sizes = { full: 60, quick: 20, tiny: 3 };
const picture = { width: 640, height: 360, fps: 30 };
const fragmentSeconds = 1;
const limitMs = fragmentSeconds * 1000 + 500;
const account = { name: "bench", password: "only for this benchmark" };

export const liveBenchmark: Benchmark = {
  name: "live",
  summary: "how late the live page shows what the camera saw, read from the clock in the picture",

  async run({ scale, scratch, signal, say, binaries }) {
    const { edge: edgeBinary, hub: hubBinary } = await binaries();
    const dataDir = join(scratch, "data");
    const archiveDir = join(scratch, "archive");
    await using hub = await startHub({ hub: hubBinary, dataDir, archiveDir, signal });
    await addUser(hubBinary, dataDir, signal);
    await using _edge = await startEdge({
      ...{
        edge: edgeBinary,
        folder: join(scratch, "edge"),
        hubUrl: hub.url,
        nodeKey: hub.nodeKey,
        archiveDir,
      },
      ...{ segmentSeconds: 60, signal },
      cameras: [
        {
          id: "cam01",
          source: { type: "test", ...picture, bitrate: 1_000_000, keyframe_seconds: fragmentSeconds },
        },
      ],
    });
    await untilRecording(hub, signal);
    await using browser = await openBrowser();
    const { page } = await browser.open({ width: 1000 });
    await page.goto(`${hub.url}/login`);
    await page.fill("input[name=username]", account.name);
    await page.fill("input[name=password]", account.password);
    await Promise.all([page.waitForURL(`${hub.url}/`), page.click("button[type=submit]")]);
    const seconds = sizes[scale];
    say(`watching for ${seconds} s`);
    await page.goto(`${hub.url}/cameras/cam01/live`);
    const layout = clockCodeLayout({ ...picture, unit: testPictureUnit(picture) });
    const measured = await page.evaluate(measureLive, { layout, cells: clockCells, seconds });
    signal.throwIfAborted();
    return rowsOf(measured);
  },
};

async function addUser(hub: string, dataDir: string, signal: AbortSignal): Promise<void> {
  const exit = await runChild({
    argv: [hub, "user", "add", account.name, "--role", "viewer", "--data", dataDir],
    stdin: new TextEncoder().encode(`${account.password}\n`),
    env: cleanEnvironment(),
    timeoutMs: 60_000,
    signal,
  });
  if (exit.exitCode !== 0) throw new Error(`no user was added: ${exit.stderrTail.trim()}`);
}

/** The camera gives pictures, and its node can be asked for them. */
async function untilRecording(hub: RunningHub, signal: AbortSignal): Promise<void> {
  const headers = { authorization: `Bearer ${hub.clientKey}` };
  for (;;) {
    signal.throwIfAborted();
    const response = await fetch(`${hub.url}/api/cameras/cam01/snapshot`, { headers, signal });
    await response.arrayBuffer();
    if (response.ok) return;
    await sleep(100, signal);
  }
}

function rowsOf({ delays, waitsAtMs, firstMs }: Awaited<ReturnType<typeof measureLive>>): Row[] {
  const lateMs = delays.map(({ ms }) => ms);
  const note =
    `${delays.length} frames, the first on. A fragment of ${fragmentSeconds} s can only be sent when it is whole, so its ` +
    "first frame is that late at least; the limit is one fragment and 500 ms.";
  const goal = (value: number) => ({ of: "figure", is: "at_most", value }) as const;
  return [
    ...(
      [
        ["p50", 0.5],
        ["p95", 0.95],
      ] as const
    ).map(([name, share]) => ({
      ...{ figure: `live picture behind what the camera saw, ${name}`, unit: "ms", note },
      ...{ ours: [percentile(lateMs, share)], goal: goal(limitMs) },
    })),
    { figure: "the same, the latest frame", ours: [Math.max(...lateMs)], unit: "ms", note },
    {
      figure: "waits for what did not come",
      ...{ ours: [waitsAtMs.length], unit: "", goal: goal(0) },
      ...(waitsAtMs.length > 0 && {
        note: `It waited ${waitsAtMs.map(secondsText).join(", ")} after the first frame.`,
      }),
    },
    { figure: "from the click to the first picture", ours: [firstMs], unit: "ms" },
  ];
}

const secondsText = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
