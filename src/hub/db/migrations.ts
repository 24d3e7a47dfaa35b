import initial from "./migrations/0000_initial.sql" with { type: "text" };
import journal from "./migrations/meta/_journal.json" with { type: "json" };

export interface Migration {
  tag: string;
  /** When it was generated, ms since 1970 UTC; migrations are applied in this order. */
  generatedAtMs: number;
  sql: string;
}

/** One line per file that `drizzle-kit generate` wrote; a test compares it with the folder. */
const sqlOf: Record<string, string> = {
  "0000_initial": initial,
};

/** All migrations, oldest first, inside the binary. */
export const migrations: readonly Migration[] = journal.entries.map(({ tag, when }) => ({
  tag,
  generatedAtMs: when,
  sql: sqlOf[tag] ?? "",
}));
