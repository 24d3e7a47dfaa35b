import { Database } from "bun:sqlite";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "./errors.ts";

/**
 * Makes sure that one process works on a folder: a spool, a hub's data. The lock is SQLite's lock on an empty file: a
 * lock of the kernel that ends with the process however it ends, so a crash, a power cut or a reused pid leaves nothing
 * to clean up, and one that also holds between containers that share the folder. The pid beside it is for people.
 */
export class FolderLock implements Disposable {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  /** For `program`, such as `livecam-edge`. Throws `already_running` when another process has the folder. */
  static async take(root: string, program: string): Promise<FolderLock> {
    const ownerPath = join(root, "owner.pid");
    let database: Database | undefined;
    try {
      database = new Database(join(root, "lock"), { create: true, readwrite: true });
      database.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    } catch (cause) {
      database?.close();
      if (cause instanceof Error && "code" in cause && cause.code === "SQLITE_BUSY") {
        const pid = await readFile(ownerPath, "utf8").then(
          (text) => Number.parseInt(text, 10),
          () => undefined,
        );
        const owner = pid ? ` (process ${pid})` : "";
        throw new AppError("already_running", `another ${program}${owner} works on ${root}`);
      }
      throw new AppError("io", `cannot lock the folder ${root}`, { cause });
    }
    await writeFile(ownerPath, `${process.pid}\n`);
    return new FolderLock(database);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
