import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { type Client, createClient, LibsqlError } from "@libsql/client/sqlite3";
import { DrizzleQueryError } from "drizzle-orm/errors";
import { drizzle } from "drizzle-orm/libsql/sqlite3";
import Database from "libsql";
import { type Clock, systemClock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import {
  blockedMs,
  LibsqlConnection,
  type SqlResult,
  type SqlStatement,
  type SqlValue,
} from "./libsql-connection.ts";

/**
 * The hub's SQLite database. Writes and the selects of every request go through one connection; drizzle's own selects
 * through a second one, that of @libsql/client.
 *
 * synchronous=FULL (an acknowledged row survives a power cut) and foreign_keys=ON are libSQL's defaults and the busy
 * timeout is an option, so they hold for every connection that the client's pool may ever open; WAL is kept in the
 * file. {@link openDatabase} checks all four on both.
 */
export class LibsqlDatabase implements AsyncDisposable {
  /** For statements that are not asked with every request; run them by {@link ask} and {@link write}. */
  readonly orm: ReturnType<typeof drizzle>;
  readonly connection: LibsqlConnection;
  readonly #client: Client;

  constructor(connection: LibsqlConnection, client: Client) {
    this.connection = connection;
    this.#client = client;
    this.orm = drizzle(client);
  }

  /** The rows of a select, each a list of its values. */
  async read(sql: string, args: SqlValue[] = []): Promise<SqlValue[][]> {
    try {
      return this.connection.run({ sql, args }).rows;
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

  /** All statements or none. When it returns, they are on the disk. */
  async write(statements: (SqlStatement | OrmStatement)[]): Promise<SqlResult[]> {
    const plain = statements.map((statement) => ("toSQL" in statement ? ofOrm(statement) : statement));
    try {
      return await this.connection.transact(() => plain.map((statement) => this.connection.run(statement)));
    } catch (error) {
      throw asAppError(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.close();
    if (!this.#client.closed) this.#client.close();
  }
}

/** An insert, update or delete of drizzle. */
interface OrmStatement {
  toSQL(): { sql: string; params: unknown[] };
}

function ofOrm(statement: OrmStatement): SqlStatement {
  const { sql, params } = statement.toSQL();
  return { sql, args: params as SqlValue[] };
}

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
    const connection = new LibsqlConnection(path, clock);
    // Another process may be making the same database.
    await connection.whenFree(() => connection.exec("PRAGMA journal_mode = WAL"));
    // 32 MiB hold the upper levels of the indexes of ten million videos.
    connection.exec("PRAGMA cache_size = -32768");
    const client = createClient({ url: pathToFileURL(path).href, concurrency: 1, timeout: blockedMs });
    await checkSettings(async (sql) => connection.run({ sql, args: [] }).rows[0]?.[0], path);
    await checkSettings(async (sql) => (await client.execute(sql)).rows[0]?.[0], path);
    return new LibsqlDatabase(connection, client);
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
