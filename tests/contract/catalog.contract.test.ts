import { afterAll } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LibsqlCatalog } from "../../src/hub/db/libsql-catalog.ts";
import { openDatabase } from "../../src/hub/db/libsql-database.ts";
import { migrate } from "../../src/hub/db/migrate.ts";
import { catalogContract } from "./catalog.contract.ts";

const folder = await mkdtemp(join(tmpdir(), "livecam-catalog-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

let count = 0;
catalogContract("libSQL", async () => {
  const database = await openDatabase({ path: join(folder, `${++count}.db`) });
  await migrate(database);
  return new LibsqlCatalog(database);
});
