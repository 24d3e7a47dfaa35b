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
  const { connection } = database;
  try {
    const known = new Set(migrations.map(({ generatedAtMs }) => generatedAtMs));
    const before = await connection.whenFree(() => appliedOf(database));
    const newer = [...before].filter((when) => !known.has(when)).length;
    // Without the lock: most starts find nothing to do, and must not wait for a writer.
    if (migrations.every(({ generatedAtMs }) => before.has(generatedAtMs))) return { applied: [], newer };

    // Rebuilding a table drops the old one, which must not delete what refers to it. No effect inside a transaction.
    connection.exec("PRAGMA foreign_keys = OFF");
    try {
      const applied = await connection.transact(() => applyPending(database, migrations));
      return { applied, newer };
    } finally {
      connection.exec("PRAGMA foreign_keys = ON");
    }
  } catch (error) {
    throw asAppError(error, "the catalog's schema cannot be brought up to date");
  }
}

/** When the migrations that the file has were generated. */
function appliedOf({ connection }: LibsqlDatabase): Set<number> {
  const table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '__drizzle_migrations'";
  if (connection.run({ sql: table, args: [] }).rows.length === 0) return new Set();
  const { rows } = connection.run({ sql: "SELECT created_at FROM __drizzle_migrations", args: [] });
  return new Set(rows.map(([when]) => Number(when)));
}

function applyPending(database: LibsqlDatabase, migrations: readonly Migration[]): string[] {
  const { connection } = database;
  connection.exec(
    "CREATE TABLE IF NOT EXISTS __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)",
  );
  const applied = appliedOf(database);
  const pending = migrations.filter(({ generatedAtMs }) => !applied.has(generatedAtMs));
  for (const { sql, generatedAtMs } of pending) {
    for (const statement of sql.split("--> statement-breakpoint")) connection.exec(statement);
    const hash = new Bun.CryptoHasher("sha256").update(sql).digest("hex");
    const insert = "INSERT INTO __drizzle_migrations (hash, created_at) VALUES (?, ?)";
    connection.run({ sql: insert, args: [hash, generatedAtMs] });
  }
  if (connection.run({ sql: "PRAGMA foreign_key_check", args: [] }).rows.length > 0) {
    throw new AppError("internal", "a migration left rows that refer to nothing");
  }
  return pending.map(({ tag }) => tag);
}
