import { expect, test } from "bun:test";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../../src/common/clock.ts";
import { createLogger } from "../../../src/common/log.ts";
import { Secret } from "../../../src/common/secret.ts";
import { GapReporter } from "../../../src/edge/hub-link/gap-reporter.ts";
import { HubClient } from "../../../src/edge/hub-link/hub-client.ts";
import { GapStore } from "../../../src/edge/spool/gap-store.ts";
import { HubJournal } from "../../../src/edge/spool/hub-journal.ts";
import { fakeHubKey, problem, startFakeHub } from "../../support/fake-hub.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";

const startMs = Date.parse("2025-09-23T06:00:00Z");

/** A store with `count` gaps, and a hub that can be made to misbehave. */
async function setUp(count: number, batchSize = 200) {
  const folder = await temporaryFolder();
  const open = async () => {
    const logger = createLogger("gaps");
    const journal = await HubJournal.open({ root: folder.path, clock: systemClock, logger });
    const store = new GapStore({ root: folder.path, journal, logger });
    await store.load();
    return store;
  };
  const add = (minute: number) => {
    const fromMs = startMs + minute * 60_000;
    return store.add("cam01", { fromMs, toMs: fromMs + 5000, cause: "paused", detail: `gap ${minute}\n` });
  };
  const store = await open();
  for (let i = 0; i < count; i++) await add(i);
  const hub = startFakeHub();
  const client = new HubClient({ hubUrl: hub.url, apiKey: new Secret(fakeHubKey), timeoutMs: 10_000 });
  const controller = new AbortController();
  let running: Promise<void> | undefined;
  return {
    ...{ store, hub, add, open, folder: join(folder.path, "gaps") },
    start: () => {
      const reporter = new GapReporter({
        ...{ nodeId: "node01", queue: store, hub: client, clock: systemClock, batchSize },
        logger: createLogger("gaps"),
        backoff: { firstMs: 1, maxMs: 5 },
      });
      running = reporter.run(controller.signal);
    },
    async [Symbol.asyncDispose]() {
      controller.abort();
      await running;
      await hub[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(2);
}

test("gaps reach the hub in batches, oldest first, and leave the disk when it has them", async () => {
  await using all = await setUp(7, 3);
  all.start();
  await until(() => all.store.pending().length === 0);
  expect([...all.hub.gaps.values()].map(({ detail }) => detail)).toEqual(
    [0, 1, 2, 3, 4, 5, 6].map((minute) => `gap ${minute} `),
  );
  expect(await readdir(all.folder)).toEqual([]);
  await all.add(7);
  await until(() => all.store.pending().length === 0);
  expect(all.hub.gaps.size).toBe(8);
});

test("they wait on the disk for a hub that is away, broken, or forgets its answer", async () => {
  await using all = await setUp(5);
  const answers = [
    () => problem(500, "internal"),
    () => new Response("<html>", { status: 200 }),
    () => problem(404, "not_found"),
    () => Response.json({ stored: 1, known: 1 }),
    // It stored them, and the answer was lost.
    async (request: Request) => {
      all.hub.fault = undefined;
      await fetch(request.url, { method: "POST", headers: request.headers, body: await request.text() });
      return problem(503, "unavailable");
    },
  ];
  all.hub.fault = (request) => answers.shift()?.(request);
  expect((await (await all.open()).pending()).length).toBe(5);
  all.start();
  await until(() => all.store.pending().length === 0);
  expect(answers).toEqual([]);
  expect(all.hub.gaps.size).toBe(5);
});

test("one that the hub refuses holds nobody up, and stays", async () => {
  await using all = await setUp(6);
  all.hub.fault = async (request) => {
    const refuses = (await request.clone().text()).includes("gap 2 ");
    return refuses ? problem(400, "invalid_input") : undefined;
  };
  all.start();
  await until(() => all.store.pending().length === 1);
  expect(all.store.pending()[0]?.detail).toBe("gap 2 ");
  expect(all.hub.gaps.size).toBe(5);
});

test("what a crash left half written is not believed, and what cannot be read is left alone", async () => {
  await using all = await setUp(2);
  const [first] = (await readdir(all.folder)).sort();
  await writeFile(join(all.folder, "x.json.tmp-1"), "{");
  await writeFile(join(all.folder, first as string), '{"gap_id":"../../etc"}');
  const again = await all.open();
  expect(again.pending().map(({ detail }) => detail)).toEqual(["gap 1 "]);
  expect(await readdir(all.folder)).toHaveLength(2);
});
