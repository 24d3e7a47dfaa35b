import type { Command } from "commander";
import { Wakeup } from "../common/wakeup.ts";
import type { AddWork, CliContext } from "./cli-context.ts";
import type { InitOptions } from "./cli-init.ts";

/** What works on files and on this machine, whether or not an edge runs on it. */
export function addLocalCommands(program: Command, add: AddWork, context: CliContext): void {
  add(
    program
      .command("run")
      .description("record, archive and announce until SIGTERM or Ctrl-C")
      .requiredOption("-c, --config <file>", "YAML or JSON; see check-config")
      .addHelpText("after", runHelp),
    async (options: { config: string }) => {
      // First of all: a reload that comes while the edge starts is no reason to end.
      const hangup = new Wakeup();
      process.on("SIGHUP", () => hangup.wake());
      const { runEdge } = await import("./edge.ts");
      const { env, entryFile } = context;
      // Left at once: an upload worker that hangs in the kernel would keep the process.
      process.exit(await runEdge({ configPath: options.config, env, entryFile, hangup }));
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
      .helpCommand(false)
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
}

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
