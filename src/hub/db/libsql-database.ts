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
import Database from "libsql";
import { type Clock, sleep, systemClock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";

/** How long one call may block the event loop for a lock of another process (the CLI, a backup). */
const blockedMs = 50;
/** How long a write is tried again before the caller hears `unavailable`. */
const busyMs = 5_000;
const maxStatements = 100;

/**
 * The hub's SQLite database: @libsql/client with one connection for what is written and for drizzle, and libSQL itself
 * for the selects that are asked with every request. Those keep their prepared statements, which the client cannot,
 * and take half as long. More connections would make nothing faster: every call is synchronous inside. Transactions
 * are batches, which never wait for us in the middle.
 *
 * synchronous=FULL (an acknowledged row survives a power cut) and foreign_keys=ON are libSQL's defaults and the busy
 * timeout is an option, so they hold for every connection the client's pool may open; WAL is kept in the file.
 * {@link openDatabase} checks all four on both.
 */
export class LibsqlDatabase implements AsyncDisposable {
  readonly client: Client;
  /** For statements that are not asked for thousands of times; run them by {@link ask} and {@link write}. */
  readonly orm: ReturnType<typeof drizzle>;
  readonly #reader: Database.Database;
  readonly #statements = new Map<string, Database.Statement<[SqlValue[]]>>();
  readonly #clock: Clock;

  constructor(client: Client, reader: Database.Database, clock: Clock) {
    this.client = client;
    this.orm = drizzle(client);
    this.#reader = reader;
    this.#clock = clock;
  }

  /** Rows as lists of their values. Not for SQL that hardly anybody asks twice: its statement is kept. */
  read(sql: string, args: SqlValue[] = []): Promise<SqlValue[][]> {
    try {
      if (!this.#reader.open) throw new AppError("unavailable", "the catalog is closed");
      let statement = this.#statements.get(sql);
      if (!statement) {
        statement = this.#reader.prepare<[SqlValue[]]>(sql).raw(true);
        this.#statements.set(sql, statement);
        for (const oldest of this.#statements.keys()) {
          if (this.#statements.size <= maxStatements) break;
          this.#statements.delete(oldest);
        }
      }
      // To its end: a statement left in the middle would keep the WAL from being reset.
      return Promise.resolve(statement.all(args) as SqlValue[][]);
    } catch (error) {
      return Promise.reject(asAppError(error));
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
    this.#statements.clear();
    if (this.#reader.open) this.#reader.close();
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
  try {
    const client = createClient({ url: pathToFileURL(path).href, concurrency: 1, timeout: blockedMs });
    await client.execute("PRAGMA journal_mode = WAL");
    const reader = new Database(path, { timeout: blockedMs });
    // 32 MiB hold the upper levels of the indexes of ten million videos.
    reader.exec("PRAGMA query_only = ON; PRAGMA cache_size = -32768");
    await checkSettings(async (sql) => (await client.execute(sql)).rows[0]?.[0], path);
    await checkSettings(
      (sql) => Promise.resolve((reader.prepare(sql).raw(true).all() as unknown[][])[0]?.[0]),
      path,
    );
    return new LibsqlDatabase(client, reader, clock);
  } catch (error) {
    throw asAppError(error, `cannot open the database ${path}`);
  }
}

async function checkSettings(ask: (sql: string) => Promise<unknown>, path: string): Promise<void> {
  const expected: [string, SqlValue][] = [
    ["journal_mode", "wal"],
    ["synchronous", 2],
    ["foreign_keys", 1],
    ["busy_timeout", blockedMs],
  ];
  for (const [pragma, value] of expected) {
    const found = await ask(`PRAGMA ${pragma}`);
    if (found === value) continue;
    const message = `the database ${path} has ${pragma} = ${found}, it needs ${value}; is it on a local disk?`;
    throw new AppError("io", message);
  }
}

/** libSQL's error in the words of {@link AppError}. SQL stays in the cause, which answers do not show. */
export function asAppError(error: unknown, message = "the catalog cannot answer"): AppError {
  if (error instanceof AppError) return error;
  const cause = error instanceof DrizzleQueryError ? error.cause : error;
  const code = cause instanceof LibsqlError || cause instanceof Database.SqliteError ? cause.code : "";
  // Without what stands behind the kind: SQLITE_IOERR_WRITE, SQLITE_BUSY_SNAPSHOT.
  switch (/^SQLITE_[A-Z]+/.exec(code)?.[0]) {
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
