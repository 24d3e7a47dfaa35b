import { createHash } from "node:crypto";
import { loadConfigFile } from "../common/config-file.ts";
import { EdgeConfig } from "./config.ts";

export type ConfigSection = keyof EdgeConfig;

/**
 * The node's configuration while it runs: what is in force, what it is called, and how it changes. A file that does
 * not pass is refused whole, and what was in force stays.
 */
export class ConfigStore {
  #config: EdgeConfig;
  readonly #path: string;

  private constructor(path: string, config: EdgeConfig) {
    this.#path = path;
    this.#config = config;
  }

  /** Throws `invalid_config` with every error of the file. */
  static async load(path: string): Promise<ConfigStore> {
    return new ConfigStore(path, await ConfigStore.validate(path));
  }

  /** Reads and checks a file without putting it in force. Throws `invalid_config` with every error of the file. */
  static validate(path: string): Promise<EdgeConfig> {
    return loadConfigFile(path, EdgeConfig);
  }

  get config(): EdgeConfig {
    return this.#config;
  }

  /**
   * Twelve hex digits that differ when any setting differs. Secrets are not in it: the config only says where they
   * are. The order of keys and what is left at its default do not matter.
   */
  get version(): string {
    return configVersionOf(this.#config);
  }

  /** The value at a dotted path (`upload.order`, `cameras.0.id`), or `fallback` when nothing is there. */
  get<T>(path: string, fallback: T): T {
    let value: unknown = this.#config;
    for (const key of path.split(".")) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return fallback;
      value = (value as Record<string, unknown>)[key];
    }
    return value === undefined ? fallback : (value as T);
  }

  /** Reads the file again and returns the sections that differ now. Throws `invalid_config` and keeps the old ones. */
  async reload(): Promise<ConfigSection[]> {
    const next = await ConfigStore.validate(this.#path);
    const changed = sectionsThatDiffer(this.#config, next);
    this.#config = next;
    return changed;
  }

  /** What `reload` would change. Throws `invalid_config`. */
  async changedSections(): Promise<ConfigSection[]> {
    return sectionsThatDiffer(this.#config, await ConfigStore.validate(this.#path));
  }
}

function sectionsThatDiffer(a: EdgeConfig, b: EdgeConfig): ConfigSection[] {
  const sections = new Set([...Object.keys(a), ...Object.keys(b)] as ConfigSection[]);
  return [...sections].filter((section) => canonicalJson(a[section]) !== canonicalJson(b[section]));
}

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
