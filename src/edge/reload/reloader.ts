import * as v from "valibot";
import { loadConfigFile } from "../../common/config-file.ts";
import { AppError, describeError } from "../../common/errors.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import type { EdgeConfig } from "../config.ts";
import {
  changedSecrets,
  checkConfigData,
  type EdgeSecrets,
  readEdgeSecrets,
  secretPlacesIn,
} from "../config-secrets.ts";
import type { ConfigStore } from "../config-store.ts";
import { planReload, type ReloadPlan } from "./plan-reload.ts";
import { checkPushedConfig, readShownConfig, writePushedConfig } from "./pushed-config.ts";

export interface ReloaderOptions {
  store: ConfigStore;
  /** As read when `store` was loaded. */
  secrets: EdgeSecrets;
  env: Readonly<Record<string, string | undefined>>;
  /** Does what the plan says; `store` has the new config by then. It cannot be refused any more. */
  apply: (plan: ReloadPlan, secrets: EdgeSecrets) => Promise<void>;
  logger: Logger;
}

/** What a reload came to. */
export type ReloadResult = Omit<ReloadPlan, "inForce"> & Pick<ConfigState, "version" | "wantedVersion">;

export interface ConfigState {
  /** Of what is in force. */
  version: string;
  /** Of what the file wants; the same unless something needs a restart. */
  wantedVersion: string;
  needsRestart: readonly string[];
  /** Why the newest config is not in force; undefined when it is. */
  refusal: string | undefined;
}

/**
 * Puts a changed config in force while the edge runs: all of it that can be, or, when anything is wrong with it, none.
 * Reloads take turns. Those asked for while one waits are that one.
 */
export class Reloader {
  readonly #options: ReloaderOptions;
  #secrets: EdgeSecrets;
  #secretFiles: readonly string[];
  #needsRestart: readonly string[] = [];
  #refusal: string | undefined;
  #isClosed = false;
  readonly #opening = Promise.withResolvers<void>();
  #turn: Promise<unknown> = this.#opening.promise;
  #waiting: Promise<ReloadResult> | undefined;

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#secrets = options.secrets;
    this.#secretFiles = secretFilesIn(options.store.wanted);
  }

  /** Nothing is reloaded before: there must be something to apply it to. */
  open(): void {
    this.#opening.resolve();
  }

  /** Resolves when the reload under way is done; those that wait are refused with `unavailable`. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#opening.resolve();
    await this.#turn;
  }

  state(): ConfigState {
    const { version, wantedVersion } = this.#options.store;
    return { version, wantedVersion, needsRestart: this.#needsRestart, refusal: this.#refusal };
  }

  /** What a reload reads: the config file, and the secrets that it names, also when it was refused. */
  files(): readonly string[] {
    return [this.#options.store.path, ...this.#secretFiles];
  }

  /**
   * Reads file and secrets again. Throws `invalid_config` with every error when anything is wrong: then the old ones
   * stay in force.
   */
  reload(): Promise<ReloadResult> {
    this.#waiting ??= this.#inTurn(() => {
      this.#waiting = undefined;
      return this.#reload();
    });
    return this.#waiting;
  }

  /**
   * Writes `text` over the config file, keeps the former beside it as `<file>.previous`, and puts it in force. The same
   * again changes nothing. Throws `conflict` when `expectedVersion` is not what the file wants now, `invalid_config`
   * with every error of the text, also for what may only be changed on the node itself, and `io` when the file cannot
   * be written; then everything stays as it was.
   */
  push(text: string, expectedVersion: string): Promise<ReloadResult> {
    return this.#inTurn(async () => {
      const { store, logger } = this.#options;
      await this.#reload().catch((cause: unknown) => {
        throw new AppError(
          "conflict",
          "the config file on the node is not valid; it has to be put right there",
          {
            cause,
          },
        );
      });
      const pushed = await checkPushedConfig(text, {
        path: store.path,
        wanted: store.wanted,
        env: this.#options.env,
      });
      if (pushed.version !== store.wantedVersion) {
        if (expectedVersion !== store.wantedVersion) {
          throw new AppError(
            "conflict",
            `the config on the node has changed: it is ${store.wantedVersion} now`,
            {
              details: { version: store.wantedVersion },
            },
          );
        }
        await writePushedConfig(store.path, pushed.text);
        logger.info("a config was pushed by the hub", { version: pushed.version });
      }
      return this.#reload();
    });
  }

  /** The config file as it may be shown, and its version to push a change by. Throws `conflict` while it is not valid. */
  async read(): Promise<{ text: string; version: string }> {
    const { path, wanted, wantedVersion } = this.#options.store;
    return { text: await readShownConfig(path, wanted), version: wantedVersion };
  }

  async #reload(): Promise<ReloadResult> {
    const { store, env, apply, logger } = this.#options;
    let plan: ReloadPlan;
    let secrets: EdgeSecrets;
    try {
      const next = await this.#readConfig();
      secrets = await readEdgeSecrets(next, env);
      const changed = changedSecrets(next, this.#secrets, secrets);
      plan = planReload({ before: store.config, next, changedSecrets: changed });
      store.adopt({ wanted: next, inForce: plan.inForce });
    } catch (error) {
      this.#refuse(error);
      throw error;
    }
    this.#refusal = undefined;
    this.#secrets = secrets;
    this.#tell(plan);
    this.#needsRestart = plan.needsRestart;
    if (plan.changes.some(({ effect }) => effect !== "restart")) {
      await apply(plan, secrets).catch((error: unknown) =>
        logger.error("a part of the new config could not be put in force", errorFields(error)),
      );
    }
    const { inForce, ...rest } = plan;
    return { ...rest, version: store.version, wantedVersion: store.wantedVersion };
  }

  async #readConfig(): Promise<EdgeConfig> {
    const { store, env } = this.#options;
    const data = await loadConfigFile(store.path, v.unknown());
    this.#secretFiles = secretFilesIn(data);
    const { config, issues } = await checkConfigData(data, env);
    if (!config || issues.length > 0) {
      throw new AppError("invalid_config", `${store.path} is not valid`, { issues });
    }
    return config;
  }

  #refuse(error: unknown): void {
    const issues = error instanceof AppError ? error.issues : [];
    const named = issues.map(({ path, message }) => `${path || "(whole file)"}: ${message}`);
    this.#refusal = [describeError(error), ...named].join("; ");
    this.#options.logger.error("the changed config is refused, the old one stays in force", {
      ...errorFields(error),
      issues: named,
    });
  }

  #tell({ changes, needsRestart }: ReloadPlan): void {
    const { logger, store } = this.#options;
    const now = changes.filter(({ effect }) => effect !== "restart").map(({ path }) => path);
    if (now.length > 0)
      logger.info("the changed config is put in force", { config_version: store.version, settings: now });
    if (needsRestart.length > 0 && needsRestart.join() !== this.#needsRestart.join()) {
      logger.warning("changed settings need a restart of livecam-edge", { settings: needsRestart });
    }
  }

  #inTurn(work: () => Promise<ReloadResult>): Promise<ReloadResult> {
    const result = this.#turn.then(() => {
      if (this.#isClosed) throw new AppError("unavailable", "the edge is stopping");
      return work();
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

function secretFilesIn(data: unknown): string[] {
  return secretPlacesIn(data).flatMap(({ source }) => ("file" in source ? [source.file] : []));
}
