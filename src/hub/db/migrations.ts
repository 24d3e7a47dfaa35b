import initial from "./migrations/0000_initial.sql" with { type: "text" };
import gaps from "./migrations/0001_gaps.sql" with { type: "text" };
import mock from "./migrations/0002_mock.sql" with { type: "text" };
import alerts from "./migrations/0003_alerts.sql" with { type: "text" };
import bookmarks from "./migrations/0004_bookmarks.sql" with { type: "text" };
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
  "0001_gaps": gaps,
  "0002_mock": mock,
  "0003_alerts": alerts,
  "0004_bookmarks": bookmarks,
};

/** All migrations, oldest first, inside the binary. */
export const migrations: readonly Migration[] = journal.entries.map(({ tag, when }) => ({
  tag,
  generatedAtMs: when,
  sql: sqlOf[tag] ?? missing(tag),
}));

/** An empty one would be remembered as applied. */
function missing(tag: string): never {
  throw new Error(`the migration ${tag} is not listed in migrations.ts`);
}
