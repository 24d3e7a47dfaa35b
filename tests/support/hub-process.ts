import { type Child, startChild } from "../../src/common/child-process.ts";
import { hubCommand } from "./test-hub.ts";

export interface HubProcess extends AsyncDisposable {
  url: string;
  child: Child;
  /** Everything it has written to stderr so far. */
  log(): string;
}

/** Runs `serve` as a process of its own, on a free port or the one given; resolves when it says that it is ready. */
export async function startHubProcess(options: {
  data: string;
  archive: string;
  /** A config file. */
  config?: string;
  argv?: readonly string[];
  port?: number;
  /** Its children outlive it, as they do where people run it; the test runner has the kernel kill them with it. */
  leavesOrphans?: boolean;
}): Promise<HubProcess> {
  const { data, archive, config, argv = hubCommand, port = 0, leavesOrphans = false } = options;
  const places = ["--listen", `127.0.0.1:${port}`, "--data", data, "--archive", archive];
  const ready = Promise.withResolvers<string>();
  const lines: string[] = [];
  const child = startChild({
    argv: [...argv, "serve", ...places, ...(config === undefined ? [] : ["--config", config])],
    ...(leavesOrphans && { env: { ...process.env, BUN_FEATURE_FLAG_NO_ORPHANS: undefined } }),
    onStderrLine(line) {
      lines.push(line);
      const address = /"address":"(http:[^"]+)"/.exec(line)?.[1];
      if (address) ready.resolve(address);
    },
  });
  void child.exited.then(({ exitCode }) =>
    ready.reject(new Error(`the hub ended with ${exitCode}: ${lines.join("\n")}`)),
  );
  const limit = setTimeout(
    () => ready.reject(new Error(`the hub never said that it is ready: ${lines.join("\n")}`)),
    150_000,
  );
  const url = await ready.promise.finally(() => clearTimeout(limit));
  return {
    url,
    child,
    log: () => lines.join("\n"),
    async [Symbol.asyncDispose]() {
      child.stop();
      await child.exited;
    },
  };
}
