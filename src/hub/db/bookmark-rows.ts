import type { LibsqlDatabase } from "./libsql-database.ts";

const select = "SELECT bookmark FROM bookmarks WHERE node_id = ?1";

const insert = `
  INSERT INTO bookmarks (node_id, bookmark) SELECT ?1, ?3 WHERE (${select}) IS ?2
  ON CONFLICT (node_id) DO UPDATE SET bookmark = excluded.bookmark`;

/** {@link Catalog.findBookmark} */
export async function findBookmark(database: LibsqlDatabase, nodeId: string): Promise<string | null> {
  const [row] = await database.read(select, [nodeId]);
  return (row?.[0] as string | undefined) ?? null;
}

/** {@link Catalog.moveBookmark} */
export async function moveBookmark(
  database: LibsqlDatabase,
  nodeId: string,
  move: { from: string | null; to: string },
): Promise<string | null> {
  const [, found] = await database.write([
    { sql: insert, args: [nodeId, move.from, move.to] },
    { sql: select, args: [nodeId] },
  ]);
  return (found?.rows[0]?.[0] as string | undefined) ?? null;
}
