import { expect, test } from "bun:test";
import { cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { systemClock } from "../../../src/common/clock.ts";
import { AppError } from "../../../src/common/errors.ts";
import { newUuidV7 } from "../../../src/common/ids.ts";
import { createLogger } from "../../../src/common/log.ts";
import type { AnnounceRequest } from "../../../src/common/protocol/announce.ts";
import type { BookmarkRequest } from "../../../src/common/protocol/bookmark.ts";
import type { GapReport } from "../../../src/common/protocol/gap.ts";
import type { JournalEntry } from "../../../src/edge/hub-link/acknowledged-journal.ts";
import { Reconciler } from "../../../src/edge/hub-link/reconciler.ts";
import { HubJournal } from "../../../src/edge/spool/hub-journal.ts";
import { announcedVideo } from "../../support/announced-video.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";

const logger = createLogger("reconciler");

/** What a hub keeps, and what is put back when it is restored. */
interface Kept {
  ids: Set<string>;
  bookmark: string | null;
}

/** A hub as far as it matters here. Each answer, and each request, may get lost. */
class ModelHub {
  kept: Kept = { ids: new Set(), bookmark: null };
  session = crypto.randomUUID();
  /** Of the next requests; a missing one is `fine`. */
  faults: ("fine" | "request lost" | "answer lost")[] = [];
  requests: { kind: "announce" | "gaps" | "bookmark"; count: number }[] = [];

  backup(): Kept {
    return { ids: new Set(this.kept.ids), bookmark: this.kept.bookmark };
  }

  restore(backup: Kept): void {
    this.kept = { ids: new Set(backup.ids), bookmark: backup.bookmark };
    this.session = crypto.randomUUID();
  }

  async announce({ videos }: AnnounceRequest) {
    this.requests.push({ kind: "announce", count: videos.length });
    return this.#answer(() => ({
      results: videos.map(({ video_id }) => ({
        video_id,
        result: this.#save(video_id) ? ("stored" as const) : ("duplicate" as const),
      })),
    }));
  }

  async reportGaps(_nodeId: string, { gaps }: GapReport) {
    this.requests.push({ kind: "gaps", count: gaps.length });
    return this.#answer(() => {
      const stored = gaps.filter(({ gap_id }) => this.#save(gap_id)).length;
      return { stored, known: gaps.length - stored };
    });
  }

  async moveBookmark(_nodeId: string, { move }: BookmarkRequest) {
    this.requests.push({ kind: "bookmark", count: 1 });
    return this.#answer(() => {
      if (move?.session === this.session && move.from === this.kept.bookmark) this.kept.bookmark = move.to;
      return { session: this.session, bookmark: this.kept.bookmark };
    });
  }

  #save(id: string): boolean {
    const isNew = !this.kept.ids.has(id);
    this.kept.ids.add(id);
    return isNew;
  }

  async #answer<T>(act: () => T): Promise<T> {
    const fault = this.faults.shift() ?? "fine";
    const lost = new AppError("unavailable", "lost");
    if (fault === "request lost") throw lost;
    const answer = act();
    await Promise.resolve();
    if (fault === "answer lost") throw lost;
    return answer;
  }
}

const gapOf = (n: number) => ({
  gap_id: newUuidV7(1e12 + n),
  camera_id: "cam01",
  from_time: "2025-09-23T06:00:00.000Z",
  to_time: "2025-09-23T06:00:01.000Z",
  cause: "paused" as const,
  detail: "",
});

/** A node: it is acknowledged by a hub, notes it, and keeps comparing. */
class Node {
  readonly #controller = new AbortController();
  readonly #running: Promise<void>;

  constructor(
    readonly hub: ModelHub,
    readonly journal: HubJournal,
    options: { batchSize?: number } = {},
  ) {
    const reconciler = new Reconciler({
      ...{ nodeId: "node01", journal, hub, clock: systemClock, logger },
      ...{ backoff: { firstMs: 1, maxMs: 2 }, spread: { firstMs: 1, maxMs: 2 }, checkMs: 2, settleMs: 0 },
      ...options,
    });
    this.#running = reconciler.run(this.#controller.signal);
  }

  /** As announcer and gap reporter do it. */
  async acknowledge(entry: JournalEntry): Promise<void> {
    const request = { protocol_version: 1 as const };
    for (;;) {
      try {
        if ("video" in entry) await this.hub.announce({ ...request, videos: [entry.video] });
        else if ("gap" in entry) await this.hub.reportGaps("node01", { ...request, gaps: [entry.gap] });
        return await this.journal.note([entry]);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
      }
    }
  }

  async stop(): Promise<void> {
    this.#controller.abort();
    await this.#running;
  }
}

const open = (root: string) => HubJournal.open({ root, clock: systemClock, logger });

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await Bun.sleep(1);
}

const idOf = (entry: JournalEntry) =>
  "video" in entry ? entry.video.video_id : "gap" in entry ? entry.gap.gap_id : undefined;

