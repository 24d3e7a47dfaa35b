import { lstat, readdir, readFile, realpath, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";
import { stringify } from "yaml";
import { writeFileAtomic } from "../../common/atomic-file.ts";
import { configFormatOf, parseConfig } from "../../common/config-file.ts";
import { AppError, describeError, type InputIssue } from "../../common/errors.ts";
import { EdgeConfig } from "../config.ts";
import { checkConfigData, type SecretPlace, secretPlacesIn } from "../config-secrets.ts";
import { configVersionOf } from "../config-store.ts";
import { withoutTokens, withTokensOf } from "../shown-config.ts";
import { differences } from "./plan-reload.ts";

const maxTextBytes = 256 * 1024;

/** What may be changed from afar. The rest decides who the node is, whom it talks to and where it writes. */
const changeableSections = new Set(["cameras", "recording", "upload"]);

interface Data {
  cameras?: unknown;
}

export interface PushContext {
  /** Of the config file: its name says the format. */
  path: string;
  /** What the file wants now. */
  wanted: EdgeConfig;
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * A config from afar, as it is to be written, and its version. Throws `invalid_config` with every error of it, also for
 * what may be changed on the node only.
 */
export async function checkPushedConfig(
  text: string,
  { path, wanted, env }: PushContext,
): Promise<{ text: string; version: string }> {
  if (Buffer.byteLength(text) > maxTextBytes) {
    throw new AppError("invalid_config", `the pushed config is larger than ${maxTextBytes} bytes`);
  }
  const pushed = parseConfig(text, configFormatOf(path), v.looseObject({}), "the pushed config") as Data;
  const data = withTokensOf(pushed, wanted);
  const checked = await checkConfigData(data, env);
  const issues = [
    ...(checked.config ? foreignIssues(wanted, checked.config) : []),
    ...checked.issues,
    ...secretIssues(wanted, data),
  ];
  if (!checked.config || issues.length > 0) {
    throw new AppError("invalid_config", "the pushed config is not valid", { issues });
  }
  const isAsPushed = isDeepStrictEqual(data, pushed);
  return { text: isAsPushed ? text : formatData(data, path), version: configVersionOf(checked.config) };
}

/**
 * The config file as it may be shown and pushed again: values in addresses are hidden, comments are not there. Throws
 * `conflict` when the file is not what `wanted` says.
 */
export async function readShownConfig(path: string, wanted: EdgeConfig): Promise<string> {
  try {
    const data = parseConfig(
      await readFile(path, "utf8"),
      configFormatOf(path),
      v.looseObject({}),
      path,
    ) as Data;
    if (configVersionOf(v.parse(EdgeConfig, data)) === configVersionOf(wanted)) {
      return formatData(withoutTokens(data), path);
    }
  } catch (cause) {
    throw new AppError("conflict", "the config file on the node cannot be read, or is not valid", { cause });
  }
  throw new AppError("conflict", "the config file on the node was changed and is not in force yet");
}

/** Replaces the file whole, and keeps the former as `<file>.previous`; a link stays one. Throws `io`. */
export async function writePushedConfig(path: string, text: string): Promise<void> {
  try {
    const file = await realpath(path);
    const { mode } = await lstat(file);
    await removeLeftovers(file);
    await writeFileAtomic(`${file}.previous`, await readFile(file), mode & 0o777);
    await writeFileAtomic(file, text, mode & 0o777);
  } catch (cause) {
    throw new AppError("io", `the config file ${path} cannot be written: ${describeError(cause)}`, { cause });
  }
}

/** Of a process that was killed while it wrote; see `writeFileAtomic`. */
async function removeLeftovers(file: string): Promise<void> {
  const isLeftover = (name: string) =>
    [basename(file), `${basename(file)}.previous`].some((base) => name.startsWith(`${base}.tmp-`));
  const folder = dirname(file);
  for (const name of await readdir(folder))
    if (isLeftover(name)) await rm(join(folder, name), { force: true });
}

function foreignIssues(wanted: EdgeConfig, pushed: EdgeConfig): InputIssue[] {
  return differences(wanted, pushed)
    .filter((path) => !changeableSections.has(path.split(".")[0] ?? ""))
    .map((path) => ({ path, message: "as it is: it can only be changed on the node itself" }));
}

/**
 * Otherwise whoever rules the hub could have any file of the node sent to a camera of their own. A new secret is put
 * on the node by hand anyway, and so is the word where it is.
 */
function secretIssues(wanted: EdgeConfig, data: unknown): InputIssue[] {
  const isChangeable = ({ path }: SecretPlace) => changeableSections.has(path.split(".")[0] ?? "");
  const known = secretPlacesIn(wanted).filter(isChangeable);
  return secretPlacesIn(data)
    .filter(
      (place) => isChangeable(place) && !known.some(({ source }) => isDeepStrictEqual(source, place.source)),
    )
    .map(({ path }) => ({
      path,
      message: "a secret that a camera or the upload has already; a new one has to be set on the node itself",
    }));
}

function formatData(data: unknown, path: string): string {
  return configFormatOf(path) === "json"
    ? `${JSON.stringify(data, null, 2)}\n`
    : stringify(data, { lineWidth: 0 });
}
