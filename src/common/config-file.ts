import { extname } from "node:path";
import type * as v from "valibot";
import { parse as parseYaml } from "yaml";
import { readBoundedText } from "./bounded-text.ts";
import { AppError, type InputIssue } from "./errors.ts";
import { checkInput } from "./input-issues.ts";

const maxBytes = 1024 * 1024;

/**
 * Reads a YAML or JSON config file and validates it. Throws `invalid_config` whose issues name every error of the
 * file at once; a syntax error has the parser's line and column in its message.
 */
export async function loadConfigFile<S extends v.GenericSchema>(
  path: string,
  schema: S,
): Promise<v.InferOutput<S>> {
  let text: string;
  try {
    text = await readBoundedText(path, maxBytes);
  } catch (cause) {
    throw new AppError("invalid_config", `cannot read the config file ${path}`, { cause });
  }
  return parseConfig(text, configFormatOf(path), schema, path);
}

/** By the name of the file. */
export function configFormatOf(path: string): "yaml" | "json" {
  return extname(path) === ".json" ? "json" : "yaml";
}

export function parseConfig<S extends v.GenericSchema>(
  text: string,
  format: "yaml" | "json",
  schema: S,
  name: string,
): v.InferOutput<S> {
  let data: unknown;
  try {
    data = format === "json" ? JSON.parse(text) : parseYaml(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw new AppError("invalid_config", `${name} is not valid ${format.toUpperCase()}`, { cause });
  }
  const checked = checkInput(schema, data ?? {});
  if (!checked.ok) throw new AppError("invalid_config", `${name} is not valid`, { issues: checked.issues });
  return checked.output;
}

/** The lines a person sees for a refused config, one per error; nothing of the file acts on their terminal. */
export function formatConfigError(error: AppError): string {
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  const text = [`${error.message}${cause}`, ...error.issues.map(formatIssue)].join("\n");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: taking them out is the point
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, " ");
}

function formatIssue(issue: InputIssue): string {
  const received = issue.received === undefined ? "" : `, got ${issue.received}`;
  return `  ${issue.path || "(whole file)"}: ${issue.message}${received}`;
}
