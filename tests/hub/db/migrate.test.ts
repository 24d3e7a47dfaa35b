import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type LibsqlDatabase, openDatabase } from "../../../src/hub/db/libsql-database.ts";
import { migrate } from "../../../src/hub/db/migrate.ts";
import { type Migration, migrations } from "../../../src/hub/db/migrations.ts";

const source = resolve(import.meta.dir, "../../../src/hub/db/migrations");
let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "livecam-migrate-"));
  path = join(folder, "catalog.db");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const tables = async (database: LibsqlDatabase) =>
  (await database.read("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")).map(
    ([name]) => name,
  );
const migration = (generatedAtMs: number, sql: string): Migration => ({
  tag: `m${generatedAtMs}`,
  generatedAtMs,
  sql,
});

describe("the embedded migrations", () => {
  test("are all those in the folder, in order, with their text", async () => {
    const files = (await readdir(source)).filter((name) => name.endsWith(".sql")).sort();
    expect(migrations.map(({ tag }) => `${tag}.sql`)).toEqual(files);
    for (const { tag, sql } of migrations)
      expect(sql).toBe(await Bun.file(join(source, `${tag}.sql`)).text());
    const times = migrations.map(({ generatedAtMs }) => generatedAtMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test("make the schema that schema.ts describes", async () => {
    const { generateSQLiteDrizzleJson, generateSQLiteMigration } = await import("drizzle-kit/api");
    // It puts an enumerable `random` on every array of the process, other tests' arrays too.
    Reflect.deleteProperty(Array.prototype, "random");
    const schema = await import("../../../src/hub/db/schema.ts");
    const journal = await Bun.file(join(source, "meta/_journal.json")).json();
    const last = journal.entries.at(-1).idx.toString().padStart(4, "0");
    const snapshot = await Bun.file(join(source, `meta/${last}_snapshot.json`)).json();
    const now = await generateSQLiteDrizzleJson(schema as Record<string, unknown>, snapshot.id);
    expect(await generateSQLiteMigration(snapshot, now)).toEqual([]);
  });
});

describe("migrating", () => {
  test("happens once", async () => {
    await using database = await openDatabase({ path });
    expect(await migrate(database)).toEqual({ applied: migrations.map(({ tag }) => tag), newer: 0 });
    expect(await tables(database)).toContain("videos");
    expect(await migrate(database)).toEqual({ applied: [], newer: 0 });
    {
      await using again = await openDatabase({ path });
      expect(await migrate(again)).toEqual({ applied: [], newer: 0 });
    }
  });

  test("goes on where an older release stopped", async () => {
    await using database = await openDatabase({ path });
    const first = migration(1, "CREATE TABLE a (x)");
    const second = migration(2, "CREATE TABLE b (x);--> statement-breakpoint\nINSERT INTO a VALUES (1)");
    expect((await migrate(database, [first])).applied).toEqual(["m1"]);
    expect((await migrate(database, [first, second])).applied).toEqual(["m2"]);
    expect(await database.read("SELECT x FROM a")).toEqual([[1]]);
  });

  test("is all or nothing", async () => {
    await using database = await openDatabase({ path });
    const good = migration(1, "CREATE TABLE a (x)");
    const bad = migration(2, "CREATE TABLE b (x);--> statement-breakpoint\nNOT SQL");
    await expect(migrate(database, [good, bad])).rejects.toThrow("schema");
    expect(await tables(database)).toEqual([]);
    expect((await migrate(database, [good])).applied).toEqual(["m1"]);
  });

  test("may rebuild a table that others refer to, and loses none of their rows", async () => {
    await using database = await openDatabase({ path });
    const first = migration(
      1,
      `CREATE TABLE parent (id INTEGER PRIMARY KEY);--> statement-breakpoint
       CREATE TABLE child (id INTEGER REFERENCES parent(id) ON DELETE CASCADE);--> statement-breakpoint
       INSERT INTO parent VALUES (1);--> statement-breakpoint
       INSERT INTO child VALUES (1)`,
    );
    const rebuild = migration(
      2,
      `CREATE TABLE new_parent (id INTEGER PRIMARY KEY, name TEXT);--> statement-breakpoint
       INSERT INTO new_parent SELECT id, '' FROM parent;--> statement-breakpoint
       DROP TABLE parent;--> statement-breakpoint
       ALTER TABLE new_parent RENAME TO parent`,
    );
    await migrate(database, [first, rebuild]);
    expect(await database.read("SELECT id FROM child")).toEqual([[1]]);
    const orphans = migration(3, "DELETE FROM parent");
    await expect(migrate(database, [first, rebuild, orphans])).rejects.toThrow("refer to nothing");
    expect(await database.read("SELECT id FROM parent")).toEqual([[1]]);
    expect((await database.read("PRAGMA foreign_keys"))[0]?.[0]).toBe(1);
  });

  test("leaves a newer release's schema alone and tells of it", async () => {
    await using database = await openDatabase({ path });
    const [older, newer] = [
      migration(1, "CREATE TABLE a (x)"),
      migration(2, "ALTER TABLE a ADD y DEFAULT 7"),
    ];
    await migrate(database, [older, newer]);
    expect(await migrate(database, [older])).toEqual({ applied: [], newer: 1 });
    expect(await tables(database)).toContain("a");
  });

  test("by five processes at once happens once", async () => {
    const script = `
      import { openDatabase } from ${JSON.stringify(resolve(source, "../libsql-database.ts"))};
      import { migrate } from ${JSON.stringify(resolve(source, "../migrate.ts"))};
      await using database = await openDatabase({ path: ${JSON.stringify(path)} });
      console.log((await migrate(database)).applied.length);`;
    const runs = Array.from({ length: 5 }, () =>
      Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "pipe" }),
    );
    const outputs = await Promise.all(
      runs.map(async (run) => [await run.exited, await run.stderr.text(), await run.stdout.text()]),
    );
    for (const [exitCode, stderr] of outputs) expect([exitCode, stderr]).toEqual([0, ""]);
    const counts = outputs.map(([, , stdout]) => Number(stdout)).sort();
    expect(counts).toEqual([0, 0, 0, 0, migrations.length]);
  }, 60_000);
});
