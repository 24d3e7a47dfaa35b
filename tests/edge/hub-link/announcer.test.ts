import { expect, test } from "bun:test";
import { join } from "node:path";
import { systemClock } from "../../../src/common/clock.ts";
import { createLogger } from "../../../src/common/log.ts";
import { Secret } from "../../../src/common/secret.ts";
import { Announcer } from "../../../src/edge/hub-link/announcer.ts";
import { HubClient } from "../../../src/edge/hub-link/hub-client.ts";
import { announcedVideo } from "../../support/announced-video.ts";
import { fakeHubKey, problem, startFakeHub } from "../../support/fake-hub.ts";
import { recordSample, temporaryFolder } from "../../support/sample-recording.ts";
import { openTestSpool } from "../../support/test-spool.ts";

/** A real spool with `count` archived segments, and a hub that can be made to misbehave. */
async function setUp(count: number, batchSize = 200) {
  const folder = await temporaryFolder();
  const spool = await openTestSpool(join(folder.path, "spool"));
  const hub = startFakeHub();
  const archive = async (sequence: number) => {
    const { start } = await recordSample(spool.sink, { sequence });
    await spool.uploads.markArchived(start.videoId, {
      archiveId: "01997000-0000-7000-8000-0000000000aa",
      filePath: announcedVideo(sequence).file_path,
      fileSizeBytes: 54_000,
      fileSha256: "cd".repeat(32),
      alreadyThere: false,
    });
    return start.videoId;
  };
  const ids: string[] = [];
  for (let sequence = 0; sequence < count; sequence++) ids.push(await archive(sequence));
  const announcer = new Announcer({
    queue: spool.announcements,
    hub: new HubClient({ hubUrl: hub.url, apiKey: new Secret(fakeHubKey), timeoutMs: 10_000 }),
    clock: systemClock,
    logger: createLogger("hub-link"),
    backoff: { firstMs: 1, maxMs: 5 },
    batchSize,
  });
  const controller = new AbortController();
  let running: Promise<void> | undefined;
  return {
    spool,
    hub,
    ids,
    archive,
    start: () => {
      running = announcer.run(controller.signal);
    },
    async [Symbol.asyncDispose]() {
      controller.abort();
      await running;
      await hub[Symbol.asyncDispose]();
      spool[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(2);
}

test("announces what is archived, oldest first, in batches, and then each as it comes", async () => {
  await using at = await setUp(5, 2);
  at.start();
  await until(() => at.spool.announcements.pending().length === 0);
  expect(at.hub.announces).toEqual([at.ids.slice(0, 2), at.ids.slice(2, 4), at.ids.slice(4)]);
  const next = await at.archive(5);
  await until(() => at.spool.announcements.pending().length === 0);
  expect(at.hub.announces.at(-1)).toEqual([next]);
  expect(at.hub.videos.size).toBe(6);
});

test.each([
  ["answers 500", () => problem(500, "internal")],
  ["answers 429", () => problem(429, "unavailable")],
  ["answers garbage", () => new Response("\u0000\u0001garbage")],
  [
    "answers for videos nobody asked about",
    () => Response.json({ results: [{ video_id: "x", result: "stored" }] }),
  ],
  ["does not know the key", () => problem(401, "unauthorized")],
])("keeps everything, in order, while the hub %s", async (_what, answer) => {
  await using at = await setUp(3);
  let faults = 0;
  at.hub.fault = () => {
    faults++;
    return answer();
  };
  at.start();
  await until(() => faults >= 4);
  expect(at.spool.announcements.pending()).toEqual(at.ids);
  at.hub.fault = undefined;
  await until(() => at.spool.announcements.pending().length === 0);
  expect(at.hub.announces.at(-1)).toEqual(at.ids);
});

test("an acknowledgement that gets lost is asked for again, and the record is not doubled", async () => {
  await using at = await setUp(2);
  let lost = false;
  at.hub.fault = async (request) => {
    if (lost) return undefined;
    lost = true;
    // The hub stores, and its answer does not arrive.
    at.hub.fault = undefined;
    const { url, headers } = request;
    await fetch(url, { method: "POST", headers, body: await request.text() });
    return new Response("", { status: 502 });
  };
  at.start();
  await until(() => at.spool.announcements.pending().length === 0);
  expect(at.hub.announces).toEqual([at.ids, at.ids]);
  expect(at.hub.videos.size).toBe(2);
});

test("a conflict is kept and marked, and holds up nobody", async () => {
  await using at = await setUp(3);
  const [conflicting = ""] = at.ids;
  at.hub.videos.set(conflicting, { ...announcedVideo(), file_sha256: "00".repeat(32) } as never);
  at.start();
  await until(() => at.spool.announcements.pending().length === 0);
  expect(at.spool.status()).toMatchObject({ unacknowledged_segments: 1, conflicting_segments: 1 });
  expect(at.hub.announces).toEqual([at.ids]);
});

test("one that the hub refuses is found by halves, and the others get through", async () => {
  await using at = await setUp(9);
  const refused = at.ids[4]!;
  at.hub.fault = async (request) => {
    const text = await request.clone().text();
    return text.includes(refused) ? problem(400, "invalid_input") : undefined;
  };
  at.start();
  await until(() => at.spool.announcements.pending().length === 1);
  expect(at.spool.announcements.pending()).toEqual([refused]);
  expect([...at.hub.videos.keys()].sort()).toEqual(at.ids.filter((id) => id !== refused));
});

test("waits as long as the hub asks for", async () => {
  await using at = await setUp(1);
  const times: number[] = [];
  at.hub.fault = () => {
    times.push(performance.now());
    return times.length === 1 ? problem(503, "unavailable", { "retry-after": "1" }) : undefined;
  };
  at.start();
  await until(() => at.spool.announcements.pending().length === 0);
  expect(times[1]! - times[0]!).toBeGreaterThan(990);
});

test("a hub that acknowledges only some is not asked again at once", async () => {
  const asked: string[][] = [];
  const pending = new Set(["one", "two"]);
  const controller = new AbortController();
  const announcer = new Announcer({
    queue: {
      pending: () => [...pending],
      onPending: () => undefined,
      load: async (videoId) => ({ ...announcedVideo(0), video_id: videoId }),
      markAcknowledged: async (videoIds) => videoIds.forEach((videoId) => void pending.delete(videoId)),
      markConflict: async () => undefined,
    },
    hub: {
      announce: async ({ videos }) => {
        asked.push(videos.map(({ video_id }) => video_id));
        if (asked.length > 1) controller.abort();
        return { results: [{ video_id: "one", result: "stored" as const }] };
      },
    },
    clock: systemClock,
    logger: createLogger("hub-link"),
    // An hour: whoever asks again within this test did not wait.
    backoff: { firstMs: 3_600_000, maxMs: 3_600_000 },
  });
  const running = announcer.run(controller.signal);
  await until(() => !pending.has("one"));
  await Bun.sleep(50);
  controller.abort();
  await running;
  expect(asked).toEqual([["one", "two"]]);
  expect([...pending]).toEqual(["two"]);
});
