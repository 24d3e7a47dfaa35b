import { eq, sql } from "drizzle-orm";
import type { Beat, CameraRow, NewNode, NodeRow } from "./catalog.ts";
import type { LibsqlDatabase } from "./libsql-database.ts";
import { cameras as cameraTable, nodes as nodeTable } from "./schema.ts";

export async function saveNode(
  database: LibsqlDatabase,
  node: NewNode,
  cameras: readonly CameraRow[],
): Promise<void> {
  const { orm } = database;
  await database.write([
    orm.insert(nodeTable).values(node).onConflictDoUpdate({ target: nodeTable.nodeId, set: node }),
    ...cameras.map((camera) =>
      orm
        .insert(cameraTable)
        .values(camera)
        .onConflictDoUpdate({ target: cameraTable.cameraId, set: camera }),
    ),
  ]);
}

export async function saveHeartbeat(database: LibsqlDatabase, nodeId: string, beat: Beat): Promise<boolean> {
  const { atMs, json, ...columns } = beat;
  const [result] = await database.write([
    database.orm
      .update(nodeTable)
      .set({ ...columns, lastHeartbeatMs: atMs, lastHeartbeatJson: json })
      .where(eq(nodeTable.nodeId, nodeId)),
  ]);
  return result?.rowsAffected === 1;
}

export function listNodes(database: LibsqlDatabase): Promise<NodeRow[]> {
  return database.ask(database.orm.select().from(nodeTable).orderBy(sql`node_id`));
}

export function listCameras(database: LibsqlDatabase): Promise<CameraRow[]> {
  return database.ask(database.orm.select().from(cameraTable).orderBy(sql`camera_id`));
}
