import { AppError } from "../../common/errors.ts";
import { asAppError, type LibsqlDatabase } from "./libsql-database.ts";
import { migrations as embedded, type Migration } from "./migrations.ts";

export interface MigrationReport {
  applied: string[];
  /** Migrations of a newer release that this one does not know; its tables are used as they are. */
  newer: number;
}

/**
 * Brings the schema up to date, in one transaction: after a kill or a power cut either all of it happened or
 * nothing. A second process that starts at the same time waits and then finds nothing to do. Keeps drizzle's own
 * journal table, so that `drizzle-kit` can be used on the file.
 */
export async function migrate(
  database: LibsqlDatabase,
  migrations: readonly Migration[] = embedded,
): Promise<MigrationReport> {
  const { client } = database;
  // Rebuilding a table drops the old one, which must not delete what refers to it. No effect inside a transaction.
  await client.execute("PRAGMA foreign_keys = OFF");
  try {
    return await applyPending(database, migrations);
  } catch (error) {
    throw asAppError(error, "the catalog's schema cannot be brought up to date");
  } finally {
    if (!client.closed) await client.execute("PRAGMA foreign_keys = ON");
  }
}

async function applyPending(
  database: LibsqlDatabase,
  migrations: readonly Migration[],
): Promise<MigrationReport> {
  // Without the lock first: most starts find nothing to do, and must not wait for a writer.
  const before = await journalOf(database);
  const isPending = (applied: ReadonlySet<number>) => (migration: Migration) =>
    !applied.has(migration.generatedAtMs);
  const known = new Set(migrations.map(({ generatedAtMs }) => generatedAtMs));
  const newer = [...before].filter((when) => !known.has(when)).length;
  if (!migrations.some(isPending(before))) return { applied: [], newer };

  const transaction = await beginWrite(database);
  try {
    await transaction.execute(
      "CREATE TABLE IF NOT EXISTS __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)",
    );
    const rows = await transaction.execute("SELECT created_at FROM __drizzle_migrations");
    const pending = migrations.filter(isPending(new Set(rows.rows.map((row) => Number(row[0])))));
    for (const { sql, generatedAtMs } of pending) {
      for (const statement of sql.split("--> statement-breakpoint")) await transaction.execute(statement);
      const hash = new Bun.CryptoHasher("sha256").update(sql).digest("hex");
      await transaction.execute({
        sql: "INSERT INTO __drizzle_migrations (hash, created_at) VALUES (?, ?)",
        args: [hash, generatedAtMs],
      });
    }
    const broken = await transaction.execute("PRAGMA foreign_key_check");
    if (broken.rows.length > 0) throw new AppError("internal", "a migration left rows that refer to nothing");
    await transaction.commit();
    return { applied: pending.map(({ tag }) => tag), newer };
  } finally {
    transaction.close();
  }
}

async function journalOf(database: LibsqlDatabase): Promise<Set<number>> {
  const table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '__drizzle_migrations'";
  if ((await database.client.execute(table)).rows.length === 0) return new Set();
  const { rows } = await database.client.execute("SELECT created_at FROM __drizzle_migrations");
  return new Set(rows.map((row) => Number(row[0])));
}

/** At start nobody else of this process writes; another process that migrates is waited for. */
async function beginWrite(database: LibsqlDatabase) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.client.transaction("write");
    } catch (error) {
      const known = asAppError(error);
      if (known.code !== "unavailable" || attempt === 100) throw known;
    }
    await Bun.sleep(100);
  }
}
