import { Command, CommanderError } from "commander";
import { formatConfigError } from "../common/config-file.ts";
import { AppError, describeError } from "../common/errors.ts";
import type { TextSink } from "../common/verify-progress.ts";
import { versionText } from "../common/version.ts";

export interface CliContext {
  env: Readonly<Record<string, string | undefined>>;
  /** Of the program, to start itself as a worker. */
  entryFile: string;
  out: TextSink;
  err: TextSink;
}

/** 0 done, 1 failed, 2 asked for in a way that cannot work: arguments, config, a second edge on the same spool. */
type ExitCode = number;

/** Everything `livecam-edge` can be asked. What a command needs is loaded when it is asked, so each starts quickly. */
export async function runCli(args: readonly string[], context: CliContext): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = new Command("livecam-edge")
    .description("Records the cameras of this machine and brings every second of them to your archive.")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.out.write(text),
      writeErr: (text) => void context.err.write(text),
    })
    .showHelpAfterError("(livecam-edge --help shows what there is)")
    .addHelpText("after", overview);

  /** A command whose work resolves to its exit code. */
  const add = <A extends unknown[]>(command: Command, work: (...args: A) => Promise<ExitCode>) =>
    command.action(async (...args) => {
      exitCode = await work(...(args as unknown as A));
    });

  add(
    program
      .command("run")
      .description("record, archive and announce until SIGTERM or Ctrl-C")
      .requiredOption("-c, --config <file>", "YAML or JSON; see check-config")
      .addHelpText("after", runHelp),
    async (options: { config: string }) => {
      const { runEdge } = await import("./edge.ts");
      return runEdge({ configPath: options.config, env: context.env, entryFile: context.entryFile });
    },
  );

  add(
    program
      .command("check-config")
      .description("say everything that is wrong with a config, and read the secrets it points at")
      .argument("<file>")
      .addHelpText("after", checkConfigHelp),
    async (file: string) => {
      const { checkEdgeConfig } = await import("./config-secrets.ts");
      const config = await checkEdgeConfig(file, context.env);
      const cameras = config.cameras.map(({ id }) => id).join(", ");
      context.out.write(`${file} is valid: node ${config.node_id}, cameras ${cameras}\n`);
      return 0;
    },
  );

  add(
    program
      .command("verify")
      .description("check archived files: structure, index against content, and the recorded hash")
      .argument("<file...>", "files, and folders that are searched for *.mp4")
      .option("--json", "one JSON object per file")
      .option("-q, --quiet", "only what is wrong")
      .addHelpText("after", verifyHelp),
    async (files: string[], options: { json?: boolean; quiet?: boolean }) => {
      const { runVerify } = await import("../common/verify-command.ts");
      return runVerify(files, { ...options, out: context.out, err: context.err });
    },
  );

  add(program.command("version").description("print version and commit"), async () => {
    context.out.write(`livecam-edge ${versionText}\n`);
    return 0;
  });

  add(program.command("archive-worker", { hidden: true }), async () => {
    const { runArchiveWorker } = await import("./cli-worker.ts");
    return runArchiveWorker();
  });

  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    return report(error, context.err);
  }
}

function report(error: unknown, err: TextSink): ExitCode {
  // Commander has written its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof AppError && error.code === "invalid_config") {
    err.write(`livecam-edge: ${formatConfigError(error)}\n`);
    return 2;
  }
  err.write(`livecam-edge: ${describeError(error)}\n`);
  return error instanceof AppError && error.code === "already_running" ? 2 : 1;
}

const overview = `
A first run, from a config to a video in the archive:
  $ livecam-edge check-config edge.yaml       every mistake at once
  $ livecam-edge run --config edge.yaml       records until Ctrl-C
  $ livecam-edge status                       what the cameras and the uploads do
  $ livecam-edge snapshot cam01 -o now.jpg    what cam01 sees
  $ livecam-edge verify /mnt/nas/videos       whether everything is whole

Exit codes: 0 done, 1 failed, 2 wrong arguments or config, or another edge has the spool.`;

const runHelp = `
The first SIGTERM or Ctrl-C closes the segments cleanly and gives a running upload a few seconds; the second leaves
at once. Either way nothing is lost: what is not archived yet is archived by the next start. Logs go to stderr.

  $ livecam-edge run --config /etc/livecam/edge.yaml`;

const checkConfigHelp = `
Each line names the setting, what is expected and what is there. Exit code 2 when anything is wrong.

  $ livecam-edge check-config edge.yaml
  livecam-edge: edge.yaml is not valid
    cameras.0.source.fps: expected at most 240 frames per second, got 1000
    network.api_key: the environment variable LIVECAM_API_KEY is not set`;

const verifyHelp = `
Reads every byte, so it also finds what a disk has lost. Exit code 1 when a file is not whole.

  $ livecam-edge verify cam01_20250923_153000.mp4
  $ livecam-edge verify --quiet /mnt/nas/videos/cam01`;
