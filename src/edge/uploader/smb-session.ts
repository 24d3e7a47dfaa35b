import { type Child, startChild } from "../../common/child-process.ts";
import { sleep } from "../../common/clock.ts";
import {
  parseSmbFreeBytes,
  parseSmbListing,
  type SmbEntry,
  smbConnectionError,
  smbOperationError,
  smbStatusOf,
} from "./smb-answer.ts";

const maxLines = 100_000;
/**
 * Somebody may have a file open that was closed a moment ago: a scanner of the server, or the connection that we read
 * it back over, whose end the server has not noticed yet. That passes.
 */
const heldPatienceMs = 5_000;
const heldPauseMs = 50;

/**
 * One connection to a share: an `smbclient` that reads commands from its stdin. It never connects again by itself, so
 * everything that goes through one session reaches the same server. After each command it is asked one that does not
 * exist; the complaint about that is the end of the answer.
 * Paths hold only `[A-Za-z0-9._/-]`: the caller sees to that.
 */
export class SmbSession implements AsyncDisposable {
  readonly #child: Child;
  readonly #out: { read(): Promise<{ value?: Uint8Array | undefined }> };
  #rest: Uint8Array = new Uint8Array(0);
  #lines: string[] = [];
  #marks = 0;
  #atMark: (() => void) | undefined;

  private constructor(argv: readonly string[]) {
    this.#child = startChild({
      argv,
      stdin: "pipe",
      stdout: "pipe",
      onStderrLine: (line) => this.#onLine(line),
    });
    this.#out = this.#child.stdout.getReader();
  }

  /** Throws `unavailable` with what the server, or the way to it, said. */
  static async open(argv: readonly string[], address: string): Promise<SmbSession> {
    const session = new SmbSession(argv);
    try {
      await session.#ask("");
      return session;
    } catch {
      const { lines } = session.#end();
      await session.#child.exited;
      throw smbConnectionError(address, lines);
    }
  }

  /** Entries of a folder that have names of ours; undefined when there is no such folder. Throws `io`. */
  async list(folder: string): Promise<SmbEntry[] | undefined> {
    const lines = await this.#ask(`ls "${folder === "" ? "" : `${folder}/`}*"`);
    const status = smbStatusOf(lines);
    // An empty root, or a share that hides everything, has not even "." in it.
    if (status === "NO_SUCH_FILE") return [];
    if (status === "OBJECT_NAME_NOT_FOUND" || status === "OBJECT_PATH_NOT_FOUND") return undefined;
    if (status !== undefined) throw smbOperationError(`cannot list ${folder || "the archive"}`, lines);
    return parseSmbListing(lines);
  }

  async freeBytes(): Promise<number | undefined> {
    return parseSmbFreeBytes(await this.#ask("ls"));
  }

  /** Undefined when there is no such file. Throws `io`. */
  async sizeOf(path: string): Promise<number | undefined> {
    const lines = await this.#ask(`ls "${path}"`);
    const status = smbStatusOf(lines);
    if (status !== undefined && /^(?:NO_SUCH_FILE|OBJECT_(?:NAME|PATH)_NOT_FOUND)$/.test(status))
      return undefined;
    if (status !== undefined) throw smbOperationError(`cannot look at ${path}`, lines);
    return parseSmbListing(lines).find(({ isFolder }) => !isFolder)?.sizeBytes;
  }

  /** A file that is known to fit into a pipe, which is 64 KiB. Throws `io`. */
  async readSmall(path: string): Promise<Uint8Array> {
    const lines = await this.#ask(`get "${path}" -`);
    const sizeText = lines
      .map((line) => /^getting file .* of size (\d+) as - /.exec(line)?.[1])
      .find(Boolean);
    if (smbStatusOf(lines) !== undefined || sizeText === undefined) {
      throw smbOperationError(`cannot read ${path}`, lines);
    }
    const bytes = new Uint8Array(Number(sizeText));
    return bytes.subarray(0, await this.readNext(bytes));
  }

  /**
   * The start of reading a whole file: what follows is asked of {@link readNext}, and the session is good for nothing
   * else after it.
   */
  startReading(path: string): void {
    this.#write(`get "${path}" -\n`);
    void this.#child.stdin?.end();
  }

  /** Fills `target`; returns less at the end only. Throws `io` when the file could not be read to its end. */
  async readNext(target: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      if (this.#rest.length === 0) {
        const { value } = await this.#out.read();
        if (value === undefined) break;
        this.#rest = value;
      }
      const part = this.#rest.subarray(0, target.length - filled);
      target.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return filled;
  }

  /** Afterwards it is there, because of us or before. Throws `io`. */
  async makeFolder(path: string): Promise<void> {
    const lines = await this.#ask(`mkdir "${path}"`);
    const status = smbStatusOf(lines);
    if (status !== undefined && status !== "OBJECT_NAME_COLLISION") {
      throw smbOperationError(`cannot make the folder ${path}`, lines);
    }
  }

  /** Afterwards it is not there. Throws `io`. */
  async remove(path: string): Promise<void> {
    const lines = await this.#askUntilNotHeld(`del "${path}"`);
    const status = smbStatusOf(lines);
    if (status !== undefined && status !== "NO_SUCH_FILE" && status !== "OBJECT_NAME_NOT_FOUND") {
      throw smbOperationError(`cannot remove ${path}`, lines);
    }
  }

  /** The server refuses a name that is taken, in the same step ([MS-FSCC] 2.4.42, ReplaceIfExists = 0). */
  async rename(from: string, to: string): Promise<"renamed" | "taken"> {
    const lines = await this.#askUntilNotHeld(`rename "${from}" "${to}"`);
    const status = smbStatusOf(lines);
    if (status === "OBJECT_NAME_COLLISION") return "taken";
    if (status !== undefined) throw smbOperationError(`cannot give ${to} its name`, lines);
    return "renamed";
  }

  /** Ends the connection at once, whatever the server does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#child.exited;
  }

  /** The lines of the answer. Throws `io` when the connection ends before it. */
  async #ask(command: string): Promise<string[]> {
    const mark = `livecam-mark-${++this.#marks}`;
    this.#lines = [];
    const answered = new Promise<"answered">((resolve) => {
      this.#atMark = () => resolve("answered");
    });
    this.#write(`${command}\n${mark}\n`);
    const outcome = await Promise.race([answered, this.#child.exited]);
    if (outcome !== "answered") throw smbOperationError("the SMB connection ended", this.#lines);
    return this.#lines;
  }

  async #askUntilNotHeld(command: string): Promise<string[]> {
    for (let waitedMs = 0; ; waitedMs += heldPauseMs) {
      const lines = await this.#ask(command);
      if (smbStatusOf(lines) !== "SHARING_VIOLATION" || waitedMs >= heldPatienceMs) return lines;
      await sleep(heldPauseMs);
    }
  }

  #onLine(line: string): void {
    if (line.startsWith(`livecam-mark-${this.#marks}:`)) this.#atMark?.();
    else if (this.#lines.length < maxLines) this.#lines.push(line);
  }

  #write(text: string): void {
    try {
      this.#child.stdin?.write(text);
      void Promise.resolve(this.#child.stdin?.flush()).catch(() => undefined);
    } catch {
      // It has ended; whoever waits for the answer hears that.
    }
  }

  #end(): { lines: string[] } {
    this.#child.kill("SIGKILL");
    return { lines: this.#lines };
  }
}
