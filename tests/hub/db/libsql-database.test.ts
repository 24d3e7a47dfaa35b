import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client/sqlite3";
import Database from "libsql";
import { type AppError, errorCodeOf } from "../../../src/common/errors.ts";
import { LibsqlCatalog } from "../../../src/hub/db/libsql-catalog.ts";
import { openDatabase } from "../../../src/hub/db/libsql-database.ts";
import { migrate } from "../../../src/hub/db/migrate.ts";
import { sampleRun, sampleVideo } from "../../support/sample-videos.ts";
import { openElsewhere } from "../../support/sqlite-process.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "livecam-db-"));
  path = join(folder, "catalog.db");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error as AppError,
  );

describe("opening", () => {
  test("what protects rows holds on a connection that nobody has set up", async () => {
    await using _database = await openDatabase({ path });
    // Such a one is what the client's pool opens when it has thrown a broken one away.
    const bare = createClient({ url: `file:${path}`, concurrency: 1, timeout: 50 });
    const ask = async (pragma: string) => (await bare.execute(`PRAGMA ${pragma}`)).rows[0]?.[0];
    expect(await ask("journal_mode")).toBe("wal");
    expect(await ask("synchronous")).toBe(2);
    expect(await ask("foreign_keys")).toBe(1);
    expect(await ask("busy_timeout")).toBe(50);
    bare.close();
  });

  test("waits for another process that is making the same database", async () => {
    const other = new Database(path);
    // As it is before there is a WAL: whoever writes shuts out all others.
    other.exec("CREATE TABLE t (x); BEGIN EXCLUSIVE");
    const opened = openDatabase({ path });
    setTimeout(() => {
      other.exec("COMMIT");
      other.close();
    }, 300);
    await using database = await opened;
    expect((await migrate(database)).applied.length).toBeGreaterThan(0);
  });

  test("the files are their owner's alone", async () => {
    await using database = await openDatabase({ path });
    await migrate(database);
    for (const name of ["catalog.db", "catalog.db-wal", "catalog.db-shm"]) {
      expect([name, (await stat(join(folder, name))).mode & 0o777]).toEqual([name, 0o600]);
    }
  });

  test("a folder whose name means something in addresses is a folder", async () => {
    const odd = join(folder, "a #1?x=%20 ä");
    await mkdir(odd);
    await using database = await openDatabase({ path: join(odd, "catalog.db") });
    await migrate(database);
    expect(await Bun.file(join(odd, "catalog.db")).exists()).toBe(true);
  });

  test("what cannot be opened is said in words", async () => {
    await writeFile(path, "not a database, though it is long enough to have a header of its own".repeat(30));
    expect(await failure(openDatabase({ path }))).toMatchObject({
      code: "corrupt_file",
      message: expect.stringContaining("catalog.db"),
    });
    expect(await failure(openDatabase({ path: join(folder, "none", "catalog.db") }))).toMatchObject({
      code: "io",
    });
    await mkdir(join(folder, "dir.db"));
    expect(await failure(openDatabase({ path: join(folder, "dir.db") }))).toMatchObject({ code: "io" });
  });
});

describe("another process that writes", () => {
  test("is waited for without blocking, and reads go on", async () => {
    await using database = await openDatabase({ path });
    await migrate(database);
    const catalog = new LibsqlCatalog(database);
    await using other = await openElsewhere(path);
    await other.run("BEGIN IMMEDIATE");
    const video = sampleVideo();
    const saved = catalog.saveVideos([video], 0);
    // A write that blocked would not let us come to the COMMIT before it gives up.
    await Bun.sleep(250);
    expect(await catalog.findVideos({ order: "newest_first", limit: 1 })).toEqual([]);
    await other.run("COMMIT");
    expect(await saved).toEqual([{ result: "stored" }]);
  });

  test("for too long is `unavailable`, and nothing is half done", async () => {
    let nowMs = 0;
    const clock = { wallMs: () => 0, monotonicMs: () => (nowMs += 1_000) };
    await using database = await openDatabase({ path, clock });
    await migrate(database);
    const catalog = new LibsqlCatalog(database);
    await using other = await openElsewhere(path);
    await other.run("BEGIN IMMEDIATE");
    const error = await failure(catalog.saveVideos([sampleVideo()], 0));
    expect(errorCodeOf(error)).toBe("unavailable");
    await other.run("ROLLBACK");
    expect(await catalog.findVideos({ order: "newest_first", limit: 1 })).toEqual([]);
    expect(await catalog.saveVideos([sampleVideo()], 0)).toEqual([{ result: "stored" }]);
  });
});

test("reading leaves nothing open that keeps the WAL from being reset", async () => {
  await using database = await openDatabase({ path });
  await migrate(database);
  const catalog = new LibsqlCatalog(database);
  const run = sampleRun(50);
  await catalog.saveVideos(run, 0);
  await catalog.findVideos({ order: "newest_first", limit: 10 });
  await catalog.findVideo(run[0]?.videoId ?? "");
  await catalog.findDays("cam01", 1);
  await using other = await openElsewhere(path);
  expect(await other.run("PRAGMA wal_checkpoint(TRUNCATE)")).toBe("[[0,0,0]]");
});

test("an error of SQL is told without the SQL", async () => {
  await using database = await openDatabase({ path });
  await migrate(database);
  expect(await failure(database.read("SELECT no_such_column FROM settings"))).toMatchObject({
    code: "internal",
    message: "the catalog cannot answer",
  });
});

test("a disk that is full is said, and everything acknowledged before is there", async () => {
  await using database = await openDatabase({ path });
  await migrate(database);
  const catalog = new LibsqlCatalog(database);
  const pages = Number((await database.read("PRAGMA page_count"))[0]?.[0]);
  database.connection.exec(`PRAGMA max_page_count = ${pages + 40}`);
  const stored: string[] = [];
  let error: unknown;
  for (let i = 0; error === undefined && i < 200; i++) {
    const run = sampleRun(20, { cameraId: `c${i}` });
    error = await failure(catalog.saveVideos(run, 0));
    if (error === undefined) stored.push(...run.map(({ videoId }) => videoId));
  }
  expect(error).toMatchObject({ code: "io", message: expect.stringContaining("full") });
  expect(stored.length).toBeGreaterThan(0);
  for (const id of stored) expect(await catalog.findVideo(id)).toBeDefined();
  expect(await catalog.findVideos({ order: "newest_first", limit: 10_000 })).toHaveLength(stored.length);
});

test("a read-only database file is said", async () => {
  {
    await using database = await openDatabase({ path });
    await migrate(database);
  }
  await chmod(path, 0o400);
  const error = await failure(openDatabase({ path }).then((database) => database[Symbol.asyncDispose]()));
  // Root may write whatever the mode says.
  if (process.getuid?.() !== 0) expect(error).toMatchObject({ code: "io" });
});
