import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VideoQuery } from "../../../src/hub/db/catalog.ts";
import { createLibsqlAlertStore } from "../../../src/hub/db/libsql-alert-store.ts";
import { LibsqlCatalog } from "../../../src/hub/db/libsql-catalog.ts";
import type { SqlValue } from "../../../src/hub/db/libsql-connection.ts";
import { type LibsqlDatabase, openDatabase } from "../../../src/hub/db/libsql-database.ts";
import { migrate } from "../../../src/hub/db/migrate.ts";
import { sampleRun } from "../../support/sample-videos.ts";

let folder: string;
let database: LibsqlDatabase;
let catalog: LibsqlCatalog;
const plans: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "livecam-plans-"));
  database = await openDatabase({ path: join(folder, "catalog.db") });
  await migrate(database);
  catalog = new LibsqlCatalog(database);
  for (const cameraId of ["a", "b", "c"]) await catalog.saveVideos(sampleRun(500, { cameraId }), 0);
  const read = database.read.bind(database);
  database.read = async (sql: string, args: SqlValue[] = []) => {
    for (const row of await read(`EXPLAIN QUERY PLAN ${sql}`, args)) plans.push(String(row[3]));
    return read(sql, args);
  };
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function planOf(work: () => Promise<unknown>): Promise<string[]> {
  plans.length = 0;
  await work();
  return plans;
}

const base: VideoQuery = { order: "newest_first", limit: 50 };
const after = { startTimeMs: Date.parse("2025-09-24T00:00:00Z"), videoId: "x" };
const range = { fromMs: after.startTimeMs - 1e7, toMs: after.startTimeMs };

describe("what is asked often reads the rows it answers with and no others", () => {
  const queries: [string, VideoQuery, string][] = [
    ["everything", base, "videos_start"],
    ["everything, oldest first", { ...base, order: "oldest_first" }, "videos_start"],
    ["everything, from a key", { ...base, after }, "videos_start"],
    ["a range", { ...base, ...range }, "videos_start"],
    ["a camera", { ...base, cameraIds: ["a"] }, "videos_camera_start"],
    ["a camera from a key", { ...base, cameraIds: ["a"], after, ...range }, "videos_camera_start"],
    ["a search in a camera", { ...base, cameraIds: ["a"], weekdays: [2], text: "x" }, "videos_camera_start"],
    ["a search in all", { ...base, minDurationMs: 1e9 }, "videos_start"],
    ["what is not available", { ...base, statuses: ["missing", "damaged"] }, "videos_not_available"],
    [
      "what of a camera is not available",
      { ...base, cameraIds: ["a"], statuses: ["missing"] },
      "videos_not_available",
    ],
  ];
  test.each(queries)("%s", async (_, query, index) => {
    const found = await planOf(() => catalog.findVideos(query));
    const videos = found.filter((step) => /\bv\b/.test(step));
    expect(videos.length).toBeGreaterThan(0);
    for (const step of videos) expect(step).toContain(index);
    expect(found.filter((step) => step.includes("TEMP B-TREE"))).toEqual([]);
    // An index gone through from its end is what a page of everything is.
    if (query.cameraIds || query.after || query.fromMs) {
      expect(videos.filter((step) => step.startsWith("SCAN v") && index !== "videos_not_available")).toEqual(
        [],
      );
    }
  });

  test("several cameras: each by its index, and only one page of each is sorted", async () => {
    const found = await planOf(() => catalog.findVideos({ ...base, cameraIds: ["a", "b"] }));
    expect(found.filter((step) => step.includes("videos_camera_start"))).toHaveLength(2);
    expect(found.filter((step) => step.includes("INTEGER PRIMARY KEY"))).toHaveLength(1);
    expect(found.filter((step) => step.includes("TEMP B-TREE"))).toHaveLength(1);
  });

  test("gaps of a range: those that begin near it by their begin, the long ones by their length", async () => {
    for (const cameraIds of [undefined, ["a"]]) {
      for (const order of ["newest_first", "oldest_first"] as const) {
        const found = await planOf(() =>
          catalog.findGaps({ ...range, order, limit: 50, ...(cameraIds && { cameraIds }) }),
        );
        const [near, long] = found.filter((step) => step.includes("gaps"));
        expect(near).toMatch(
          /SEARCH gaps USING INDEX gaps_(?:camera_)?from \((?:camera_id=\? AND )?from_ms>/,
        );
        expect(long).toContain("SEARCH gaps USING INDEX gaps_span (<expr>>?");
      }
    }
  });

  test("alerts that go on, without the history", async () => {
    const alerts = createLibsqlAlertStore(database);
    expect((await planOf(() => alerts.listActive()))[0]).toContain("alerts_active");
    const query = { isActive: true, order: "newest_first" as const, limit: 50 };
    expect((await planOf(() => alerts.find(query)))[0]).toContain("alerts_active");
  });

  test("one video, the days of a camera, the newest of each, the longest span", async () => {
    expect(await planOf(() => catalog.findVideo("x"))).toEqual([expect.stringContaining("videos_video_id")]);
    const days = await planOf(() => catalog.findDays("a", 10));
    expect(days.filter((step) => step.includes("videos"))).toEqual([
      expect.stringContaining("videos_camera_date (camera_id=?)"),
      expect.stringContaining("videos_camera_date (camera_id=? AND local_date<?)"),
    ]);
    const newest = await planOf(() => catalog.findNewestVideos());
    expect(newest.filter((step) => step.startsWith("SCAN"))).toEqual([expect.stringMatching(/^SCAN c\b/)]);
    const ranged = await planOf(() => catalog.findVideos({ ...base, ...range }));
    expect(ranged).toContainEqual(expect.stringContaining("videos_span"));
  });
});
