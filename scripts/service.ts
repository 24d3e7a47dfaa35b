import { closeSync, openSync } from "node:fs";

/** How a program that should have gone on running ended. */
export class ServiceEnded extends Error {}

/**
 * A program that runs beside the script until it is stopped, with all its output in a log file. It lives in a session
 * of its own, so that Ctrl-C reaches only the script, which then stops its services one after the other; and it gets a
 * SIGTERM of its own should the script die.
 */
export class Service {
  readonly name: string;
  readonly logFile: string;
  /** Rejects with {@link ServiceEnded} when the program ends without having been asked to. */
  readonly endedByItself: Promise<never>;
  readonly #process: Bun.Subprocess;
  #stopping = false;

  constructor(
    name: string,
    argv: string[],
    logFile: string,
    env: Record<string, string | undefined> = process.env,
  ) {
    this.name = name;
    this.logFile = logFile;
    const log = openSync(logFile, "a", 0o600);
    try {
      this.#process = Bun.spawn(["setpriv", "--pdeathsig", "TERM", "--", ...argv], {
        stdin: "ignore",
        stdout: log,
        stderr: log,
        detached: true,
        env,
      });
    } finally {
      closeSync(log);
    }
    this.endedByItself = this.#process.exited.then(async () => {
      if (this.#stopping) return new Promise<never>(() => {});
      const how = this.#process.signalCode ?? `exit code ${this.#process.exitCode}`;
      const text = await Bun.file(logFile).text();
      const tail = text.trimEnd().split("\n").slice(-15).join("\n  ");
      throw new ServiceEnded(`the ${name} ended by itself (${how}); the end of ${logFile}:\n  ${tail}`);
    });
    // Whoever waits for it hears of it; nobody may be waiting yet.
    this.endedByItself.catch(() => {});
  }

  /** Asks the program to end, and ends its whole session after `patienceMs`. Answers whether it ended when asked. */
  async stop(patienceMs: number): Promise<boolean> {
    this.#stopping = true;
    const process_ = this.#process;
    if (process_.exitCode === null && process_.signalCode === null) process_.kill("SIGTERM");
    const ended = await Promise.race([
      process_.exited.then(() => true),
      Bun.sleep(patienceMs).then(() => false),
    ]);
    this.kill();
    await process_.exited;
    return ended;
  }

  /** Ends at once the program and what it started. */
  kill(): void {
    this.#stopping = true;
    try {
      process.kill(-this.#process.pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** Runs a command to its end and answers with its stdout; throws with its stderr when it fails. */
export async function runToEnd(argv: string[], input = ""): Promise<string> {
  const child = Bun.spawn(argv, { stdin: new Blob([input]), stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exitCode] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  if (exitCode !== 0)
    throw new Error(`${argv.join(" ")} failed with exit code ${exitCode}:\n${stderr || stdout}`);
  return stdout;
}
