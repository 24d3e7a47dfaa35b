import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../common/clock.ts";
import { AppError } from "../common/errors.ts";
import { FolderLock } from "../common/folder-lock.ts";
import type { AlertStore } from "./alerts/alert-store.ts";
import type { ApiKeyStore, SessionStore, UserStore } from "./auth/account-stores.ts";
import type { Catalog } from "./db/catalog.ts";
import {
  createLibsqlApiKeyStore,
  createLibsqlSessionStore,
  createLibsqlUserStore,
} from "./db/libsql-account-stores.ts";
import { createLibsqlAlertStore } from "./db/libsql-alert-store.ts";
import { LibsqlCatalog } from "./db/libsql-catalog.ts";
import { openDatabase } from "./db/libsql-database.ts";
import { createLibsqlSettings } from "./db/libsql-settings.ts";
import { type MigrationReport, migrate } from "./db/migrate.ts";
import type { Settings } from "./db/settings.ts";

/** Everything the hub keeps in its database. */
export interface Storage extends AsyncDisposable {
  catalog: Catalog;
  alerts: AlertStore;
  settings: Settings;
  keys: ApiKeyStore;
  users: UserStore;
  sessions: SessionStore;
  migration: MigrationReport;
}

/** Opens the database in the data folder, both made where they do not exist, with its schema up to date. */
export async function openStorage(dataPath: string, clock: Clock): Promise<Storage> {
  try {
    await mkdir(dataPath, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new AppError("io", `cannot make the data folder ${dataPath}`, { cause });
  }
  const database = await openDatabase({ path: join(dataPath, "catalog.db"), clock });
  try {
    return {
      migration: await migrate(database),
      catalog: new LibsqlCatalog(database, clock),
      alerts: createLibsqlAlertStore(database),
      settings: createLibsqlSettings(database),
      keys: createLibsqlApiKeyStore(database),
      users: createLibsqlUserStore(database),
      sessions: createLibsqlSessionStore(database),
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    };
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

/** The same for the hub itself, of which a data folder has one. Throws `already_running` when another one has it. */
export async function openOwnStorage(dataPath: string, clock: Clock): Promise<Storage> {
  await using stack = new AsyncDisposableStack();
  const storage = stack.use(await openStorage(dataPath, clock));
  stack.use(await FolderLock.take(dataPath, "livecam-hub"));
  const resources = stack.move();
  return { ...storage, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
