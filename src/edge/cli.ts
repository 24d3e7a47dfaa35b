import { Command, CommanderError, InvalidArgumentError } from "commander";
import { formatConfigError } from "../common/config-file.ts";
import { AppError, describeError } from "../common/errors.ts";
import { abortOnSignals } from "../common/lifecycle.ts";
import type { TextSink } from "../common/verify-progress.ts";
import { versionText } from "../common/version.ts";
import type { SocketOptions, StatusOptions } from "./cli-control.ts";
import type { InitOptions } from "./cli-init.ts";

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
      const { env, entryFile } = context;
      // Left at once: an upload worker that hangs in the kernel would keep the process.
      process.exit(await runEdge({ configPath: options.config, env, entryFile }));
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

  add(
    program
      .command("init")
      .description("write a first config: finds the cameras, asks for the rest or takes it from options")
      .option("-o, --output <file>", "where to; - is stdout", "/etc/livecam/edge.yaml")
      .option("--node <id>", "name of this machine at the hub (default: its host name)")
      .option(
        "--camera <what...>",
        "rpicam, rpicam:1, /dev/video0, rtsp://…, file:/… or test (default: all found)",
      )
      .option(
        "--archive <place>",
        "/PATH, nfs://…, smb://USER@… (mounted) or smb+client://USER@… (not mounted)",
      )
      .option("--hub <url>", "http://HOST:PORT of livecam-hub")
      .option("--key-file <file>", "where the node's API key lies (default: hub.key beside the config)")
      .option("--force", "replace a config that is there")
      .addHelpText("after", initHelp),
    async (options: InitOptions) => {
      const { runInit, terminalQuestions } = await import("./cli-init.ts");
      using questions = context.out.isTTY && process.stdin.isTTY ? terminalQuestions() : undefined;
      // Awaited here: the questions end with this block.
      return await runInit(options, { out: context.out, env: context.env, ask: questions?.ask });
    },
  );

  add(
    program
      .command("config")
      .description("what is in force by a config")
      .command("show")
      .description("print a config with every default filled in; secrets as where they are")
      .requiredOption("-c, --config <file>", "YAML or JSON; see check-config")
      .option("--json", "as JSON, with the version that status and hub show"),
    async (options: { config: string; json?: boolean }) => {
      const { runConfigShow } = await import("./cli-config.ts");
      return runConfigShow(options, context.out);
    },
  );

  add(
    program
      .command("doctor")
      .description("look at everything a recording needs, and say what to do about what is wrong")
      .requiredOption("-c, --config <file>", "YAML or JSON; see check-config")
      .option("--json", "as JSON")
      .addHelpText("after", doctorHelp),
    async (options: { config: string; json?: boolean }) => {
      const { runDoctor } = await import("./cli-doctor.ts");
      const { env, entryFile, out } = context;
      // Left at once: a worker that hangs in the archive would keep the process.
      process.exit(await runDoctor({ ...options, env, entryFile, out }));
    },
  );

  addControlCommands(program, context.out, add);

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

/** What can be asked of an edge that runs on this machine. */
function addControlCommands(
  program: Command,
  out: TextSink,
  add: <A extends unknown[]>(command: Command, work: (...args: A) => Promise<ExitCode>) => void,
): void {
  const control = () => import("./cli-control.ts");
  const command = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .option("-s, --socket <path>", "control socket of the edge (default: /run/livecam/edge.sock)")
      .option("-c, --config <file>", "take the socket from this config");

  add(
    command("status", "what cameras, uploads and hub link of the running edge do")
      .option("--json", "as JSON; with --watch one line each time")
      .option("-w, --watch [seconds]", "again and again until Ctrl-C (default: every 2 s)", watchSeconds),
    async (options: StatusOptions) =>
      (await control()).runStatus(options, out, () => abortOnSignals(() => undefined)),
  );
  add(
    command("uploads", "what waits to be archived, in the order it will be tried").option(
      "--json",
      "as JSON",
    ),
    async (options: SocketOptions & { json?: boolean }) => (await control()).runUploads(options, out),
  );
  add(
    command("snapshot", "the newest picture of a camera as JPEG")
      .argument("<camera>")
      .requiredOption("-o, --output <file>", "where to put it; - is stdout"),
    async (camera: string, options: SocketOptions & { output: string }) =>
      (await control()).runSnapshot(camera, options, out),
  );
  for (const [verb, description] of [
    ["pause", "close the segment and record nothing until resume"],
    ["resume", "record again"],
  ] as const) {
    add(command(verb, description).argument("<camera>"), async (camera: string, options: SocketOptions) =>
      (await control()).runPost(`/cameras/${encodeURIComponent(camera)}/${verb}`, options),
    );
  }
  add(
    command("configure", "change what a camera delivers, until the next start")
      .argument("<camera>")
      .option("--width <pixels>", "", Number)
      .option("--height <pixels>", "", Number)
      .option("--fps <number>", "frames per second", Number)
      .option("--bitrate <number>", "bits per second", Number),
    async (camera: string, options: SocketOptions & Record<string, number>) => {
      const { width, height, fps, bitrate } = options;
      const path = `/cameras/${encodeURIComponent(camera)}/configure`;
      return (await control()).runPost(path, options, { width, height, fps, bitrate_bps: bitrate });
    },
  );
  for (const [verb, description] of [
    ["cancel", "stop an upload and put it to the end of the queue"],
    ["retry", "try an upload again now that was cancelled or has failed"],
  ] as const) {
    add(command(verb, description).argument("<video-id>"), async (id: string, options: SocketOptions) =>
      (await control()).runPost(`/uploads/${encodeURIComponent(id)}/${verb}`, options),
    );
  }
  add(
    command("check-archive", "whether the running edge reaches its archive"),
    async (options: SocketOptions) => (await control()).runCheckArchive(options, out),
  );
}

function watchSeconds(text: string): number {
  const seconds = Number(text);
  if (seconds >= 0.1 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError("Expected seconds, from 0.1 to 86400.");
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

const initHelp = `
On a terminal it asks for what is not given; elsewhere --archive and --hub are needed. It never replaces a file
without --force, and no password or key is taken on the command line, where every user could read it.

  $ sudo livecam-edge init
  $ livecam-edge init -o edge.yaml --camera rpicam /dev/video0 --archive /mnt/nas/videos --hub http://nas.local:8080`;

const doctorHelp = `
Tries each camera for three seconds (not those that a running edge has: it is asked), writes a few megabytes to the
disk of the spool and a small file to the archive, and introduces the node to the hub, as every start does. What it
wrote it removes. Exit code 1 when anything fails; what is only to be looked at (warn) does not count.

  $ livecam-edge doctor --config /etc/livecam/edge.yaml`;

const verifyHelp = `
Reads every byte, so it also finds what a disk has lost. Exit code 1 when a file is not whole.

  $ livecam-edge verify cam01_20250923_153000.mp4
  $ livecam-edge verify --quiet /mnt/nas/videos/cam01`;
