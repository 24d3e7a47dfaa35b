import { AppError } from "./errors.ts";

export interface ChildOptions {
  /** Program and arguments; no shell ever sees them. */
  argv: readonly string[];
  /** Asks the child to end: SIGINT, then SIGKILL after `killAfterMs`. */
  signal?: AbortSignal;
  /** How long a child may take to end before it is killed; default 5 s. */
  killAfterMs?: number;
  /** A number is a file descriptor of ours, which stays ours to close. */
  stdin?: "ignore" | "pipe" | Uint8Array | ReadableStream<Uint8Array> | number;
  stdout?: "ignore" | "pipe" | number;
  /** Whole environment of the child where it must differ from ours. Secrets go here, never into argv. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Every line of stderr as it comes; the tail is kept in any case. */
  onStderrLine?: (line: string) => void;
  /** Messages of a child of the same binary (see {@link selfCommand}). */
  onMessage?: (message: unknown) => void;
}

export interface ChildExit {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** The last 4 KiB of stderr: enough to say why, never enough to fill memory. */
  stderrTail: string;
}

export interface Child {
  pid: number;
  stdout: ReadableStream<Uint8Array>;
  stdin: import("bun").FileSink | undefined;
  /** Resolves when the process has ended and stderr is drained; never rejects. */
  exited: Promise<ChildExit>;
  /** SIGINT now, SIGKILL after `killAfterMs`. */
  stop(): void;
  kill(signal: NodeJS.Signals): void;
  send(message: unknown): void;
}

const stderrTailBytes = 4096;

/** The one way this codebase starts another program. Throws `unavailable` when it cannot be started at all. */
export function startChild(options: ChildOptions): Child {
  const [program] = options.argv;
  if (program === undefined) throw new AppError("internal", "an empty argv");
  let child: Bun.Subprocess;
  try {
    child = Bun.spawn([...options.argv], {
      stdin: options.stdin ?? "ignore",
      stdout: options.stdout ?? "ignore",
      stderr: "pipe",
      ...(options.env ? { env: options.env } : {}),
      ...(options.cwd ? { cwd: options.cwd } : {}),
      ...(options.onMessage ? { ipc: options.onMessage } : {}),
    });
  } catch (cause) {
    throw new AppError("unavailable", `cannot start ${program}; is it installed and on PATH?`, { cause });
  }

  let killTimer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    if (killTimer !== undefined || child.exitCode !== null) return;
    child.kill("SIGINT");
    killTimer = setTimeout(() => child.kill("SIGKILL"), options.killAfterMs ?? 5_000);
  };
  const stderr = readLines(child.stderr as ReadableStream<Uint8Array>, options.onStderrLine);
  const exited = (async (): Promise<ChildExit> => {
    await child.exited;
    clearTimeout(killTimer);
    options.signal?.removeEventListener("abort", stop);
    // A grandchild may hold the pipe open: what has not come half a second after the end is not waited for.
    const stderrTail = await Promise.race([stderr.done, Bun.sleep(500).then(() => stderr.tail())]);
    return { exitCode: child.exitCode, signal: child.signalCode as NodeJS.Signals | null, stderrTail };
  })();
  if (options.signal?.aborted) stop();
  else options.signal?.addEventListener("abort", stop, { once: true });

  return {
    pid: child.pid,
    stdout: child.stdout as ReadableStream<Uint8Array>,
    stdin: options.stdin === "pipe" ? (child.stdin as import("bun").FileSink) : undefined,
    exited,
    stop,
    kill: (signal) => child.kill(signal),
    send: (message) => child.send(message),
  };
}

/** Runs a program to its end and returns its output; for short commands. Kills it after `timeoutMs`. */
export async function runChild(
  options: Omit<ChildOptions, "stdout"> & { timeoutMs: number; maxOutputBytes?: number },
): Promise<ChildExit & { stdout: Uint8Array<ArrayBuffer> }> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal ? AbortSignal.any([deadline, options.signal]) : deadline;
  const child = startChild({ killAfterMs: 1_000, ...options, stdout: "pipe", signal });
  const limit = options.maxOutputBytes ?? 64 * 1024 * 1024;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of child.stdout) {
    size += chunk.byteLength;
    if (size > limit) {
      child.kill("SIGKILL");
      throw new AppError("io", `${options.argv[0]} wrote more than ${limit} bytes`);
    }
    chunks.push(chunk);
  }
  const exit = await child.exited;
  if (deadline.aborted) {
    throw new AppError("timeout", `${options.argv[0]} did not end within ${options.timeoutMs} ms`, {
      details: { stderr: exit.stderrTail },
    });
  }
  return { ...exit, stdout: Buffer.concat(chunks) as Uint8Array<ArrayBuffer> };
}

/**
 * The command that starts this program again, for worker processes: the compiled binary itself, or bun with the
 * entry file. `LIVECAM_SELF_COMMAND`, a JSON array, replaces it where the binary does not start by its own path
 * (an emulator or wrapper around it).
 */
export function selfCommand(entryFile: string): string[] {
  const override = process.env.LIVECAM_SELF_COMMAND;
  if (override !== undefined) {
    const argv: unknown = JSON.parse(override);
    if (Array.isArray(argv) && argv.length > 0 && argv.every((part) => typeof part === "string")) return argv;
    throw new AppError("invalid_config", "LIVECAM_SELF_COMMAND must be a JSON array of strings");
  }
  // In a compiled binary the entry file lies in Bun's virtual file system.
  return entryFile.includes("/$bunfs/") ? [process.execPath] : [process.execPath, entryFile];
}

function readLines(stream: ReadableStream<Uint8Array>, onLine?: (line: string) => void) {
  let tail = "";
  let partial = "";
  const decoder = new TextDecoder();
  const done = (async () => {
    for await (const chunk of stream) {
      const text = decoder.decode(chunk, { stream: true });
      tail = (tail + text).slice(-stderrTailBytes);
      if (!onLine) continue;
      const lines = (partial + text).split(/\r?\n|\r/);
      partial = (lines.pop() ?? "").slice(-stderrTailBytes);
      for (const line of lines) if (line !== "") onLine(line);
    }
    if (onLine && partial !== "") onLine(partial);
    return tail;
  })();
  return { done, tail: () => tail };
}
