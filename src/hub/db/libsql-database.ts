import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type Client,
  createClient,
  type InStatement,
  LibsqlError,
  type ResultSet,
} from "@libsql/client/sqlite3";
import { DrizzleQueryError } from "drizzle-orm/errors";
import { drizzle } from "drizzle-orm/libsql/sqlite3";
import { type Clock, sleep, systemClock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";

/** How long one call may block the event loop for a lock of another process (the CLI, a backup). */
const blockedMs = 50;
/** How long a write is tried again before the caller hears `unavailable`. */
const busyMs = 5_000;

/**
 * The hub's SQLite database. One connection: every call of @libsql/client is synchronous inside, so a second one
 * would not make anything faster. Its transactions are batches, which never wait for us in the middle.
 *
 * synchronous=FULL (an acknowledged row survives a power cut) and foreign_keys=ON are libSQL's defaults and the busy
 * timeout is an option of the client, so they hold for every connection its pool may open; WAL is kept in the file.
 * {@link openDatabase} checks all four.
 */
export class LibsqlDatabase implements AsyncDisposable {
  readonly client: Client;
  /** For statements that are not asked for thousands of times; run them by {@link ask} and {@link write}. */
  readonly orm: ReturnType<typeof drizzle>;
  readonly #clock: Clock;

  constructor(client: Client, clock: Clock) {
    this.client = client;
    this.orm = drizzle(client);
    this.#clock = clock;
  }

  async read(sql: string, args: SqlValue[] = []): Promise<ResultSet> {
    try {
      return await this.client.execute({ sql, args });
    } catch (error) {
      throw asAppError(error);
    }
  }

  /** Runs a select of {@link orm}. */
  async ask<T>(query: PromiseLike<T>): Promise<T> {
    try {
      return await query;
    } catch (error) {
      throw asAppError(error);
    }
  }

  /** All statements or none; waits up to five seconds for another process's write without blocking anything. */
  async write(statements: (InStatement | OrmStatement)[]): Promise<ResultSet[]> {
    const batch = statements.map((statement) =>
      typeof statement === "object" && "toSQL" in statement ? ofOrm(statement) : statement,
    );
    const deadline = this.#clock.monotonicMs() + busyMs;
    for (let delayMs = 10; ; delayMs = Math.min(delayMs * 2, 200)) {
      try {
        return await this.client.batch(batch, "write");
      } catch (error) {
        const busy = error instanceof LibsqlError && error.code === "SQLITE_BUSY";
        if (!busy || this.#clock.monotonicMs() + delayMs > deadline) throw asAppError(error);
      }
      await sleep(delayMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.client.closed) this.client.close();
  }
}

/** An insert, update or delete of drizzle. */
interface OrmStatement {
  toSQL(): { sql: string; params: unknown[] };
}

function ofOrm(statement: OrmStatement): InStatement {
  const { sql, params } = statement.toSQL();
  return { sql, args: params as SqlValue[] };
}

export type SqlValue = string | number | null;

/**
 * Opens the database, making it where there is none, readable by its owner alone: it holds hashes of passwords.
 * Throws `io` or `corrupt_file` with a message for the console.
 */
export async function openDatabase(options: { path: string; clock?: Clock }): Promise<LibsqlDatabase> {
  const { path, clock = systemClock } = options;
  try {
    await (await open(path, "a", 0o600)).close();
  } catch (cause) {
    throw new AppError("io", `cannot write to the data folder ${dirname(path)}`, { cause });
  }
  let database: LibsqlDatabase;
  try {
    const client = createClient({ url: pathToFileURL(path).href, concurrency: 1, timeout: blockedMs });
    database = new LibsqlDatabase(client, clock);
    await client.execute("PRAGMA journal_mode = WAL");
    // Pages of the indexes; 32 MiB hold the upper levels of those of ten million videos.
    await client.execute("PRAGMA cache_size = -32768");
  } catch (error) {
    throw asAppError(error, `cannot open the database ${path}`);
  }
  await checkSettings(database, path);
  return database;
}

async function checkSettings(database: LibsqlDatabase, path: string): Promise<void> {
  const expected: [string, SqlValue][] = [
    ["journal_mode", "wal"],
    ["synchronous", 2],
    ["foreign_keys", 1],
    ["busy_timeout", blockedMs],
  ];
  for (const [pragma, value] of expected) {
    const found = (await database.read(`PRAGMA ${pragma}`)).rows[0]?.[0];
    if (found !== value) {
      throw new AppError(
        "io",
        `the database ${path} has ${pragma} = ${found}, it needs ${value}; is it on a local disk?`,
      );
    }
  }
}

/** libSQL's error in the words of {@link AppError}. SQL stays in the cause, which answers do not show. */
export function asAppError(error: unknown, message = "the catalog cannot answer"): AppError {
  if (error instanceof AppError) return error;
  const cause = error instanceof DrizzleQueryError ? error.cause : error;
  const code = cause instanceof LibsqlError ? cause.code : "";
  switch (code) {
    case "SQLITE_BUSY":
    case "SQLITE_LOCKED":
      return new AppError("unavailable", "the catalog is busy; try again", { cause: error });
    case "SQLITE_FULL":
      return new AppError("io", "the disk of the catalog is full", { cause: error });
    case "SQLITE_CORRUPT":
    case "SQLITE_NOTADB":
      return new AppError("corrupt_file", `${message}: it is damaged`, { cause: error });
    case "SQLITE_IOERR":
    case "SQLITE_READONLY":
    case "SQLITE_CANTOPEN":
      return new AppError("io", message, { cause: error });
    default:
      return new AppError("internal", message, { cause: error });
  }
}
