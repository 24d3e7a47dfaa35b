import { expect, test } from "bun:test";
import { join } from "node:path";
import { systemClock } from "../../../src/common/clock.ts";
import { createLogger } from "../../../src/common/log.ts";
import { Secret } from "../../../src/common/secret.ts";
import { Announcer } from "../../../src/edge/hub-link/announcer.ts";
import { GapReporter } from "../../../src/edge/hub-link/gap-reporter.ts";
import { HubClient } from "../../../src/edge/hub-link/hub-client.ts";
import { Reconciler } from "../../../src/edge/hub-link/reconciler.ts";
import { announcedVideo } from "../../support/announced-video.ts";
import { type ConnectionFault, httpAnswer, startFaultProxy } from "../../support/fault-proxy.ts";
import { recordSample, sampleStartMs, temporaryFolder } from "../../support/sample-recording.ts";
import { openTestHub } from "../../support/test-hub.ts";
import { openLoadedSpool } from "../../support/test-spool.ts";

const count = 6;
const deadlineMs = 400;

/** A real spool with archived segments and gaps, and a real hub behind a way that can be made to fail. */
async function setUp() {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const hub = stack.use(await openTestHub());
  const proxy = stack.use(await startFaultProxy());
  proxy.port = Number(new URL(hub.url).port);
  const spool = stack.use(await openLoadedSpool(join(folder.path, "spool")));
  for (let sequence = 0; sequence < count; sequence++) {
    const { start } = await recordSample(spool.sink, { sequence });
    await spool.uploads.markArchived(start.videoId, {
      archiveId: "01997000-0000-7000-8000-0000000000aa",
      filePath: announcedVideo(sequence).file_path,
      fileSizeBytes: 54_000,
      fileSha256: "cd".repeat(32),
      alreadyThere: false,
    });
    const fromMs = sampleStartMs + sequence * 600_000 + 2000;
    const span = { fromMs, toMs: fromMs + 598_000, cause: "paused" as const, detail: "" };
    await spool.gapReports.add("cam01", span);
  }
  const client = new HubClient({
    hubUrl: proxy.url,
    apiKey: new Secret(hub.nodeKey),
    timeoutMs: deadlineMs,
  });
  const controller = new AbortController();
  const common = { hub: client, clock: systemClock, logger: createLogger("test"), batchSize: 4 };
  const backoff = { firstMs: 1, maxMs: 20 };
  const resources = stack.move();
  const start = () => {
    const running = Promise.all([
      new Announcer({ ...common, backoff, queue: spool.announcements }).run(controller.signal),
      new GapReporter({ ...common, backoff, nodeId: "node01", queue: spool.gapReports }).run(
        controller.signal,
      ),
      new Reconciler({
        ...{ ...common, backoff, nodeId: "node01", journal: spool.journal },
        ...{ checkMs: 50, settleMs: 1, spread: { firstMs: 1, maxMs: 2 } },
      }).run(controller.signal),
    ]);
    resources.defer(async () => {
      controller.abort();
      await running;
    });
  };
  const isPending = () => spool.announcements.pending().length + spool.gapReports.pending().length > 0;
  return { hub, proxy, spool, start, isPending, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(5);
}

const problem = (status: number) =>
  JSON.stringify({ type: "about:blank", title: "x", status, code: "unavailable" });

const faults: [string, ConnectionFault][] = [
  ["resets every connection", { kind: "reset" }],
  ["takes every request and never answers", { kind: "silence" }],
  ["answers 500", { kind: "answer", bytes: httpAnswer(500, problem(500)) }],
  ["answers 502 as a proxy does", { kind: "answer", bytes: httpAnswer(502, "<html>Bad Gateway</html>") }],
  [
    "answers 503 and when to come back",
    { kind: "answer", bytes: httpAnswer(503, problem(503), ["retry-after: 0"]) },
  ],
  ["answers 429", { kind: "answer", bytes: httpAnswer(429, problem(429), ["retry-after: 0"]) }],
  ["answers what makes no sense", { kind: "answer", bytes: httpAnswer(200, "\u0000\u0001 garbage {") }],
  ["answers another JSON", { kind: "answer", bytes: httpAnswer(200, '{"results":{},"stored":1e99}') }],
  ["does not speak HTTP", { kind: "answer", bytes: "220 mail.example ESMTP\r\n" }],
  ["stores, and its acknowledgement is lost", { kind: "cut", afterBytes: 0 }],
  ["stores, and half of its answer comes", { kind: "cut", afterBytes: 150 }],
  ["stores, and the rest of its answer never comes", { kind: "half", afterBytes: 150 }],
];

test.each(faults)("a hub that %s: afterwards it has everything once, and in order", async (_what, fault) => {
  await using at = await setUp();
  at.proxy.setFault(fault);
  at.start();
  await until(() => at.proxy.faults >= 6);
  at.proxy.setFault(undefined);
  await until(() => !at.isPending());

  const { videos } = (await (await at.hub.get("/api/videos?order=oldest_first&limit=100")).json()) as {
    videos: { sequence: number; created_at: string }[];
  };
  expect(videos.map(({ sequence }) => sequence)).toEqual(Array.from({ length: count }, (_, i) => i));
  expect(videos.map((video) => video.created_at)).toEqual(videos.map((video) => video.created_at).toSorted());
  const { gaps } = (await (await at.hub.get("/api/gaps?order=oldest_first")).json()) as {
    gaps: { from_time: string }[];
  };
  expect(gaps.map(({ from_time }) => Date.parse(from_time))).toEqual(
    Array.from({ length: count }, (_, i) => sampleStartMs + i * 600_000 + 2000),
  );
});
