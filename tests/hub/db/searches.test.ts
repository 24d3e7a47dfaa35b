import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "../../../src/common/errors.ts";
import type { VideoQuery } from "../../../src/hub/db/catalog.ts";
import { LibsqlCatalog } from "../../../src/hub/db/libsql-catalog.ts";
import { type LibsqlDatabase, openDatabase } from "../../../src/hub/db/libsql-database.ts";
import { migrate } from "../../../src/hub/db/migrate.ts";
import { filterConditions, joinConditions } from "../../../src/hub/db/video-conditions.ts";
import { sampleRun } from "../../support/sample-videos.ts";

let folder: string;
let database: LibsqlDatabase;
let catalog: LibsqlCatalog;
/** Every look at it takes so long. */
let lookMs = 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "livecam-searches-"));
  database = await openDatabase({ path: join(folder, "catalog.db") });
  await migrate(database);
  let nowMs = 0;
  catalog = new LibsqlCatalog(database, { wallMs: () => 0, monotonicMs: () => (nowMs += lookMs) });
  lookMs = 0;
  for (let i = 0; i < 20; i++) await catalog.saveVideos(sampleRun(1_000, { cameraId: `c${i}` }), 0);
});
afterEach(async () => {
  await database[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const rare: VideoQuery = { order: "newest_first", limit: 50, text: "no such name" };
const search = (signal?: AbortSignal) =>
  catalog.findVideos(rare, signal).then((found) => found.length, errorCodeOf);
const sorted = (results: unknown[]) => results.map(String).sort();

test("twelve searches of everything at once all end, though all together take longer than one may", async () => {
  // Forty steps of three looks each: one takes 6 s of 20, two side by side 12, and twelve would take 72.
  lookMs = 50;
  expect(await Promise.all(Array.from({ length: 12 }, () => search()))).toEqual(Array(12).fill(0));
});

test("beyond thirty that wait, a search is refused at once; who leaves makes room", async () => {
  const patient = Array.from({ length: 31 }, () => search());
  const leaving = new AbortController();
  const left = search(leaving.signal);
  expect(await Promise.all([search(), search()])).toEqual(["unavailable", "unavailable"]);
  leaving.abort();
  const late = search();
  // Whoever is gone before its turn is asked for does not wait either.
  expect([await left, await search(leaving.signal)]).toEqual(["cancelled", "cancelled"]);
  expect(await late).toBe(0);
  expect(await Promise.all(patient)).toEqual(Array(31).fill(0));
  // All places are free again, those of the searches that failed included.
  expect(sorted(await Promise.all(Array.from({ length: 33 }, () => search())))).toEqual(
    sorted([...Array(32).fill(0), "unavailable"]),
  );
});

test("one that takes too long gives its place to the next", async () => {
  lookMs = 25_000;
  const results = await Promise.all(Array.from({ length: 4 }, () => search()));
  expect(results).toEqual(Array(4).fill("timeout"));
  lookMs = 0;
  expect(await search()).toBe(0);
});

test("what ends with its first step waits for nobody", async () => {
  const all = Array.from({ length: 32 }, () => search());
  const common: VideoQuery = { ...rare, text: "mp4" };
  expect(await catalog.findVideos(common)).toHaveLength(50);
  expect(await Promise.race([Promise.all(all), "still waiting"])).toBe("still waiting");
  await Promise.all(all);
});

test("no condition needs more of a video than the index has that is gone along", async () => {
  const every: VideoQuery = {
    ...rare,
    ...{ nodeIds: ["a"], statuses: ["available"], weekdays: [1], text: "x" },
    ...{ minDurationMs: 1, maxDurationMs: 2, minSizeBytes: 1, maxSizeBytes: 2 },
    timeOfDay: { fromMinute: 0, toMinute: 9 },
  };
  for (const condition of filterConditions(every)) {
    for (const index of ["videos_start", "videos_camera_start"]) {
      const { text, args } = joinConditions([condition]);
      const [plan] = await database.read(
        `EXPLAIN QUERY PLAN SELECT 1 FROM videos AS v INDEXED BY ${index} WHERE ${text}`,
        args,
      );
      expect([text, String(plan?.[3])]).toEqual([text, expect.stringContaining(`COVERING INDEX ${index}`)]);
    }
  }
});
