import { Command, CommanderError } from "commander";
import { formatConfigError } from "../common/config-file.ts";
import { AppError, describeError } from "../common/errors.ts";
import type { TextSink } from "../common/verify-progress.ts";
import { versionText } from "../common/version.ts";
import type { AddWork, CliContext, ExitCode } from "./cli-context.ts";
import { addControlCommands } from "./cli-control-commands.ts";
import { addLocalCommands } from "./cli-local-commands.ts";

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

  const add: AddWork = (command, work) =>
    command.action(async (...args) => {
      exitCode = await work(...(args as unknown as Parameters<typeof work>));
    });

  addLocalCommands(program, add, context);
  addControlCommands(program, add, context.out);

  add(program.command("version").description("print version and commit"), async () => {
    context.out.write(`livecam-edge ${versionText}\n`);
    return 0;
  });

  add(program.command("archive-worker", { hidden: true }), async () => {
    const { runArchiveWorker } = await import("./cli-worker.ts");
    return runArchiveWorker(context.env);
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
  const issues = error instanceof AppError ? error.issues : [];
  const lines = issues.map(({ path, message }) => `  ${path || "(whole)"}: ${message}\n`);
  err.write(`livecam-edge: ${describeError(error)}\n${lines.join("")}`);
  return error instanceof AppError && error.code === "already_running" ? 2 : 1;
}

const overview = `
A first run, from a config to a video in the archive:
  $ livecam-edge init --output edge.yaml      asks for what it cannot find out
  $ livecam-edge check-config edge.yaml       every mistake at once
  $ livecam-edge doctor --config edge.yaml    whether cameras, disk, archive and hub are fit for it
  $ livecam-edge run --config edge.yaml       records until Ctrl-C
  $ livecam-edge status                       what the cameras and the uploads do
  $ livecam-edge reload                       puts a changed config in force
  $ livecam-edge snapshot cam01 -o now.jpg    what cam01 sees
  $ livecam-edge verify /mnt/nas/videos       whether everything is whole

Exit codes: 0 done, 1 failed, 2 wrong arguments or config, or another edge has the spool.`;