async function idsIn(journal: HubJournal): Promise<string[]> {
  const ids: string[] = [];
  for await (const entry of journal.entriesAfter(null)) ids.push(...[idOf(entry) ?? []].flat());
  return ids;
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("acknowledge" as const), isGap: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("hub is backed up" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("hub is restored" as const), nth: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("hub is started again" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("node is copied" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("node is restored" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("node is started again" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("time passes" as const), ms: fc.nat(4) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("requests fail" as const),
      faults: fc.array(fc.constantFrom("fine", "request lost", "answer lost"), {
        minLength: 1,
        maxLength: 5,
      }),
    }),
  },
);

test("whatever is restored, started again or lost, and whenever: the hub has all that the journal holds in the end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      await using folder = await temporaryFolder();
      const spool = join(folder.path, "spool");
      const copy = join(folder.path, "copy");
      await mkdir(spool);
      await mkdir(copy);
      const hub = new ModelHub();
      const backups = [hub.backup()];
      let node = new Node(hub, await open(spool), { batchSize: 3 });
      let count = 0;
      for (const each of steps) {
        switch (each.kind) {
          case "acknowledge": {
            count++;
            const entry = each.isGap
              ? { gap: gapOf(count) }
              : { video: { ...announcedVideo(count), video_id: newUuidV7(1e12 + count) } };
            await node.acknowledge(entry);
            break;
          }
          case "hub is backed up":
            backups.push(hub.backup());
            break;
          case "hub is restored":
            hub.restore(backups[each.nth % backups.length] as Kept);
            break;
          case "hub is started again":
            hub.restore(hub.kept);
            break;
          case "node is copied":
            await rm(copy, { recursive: true });
            await cp(spool, copy, { recursive: true });
            break;
          case "node is restored":
            await node.stop();
            await rm(spool, { recursive: true });
            await cp(copy, spool, { recursive: true });
            node = new Node(hub, await open(spool), { batchSize: 3 });
            break;
          case "node is started again":
            await node.stop();
            node = new Node(hub, await open(spool), { batchSize: 3 });
            break;
          case "time passes":
            await Bun.sleep(each.ms);
            break;
          case "requests fail":
            hub.faults.push(...each.faults);
            break;
        }
      }
      hub.faults = [];
      // Until it has compared to the end, and found nothing.
      await until(async () => [null, hub.kept.bookmark].includes(await node.journal.mark()));
      const asked = hub.requests.length;
      await until(() => hub.requests.length > asked + 2);
      const missing = (await idsIn(node.journal)).filter((id) => !hub.kept.ids.has(id));
      await node.stop();
      expect(missing).toEqual([]);
    }),
    { numRuns: Number(process.env.LIVECAM_RECONCILE_RUNS ?? 25) },
  );
}, 120_000);

/** A node with so many acknowledged, whose hub knows it. */
async function settled(count: number, options: { batchSize?: number } = {}) {
  const folder = await temporaryFolder();
  const hub = new ModelHub();
  const journal = await open(folder.path);
  const node = new Node(hub, journal, options);
  for (let n = 0; n < count; n++) {
    await node.acknowledge({ video: { ...announcedVideo(n), video_id: newUuidV7(1e12 + n) } });
  }
  await until(async () => hub.kept.bookmark === (await journal.mark()));
  return {
    ...{ hub, journal, node },
    async [Symbol.asyncDispose]() {
      await node.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test("while nothing is lost nothing is told again", async () => {
  await using at = await settled(20);
  const before = at.hub.requests.filter(({ kind }) => kind === "announce").length;
  await until(() => at.hub.requests.length > 200);
  expect(at.hub.requests.filter(({ kind }) => kind === "announce")).toHaveLength(before);
});

test("a hub with an empty catalog is told everything, in batches", async () => {
  await using at = await settled(25, { batchSize: 10 });
  const { length } = at.hub.requests;
  at.hub.restore({ ids: new Set(), bookmark: null });
  await until(() => at.hub.kept.ids.size === 25);
  const told = at.hub.requests.slice(length).filter(({ kind }) => kind === "announce");
  expect(told.map(({ count }) => count)).toEqual([10, 10, 5]);
});

test("a hub that fails in the middle is not told what it was told before", async () => {
  await using at = await settled(30, { batchSize: 10 });
  const { length } = at.hub.requests;
  at.hub.restore({ ids: new Set(), bookmark: null });
  await until(() => at.hub.kept.ids.size >= 10);
  at.hub.faults.push(...Array(3).fill("request lost"));
  await until(async () => at.hub.kept.bookmark === (await at.journal.mark()));
  expect(at.hub.kept.ids.size).toBe(30);
  const told = at.hub.requests.slice(length).filter(({ kind }) => kind === "announce");
  expect(told.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(30 + 2 * 10);
});

test("one that the hub now refuses is left out, and the others are told", async () => {
  await using at = await settled(9);
  const refused = [...at.hub.kept.ids][4] as string;
  const announce = at.hub.announce.bind(at.hub);
  at.hub.announce = async (request) => {
    if (request.videos.some(({ video_id }) => video_id === refused)) {
      throw new AppError("invalid_input", "the body is not valid");
    }
    return announce(request);
  };
  at.hub.restore({ ids: new Set(), bookmark: null });
  await until(() => at.hub.kept.ids.size === 8);
  await until(async () => at.hub.kept.bookmark === (await at.journal.mark()));
  expect(at.hub.kept.ids.has(refused)).toBe(false);
});
