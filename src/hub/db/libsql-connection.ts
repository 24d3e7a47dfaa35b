import Database from "libsql";
import { type Clock, sleep } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";

export type SqlValue = string | number | null;

export interface SqlStatement {
  sql: string;
  args: SqlValue[];
}

export interface SqlResult {
  /** What the statement returns, row by row. */
  rows: SqlValue[][];
  /** Rows it changed; 0 for one that returns rows. */
  rowsAffected: number;
}

/** How long one call may block the event loop for a lock of another process (the CLI, a backup). */
export const blockedMs = 50;
/** How long a transaction is tried again before the caller hears `unavailable`. */
const busyMs = 5_000;
const maxStatements = 100;

interface Prepared {
  statement: Database.Statement<[SqlValue[]]>;
  returnsRows: boolean;
}

/**
 * One connection of libSQL that keeps its prepared statements. It is used directly and not through @libsql/client,
 * which prepares each statement anew (half of the time of a short select), and whose `BEGIN IMMEDIATE` stays active
 * after it found the database locked, so that a later COMMIT of the same connection fails.
 *
 * Every call is synchronous, so nothing of ours can come between the statements of a transaction.
 */
export class LibsqlConnection {
  readonly #database: Database.Database;
  readonly #prepared = new Map<string, Prepared>();
  readonly #clock: Clock;

  constructor(path: string, clock: Clock) {
    this.#database = new Database(path, { timeout: blockedMs });
    this.#clock = clock;
  }

  /** Any number of statements, without their rows. */
  exec(sql: string): void {
    this.#open().exec(sql);
  }

  run({ sql, args }: SqlStatement): SqlResult {
    const { statement, returnsRows } = this.#prepare(sql);
    // All rows: a statement left in the middle would keep the WAL from being reset.
    if (returnsRows) return { rows: statement.all(args) as SqlValue[][], rowsAffected: 0 };
    return { rows: [], rowsAffected: statement.run(args).changes };
  }

  /**
   * Runs `work`. While another process has what it needs it is tried again for five seconds, without blocking anything
   * else; then it throws `unavailable`.
   */
  async whenFree<T>(work: () => T): Promise<T> {
    const deadline = this.#clock.monotonicMs() + busyMs;
    for (let delayMs = 10; ; delayMs = Math.min(delayMs * 2, 200)) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error)) throw error;
        if (this.#clock.monotonicMs() + delayMs > deadline) {
          throw new AppError("unavailable", "the catalog is busy; try again", { cause: error });
        }
      }
      await sleep(delayMs);
    }
  }

  /**
   * Runs `work` in a transaction, all of it or nothing, and without a pause: an `await` behind `BEGIN` would let another
   * one in. Waits for a process that writes as {@link whenFree} does.
   */
  transact<T>(work: () => T): Promise<T> {
    return this.whenFree(() => {
      this.exec("BEGIN IMMEDIATE");
      try {
        const result = work();
        this.exec("COMMIT");
        return result;
      } catch (error) {
        // Some errors, a full disk among them, have rolled it back already.
        if (this.#database.inTransaction) this.exec("ROLLBACK");
        throw error;
      }
    });
  }

  close(): void {
    this.#prepared.clear();
    if (this.#database.open) this.#database.close();
  }

  #open(): Database.Database {
    // libSQL ends the whole process when a closed one is used.
    if (!this.#database.open) throw new AppError("unavailable", "the catalog is closed");
    return this.#database;
  }

  #prepare(sql: string): Prepared {
    const database = this.#open();
    const known = this.#prepared.get(sql);
    if (known) return known;
    const statement = database.prepare<[SqlValue[]]>(sql);
    const prepared = { statement, returnsRows: statement.reader };
    if (prepared.returnsRows) statement.raw(true);
    this.#prepared.set(sql, prepared);
    for (const oldest of this.#prepared.keys()) {
      if (this.#prepared.size <= maxStatements) break;
      this.#prepared.delete(oldest);
    }
    return prepared;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY");
}
