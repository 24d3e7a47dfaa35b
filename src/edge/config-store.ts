import { createHash } from "node:crypto";
import { loadConfigFile } from "../common/config-file.ts";
import { EdgeConfig } from "./config.ts";

/**
 * The node's configuration while it runs: what is in force, what it is called, and what the file wants. The two differ
 * in settings that need a restart.
 */
export class ConfigStore {
  readonly path: string;
  #inForce: EdgeConfig;
  #wanted: EdgeConfig;

  private constructor(path: string, config: EdgeConfig) {
    this.path = path;
    this.#inForce = config;
    this.#wanted = config;
  }

  /** Throws `invalid_config` with every error of the file. */
  static async load(path: string): Promise<ConfigStore> {
    return new ConfigStore(path, await ConfigStore.validate(path));
  }

  /** Reads and checks a file without putting it in force. Throws `invalid_config` with every error of the file. */
  static validate(path: string): Promise<EdgeConfig> {
    return loadConfigFile(path, EdgeConfig);
  }

  /** What is in force; ask again where it is used again. */
  get config(): EdgeConfig {
    return this.#inForce;
  }

  /** Of what is in force; see {@link configVersionOf}. */
  get version(): string {
    return configVersionOf(this.#inForce);
  }

  /** What the file said when it was valid last, and what will be in force after a restart. */
  get wanted(): EdgeConfig {
    return this.#wanted;
  }

  get wantedVersion(): string {
    return configVersionOf(this.#wanted);
  }

  /** The value at a dotted path (`upload.order`, `cameras.0.id`), or `fallback` when nothing is there. */
  get<T>(path: string, fallback: T): T {
    let value: unknown = this.#inForce;
    for (const key of path.split(".")) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return fallback;
      value = (value as Record<string, unknown>)[key];
    }
    return value === undefined ? fallback : (value as T);
  }

  /** From now on. Whoever asks sees all of the old config or all of the new one. */
  adopt({ wanted, inForce }: { wanted: EdgeConfig; inForce: EdgeConfig }): void {
    this.#wanted = wanted;
    this.#inForce = inForce;
  }
}

/**
 * Twelve hex digits that differ when any setting differs. Secrets are not in it: the config only says where they are.
 * The order of keys and what is left at its default do not matter.
 */
export function configVersionOf(config: EdgeConfig): string {
  return createHash("sha256").update(canonicalJson(config)).digest("hex").slice(0, 12);
}

/** JSON with sorted keys, so that equal settings have equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
