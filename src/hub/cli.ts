import { Command, CommanderError, Option } from "commander";
import { formatConfigError } from "../common/config-file.ts";
import { AppError, describeError } from "../common/errors.ts";
import type { TextSink } from "../common/verify-progress.ts";
import { versionText } from "../common/version.ts";
import type { CliContext } from "./cli-context.ts";
import { helpTexts } from "./cli-help.ts";
import type { PasswordSource } from "./cli-password.ts";
import type { HubOptions } from "./config.ts";

/** 0 done, 1 failed, 2 asked for in a way that cannot work: arguments or config. */
type ExitCode = number;

/** Everything `livecam-hub` can be asked. What a command needs is loaded when it is asked, so each starts quickly. */
export async function runCli(args: readonly string[], context: CliContext): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const { out, err } = context;

  /** A command whose work resolves to its exit code. */
  const add = <A extends unknown[]>(command: Command, work: (...args: A) => Promise<ExitCode>) =>
    command.action(async (...args) => {
      exitCode = await work(...(args as unknown as A));
    });
  const withHelp = (command: Command, name: keyof typeof helpTexts) =>
    command.addHelpText("after", helpTexts[name]);

  const program = withHelp(
    new Command("livecam-hub")
      .description("Knows every video in the archive, and serves the pages, the API and the video itself.")
      .helpCommand(false)
      .exitOverride()
      .configureOutput({ writeOut: (text) => void out.write(text), writeErr: (text) => void err.write(text) })
      .showHelpAfterError("(livecam-hub --help shows what there is)"),
    "overview",
  );
  const subcommand = (parent: Command, name: string) => parent.command(name).helpCommand(false);
  const onData = (command: Command) =>
    command
      .option("-c, --config <file>", "YAML or JSON; for its data_path")
      .option("-d, --data <folder>", "the hub's data folder (default: /data)");

  add(
    withHelp(
      subcommand(program, "serve")
        .description("run the hub until SIGTERM or Ctrl-C")
        .option("-c, --config <file>", "YAML or JSON; what stands on the command line wins")
        .option("-l, --listen <host:port>", "where to listen (default: 0.0.0.0:8080)")
        .option(
          "-d, --data <folder>",
          "catalog and all else the hub remembers; a local disk (default: /data)",
        )
        .option("-a, --archive <folder>", "root of the archive (default: /videos)"),
      "serve",
    ),
    async (options: HubOptions) => {
      const { runServe } = await import("./cli-serve.ts");
      return runServe(options, context);
    },
  );

  add(
    withHelp(
      subcommand(program, "verify")
        .description("check archived files and exports: structure, index against content, hashes")
        .argument("<file...>", "files, folders that are searched for *.mp4, and evidence exports (*.zip)")
        .option("--json", "one JSON object per file")
        .option("-q, --quiet", "only what is wrong"),
      "verify",
    ),
    async (files: string[], options: { json?: boolean; quiet?: boolean }) => {
      const { verifyFilesAndExports } = await import("./cli-verify.ts");
      return verifyFilesAndExports(files, { ...options, out, err });
    },
  );

  const user = withHelp(subcommand(program, "user").description("people who may sign in"), "user");
  const passwordOption = (command: Command) =>
    command.option(
      "-p, --password-file <file>",
      "read the password from this file; else it is asked for, or read from stdin",
    );
  add(
    withHelp(
      onData(
        passwordOption(subcommand(user, "add").description("let somebody sign in").argument("<name>")),
      ).addOption(
        new Option("-r, --role <role>", "admin or viewer").choices(["admin", "viewer"]).default("viewer"),
      ),
      "userAdd",
    ),
    async (name: string, options: HubOptions & PasswordSource & { role: "admin" | "viewer" }) => {
      const { addUser } = await import("./cli-user.ts");
      return addUser(name, options, context);
    },
  );
  add(
    onData(
      passwordOption(
        subcommand(user, "passwd")
          .description("give a new password, and end all logins with the old one")
          .argument("<name>"),
      ),
    ),
    async (name: string, options: HubOptions & PasswordSource) => {
      const { changePassword } = await import("./cli-user.ts");
      return changePassword(name, options, context);
    },
  );
  add(
    onData(subcommand(user, "remove").description("take the login away, at once").argument("<name>")),
    async (name: string, options: HubOptions) => {
      const { removeUser } = await import("./cli-user.ts");
      return removeUser(name, options, context);
    },
  );
  add(
    onData(subcommand(user, "list").description("who may sign in").option("--json", "as JSON")),
    async (options: HubOptions & { json?: boolean }) => {
      const { listUsers } = await import("./cli-user.ts");
      return listUsers(options, context);
    },
  );

  const key = withHelp(subcommand(program, "key").description("API keys of nodes and programs"), "key");
  add(
    withHelp(
      onData(
        subcommand(key, "create")
          .description("make a key and print it, this once")
          .addOption(
            new Option("-k, --kind <kind>", "client: reads; node: an edge (default: client)").choices([
              "client",
              "node",
            ]),
          )
          .option("-n, --node <id>", "a key of kind node that speaks for this node alone")
          .option("--client <name>", "a key of kind client with this name")
          .option("--name <name>", "what the list calls it")
          .option("--json", "as JSON"),
      ),
      "keyCreate",
    ),
    async (options: import("./cli-key.ts").CreateKeyOptions) => {
      const { createKey } = await import("./cli-key.ts");
      return createKey(options, context);
    },
  );
  add(
    onData(subcommand(key, "list").description("every key, without its secret").option("--json", "as JSON")),
    async (options: HubOptions & { json?: boolean }) => {
      const { listKeys } = await import("./cli-key.ts");
      return listKeys(options, context);
    },
  );
  add(
    onData(
      subcommand(key, "revoke")
        .description("make a key worthless, at once")
        .argument("<key-id>", "see key list"),
    ),
    async (keyId: string, options: HubOptions) => {
      const { revokeKey } = await import("./cli-key.ts");
      return revokeKey(keyId, options, context);
    },
  );

  add(subcommand(program, "version").description("print version and commit"), async () => {
    out.write(`livecam-hub ${versionText}\n`);
    return 0;
  });

  add(
    program
      .command("archive-probe", { hidden: true })
      .argument("<folder>")
      .option("--create <id>")
      .option("--created-at <ms>"),
    async (folder: string, options: { create?: string; createdAt?: string }) => {
      const { runArchiveProbe } = await import("./cli-archive-probe.ts");
      return runArchiveProbe(folder, options, context);
    },
  );
  add(
    program.command("media-worker", { hidden: true }).argument("<root>").requiredOption("--memory <path>"),
    async (root: string, options: { memory: string }) => {
      const { runMediaWorker } = await import("./cli-media-worker.ts");
      return runMediaWorker(root, options);
    },
  );

  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    return report(error, err);
  }
}

function report(error: unknown, err: TextSink): ExitCode {
  // Commander has written its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof AppError && (error.code === "invalid_config" || error.code === "invalid_input")) {
    err.write(`livecam-hub: ${formatConfigError(error)}\n`);
    return 2;
  }
  err.write(`livecam-hub: ${describeError(error)}\n`);
  return 1;
}
