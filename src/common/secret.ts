import * as v from "valibot";
import { readBoundedText } from "./bounded-text.ts";
import { AppError } from "./errors.ts";

const maxFileBytes = 64 * 1024;

/** Where a config file says a secret is; the secret itself never stands in a config file. */
export const SecretSource = v.union(
  [
    v.strictObject({
      env: v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of an environment variable")),
    }),
    v.strictObject({ file: v.pipe(v.string(), v.nonEmpty()) }),
  ],
  "{ env: NAME } or { file: PATH }; a secret is never written into the config itself",
);
export type SecretSource = v.InferOutput<typeof SecretSource>;

/** A value that shows itself to nobody who prints, logs or serialises it; only `reveal()` gives it out. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  equals(other: Secret | undefined): boolean {
    return other?.reveal() === this.#value;
  }
  toString(): string {
    return "[secret]";
  }
  toJSON(): string {
    return "[secret]";
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}

/** Reads a secret; one trailing newline is dropped. Throws `invalid_config` naming the source, not the value. */
export async function readSecret(
  source: SecretSource,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Secret> {
  if ("env" in source) {
    const value = env[source.env];
    if (!value) throw new AppError("invalid_config", `the environment variable ${source.env} is not set`);
    return new Secret(value);
  }
  let text: string;
  try {
    text = await readBoundedText(source.file, maxFileBytes);
  } catch (cause) {
    throw new AppError("invalid_config", `cannot read the secret file ${source.file}`, { cause });
  }
  const value = text.replace(/\r?\n$/, "");
  if (value === "") throw new AppError("invalid_config", `the secret file ${source.file} is empty`);
  return new Secret(value);
}
