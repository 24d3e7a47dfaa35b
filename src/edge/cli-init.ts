import { lstat, mkdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import type * as v from "valibot";
import { writeFileAtomic } from "../common/atomic-file.ts";
import { parseConfig } from "../common/config-file.ts";
import { AppError, describeError, errnoOf } from "../common/errors.ts";
import { NodeId } from "../common/ids.ts";
import { checkInput } from "../common/input-issues.ts";
import type { TextSink } from "../common/verify-progress.ts";
import { EdgeConfig } from "./config.ts";
import { checkEdgeConfig } from "./config-secrets.ts";
import { programOutput } from "./doctor/program-output.ts";
import type { Answers, FoundCamera } from "./init/answers.ts";
import { findCameras } from "./init/find-cameras.ts";
import { nodeIdOf, parseCamera, parseDestination } from "./init/parse-answers.ts";
import { formatConfig } from "./init/write-config.ts";

export interface InitOptions {
  output: string;
  node?: string;
  camera?: string[];
  archive?: string;
  hub?: string;
  keyFile?: string;
  force?: boolean;
}

/** The answer, or `fallback` for an empty one. Rejects with `cancelled` at the end of the input. */
export type Ask = (question: string, fallback: string) => Promise<string>;

export interface InitContext {
  out: TextSink;
  env: Readonly<Record<string, string | undefined>>;
  /** Undefined where nobody can be asked. */
  ask: Ask | undefined;
  find?: () => Promise<FoundCamera[]>;
}

/**
 * Writes a first config that check-config accepts once its secrets lie where it says. Throws `conflict` for a file
 * that is there, `invalid_input` for what is missing or not understood, `invalid_config` for what a config cannot say.
 */
export async function runInit(options: InitOptions, context: InitContext): Promise<number> {
  const { out, env, ask } = context;
  const isFile = options.output !== "-";
  const path = isFile ? resolve(options.output) : "/etc/livecam/edge.yaml";
  if (isFile && !options.force && (await exists(path))) throw taken(path);

  const found = await (context.find ?? (() => findCameras({ outputOf: programOutput })))();
  const folder = dirname(path);
  const answers = await collect(options, { found, ask, folder, out });
  const text = formatConfig(answers, { path, folder, found });
  parseConfig(text, "yaml", EdgeConfig, isFile ? path : "the config");
  if (!isFile) {
    out.write(text);
    return 0;
  }
  await makeFolder(folder);
  if (options.force) await writeFileAtomic(path, text);
  else await writeNew(path, text, 0o644);
  out.write(`wrote ${path}\n`);
  if (ask) await askForKey(ask, answers, out);
  await sayWhatIsLeft(path, answers, { env, out });
  return 0;
}

interface Collecting {
  found: readonly FoundCamera[];
  ask: Ask | undefined;
  folder: string;
  out: TextSink;
}

async function collect(options: InitOptions, { found, ask, folder, out }: Collecting): Promise<Answers> {
  const missing = [
    ...(options.archive === undefined ? ["--archive"] : []),
    ...(options.hub === undefined ? ["--hub"] : []),
    ...(options.camera === undefined && found.length === 0 ? ["--camera (none was found)"] : []),
  ];
  if (!ask && missing.length > 0) {
    const message = `missing: ${missing.join(", ")}; on a terminal it would ask for them`;
    throw new AppError("invalid_input", message);
  }

  for (const { text, name } of found) out.write(options.output === "-" ? "" : `found ${text} (${name})\n`);
  /** Asks until it is understood; what came as an option has one try. */
  const settle = async <T>(
    given: string | undefined,
    question: string,
    fallback: string,
    parse: (text: string) => T,
  ) => {
    if (given !== undefined || !ask) return parse(given ?? fallback);
    for (;;) {
      const answer = await ask(question, fallback);
      try {
        return parse(answer.trim());
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        out.write(`  ${describeError(error)}\n`);
      }
    }
  };
  const detected = found.map(({ text }) => text).join(" ") || "test";
  const { hub_url } = EdgeConfig.entries.network.entries;
  const nodeId = await settle(
    options.node,
    "Name of this machine at the hub",
    nodeIdOf(hostname()),
    valid(NodeId),
  );
  const cameras = await settle(
    options.camera?.join(" "),
    "Cameras, separated by blanks (rpicam, /dev/video0, rtsp://HOST/PATH, file:/PATH, test)",
    detected,
    parseCameras,
  );
  return {
    nodeId,
    cameras,
    destination: await settle(
      options.archive,
      "Archive (/PATH, nfs://SERVER/EXPORT, smb://USER@SERVER/SHARE/PATH)",
      "/mnt/nas/videos",
      parseDestination,
    ),
    hubUrl: await settle(options.hub, "Address of the hub", "http://hub.local:8080", valid(hub_url)),
    keyFile: resolve(options.keyFile ?? join(folder, "hub.key")),
  };
}

function parseCameras(text: string): Answers["cameras"] {
  return text.split(/\s+/).filter(Boolean).map(parseCamera);
}

function valid<S extends v.GenericSchema<string, string>>(schema: S): (text: string) => string {
  return (text) => {
    const checked = checkInput(schema, text);
    if (checked.ok) return checked.output;
    throw new AppError("invalid_input", checked.issues.map(({ message }) => message).join("; "));
  };
}

async function askForKey(ask: Ask, { nodeId, keyFile }: Answers, out: TextSink): Promise<void> {
  if (await exists(keyFile)) return;
  const key = (
    await ask(`API key (on the hub: livecam-hub key create --node ${nodeId}; empty: later)`, "")
  ).trim();
  if (key === "") return;
  await makeFolder(dirname(keyFile));
  await writeNew(keyFile, `${key}\n`, 0o600);
  out.write(`wrote ${keyFile}\n`);
}

async function sayWhatIsLeft(
  path: string,
  { nodeId }: Answers,
  { env, out }: Pick<InitContext, "env" | "out">,
): Promise<void> {
  try {
    await checkEdgeConfig(path, env);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    out.write("\nStill to do, with files of mode 600:\n");
    for (const issue of error.issues) out.write(`  ${issue.path}: ${issue.message}\n`);
    out.write(`  (the key comes from the hub: livecam-hub key create --node ${nodeId})\n`);
  }
  out.write(`\nThen:\n  livecam-edge doctor --config ${path}\n  livecam-edge run --config ${path}\n`);
}

/** Questions on this terminal, the fallback in brackets. */
export function terminalQuestions(): { ask: Ask } & Disposable {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const brokenOff = () => new AppError("cancelled", "broken off");
  const ended = new Promise<never>((_, reject) => lines.once("close", () => reject(brokenOff())));
  ended.catch(() => undefined);
  return {
    ask: async (question, fallback) => {
      const shown = fallback === "" ? `${question}: ` : `${question} [${fallback}]: `;
      const answer = lines.question(shown).catch(() => {
        throw brokenOff();
      });
      return (await Promise.race([answer, ended])) || fallback;
    },
    [Symbol.dispose]: () => lines.close(),
  };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw new AppError("io", `cannot make the folder ${path}`, { cause });
  }
}

/** Never over what is there, not even what came a moment ago. */
async function writeNew(path: string, text: string, mode: number): Promise<void> {
  try {
    await writeFile(path, text, { flag: "wx", mode });
  } catch (error) {
    if (errnoOf(error) === "EEXIST") throw taken(path);
    throw new AppError("io", `cannot write ${path}`, { cause: error });
  }
}

function taken(path: string): AppError {
  return new AppError("conflict", `${path} is there already; --force replaces a config`);
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
