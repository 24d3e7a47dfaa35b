import * as v from "valibot";
import { loadConfigFile } from "../common/config-file.ts";
import { AppError, describeError, type InputIssue } from "../common/errors.ts";
import { checkInput } from "../common/input-issues.ts";
import { readSecret, type Secret, SecretSource } from "../common/secret.ts";
import { EdgeConfig } from "./config.ts";

type Env = Readonly<Record<string, string | undefined>>;

export interface EdgeSecrets {
  hubApiKey: Secret;
  /** `user:password` of a camera, by camera id. */
  cameraCredentials: ReadonlyMap<string, Secret>;
  /** Of the account at the destination. The upload worker reads it for itself; here it tells whether it changed. */
  destinationPassword: Secret | undefined;
  /** What a reader of the metrics has to show; undefined where nobody has to. */
  metricsToken: Secret | undefined;
}

/** Reads every secret that the config points at. Throws `invalid_config` with one issue per secret that is not there. */
export async function readEdgeSecrets(config: EdgeConfig, env: Env): Promise<EdgeSecrets> {
  const issues = await secretIssuesOf(config, env);
  if (issues.length > 0) throw new AppError("invalid_config", "a secret cannot be read", { issues });
  const cameraCredentials = new Map<string, Secret>();
  for (const { id, source } of config.cameras) {
    if (source.type === "rtsp" && source.credentials) {
      cameraCredentials.set(id, await readSecret(source.credentials, env));
    }
  }
  const { destination } = config.upload;
  const { metrics_token: metricsToken } = config.health;
  return {
    hubApiKey: await readSecret(config.network.api_key, env),
    cameraCredentials,
    destinationPassword: "password" in destination ? await readSecret(destination.password, env) : undefined,
    metricsToken: metricsToken && (await readSecret(metricsToken, env)),
  };
}

/** The paths of the secrets whose content differs, whether or not the config says another place. */
export function changedSecrets(config: EdgeConfig, before: EdgeSecrets, next: EdgeSecrets): string[] {
  const { hubApiKey, cameraCredentials, destinationPassword, metricsToken } = next;
  const paths = hubApiKey.equals(before.hubApiKey) ? [] : ["network.api_key"];
  if (destinationPassword && !destinationPassword.equals(before.destinationPassword)) {
    paths.push("upload.destination.password");
  }
  if (metricsToken && !metricsToken.equals(before.metricsToken)) paths.push("health.metrics_token");
  for (const { id } of config.cameras) {
    const secret = cameraCredentials.get(id);
    if (secret && !secret.equals(before.cameraCredentials.get(id)))
      paths.push(`cameras.${id}.source.credentials`);
  }
  return paths;
}

/**
 * What `check-config` does: every error of the file and of the secrets it points at, at once. Secrets are looked at
 * even when the rest of the file is refused, so that one round is enough. Throws `invalid_config`.
 */
export async function checkEdgeConfig(path: string, env: Env): Promise<EdgeConfig> {
  const { config, issues } = await checkConfigData(await loadConfigFile(path, v.unknown()), env);
  if (issues.length > 0 || !config) throw new AppError("invalid_config", `${path} is not valid`, { issues });
  return config;
}

/** The same for what a config file holds; `config` is undefined where it is not valid in itself. */
export async function checkConfigData(
  raw: unknown,
  env: Env,
): Promise<{ config: EdgeConfig | undefined; issues: InputIssue[] }> {
  const checked = checkInput(EdgeConfig, raw);
  const issues = [...(checked.ok ? [] : checked.issues), ...(await secretIssuesOf(raw, env))];
  return { config: checked.ok ? checked.output : undefined, issues };
}

async function secretIssuesOf(raw: unknown, env: Env): Promise<InputIssue[]> {
  const issues: InputIssue[] = [];
  for (const { path, source } of secretPlacesIn(raw)) {
    try {
      await readSecret(source, env);
    } catch (error) {
      issues.push({ path, message: describeError(error) });
    }
  }
  return issues;
}

/** A config that may be wrong anywhere; what is no secret source is the schema's business. */
const Loose = v.object({
  upload: v.fallback(v.object({ destination: v.object({ password: v.unknown() }) }), {
    destination: { password: undefined },
  }),
  network: v.fallback(v.object({ api_key: v.unknown() }), { api_key: undefined }),
  health: v.fallback(v.object({ metrics_token: v.unknown() }), { metrics_token: undefined }),
  cameras: v.fallback(
    v.array(
      v.fallback(v.object({ source: v.object({ credentials: v.unknown() }) }), {
        source: { credentials: undefined },
      }),
    ),
    [],
  ),
});

export interface SecretPlace {
  /** Of the setting: `cameras.0.source.credentials`. */
  path: string;
  source: SecretSource;
}

/** Where a config, which may be wrong anywhere else, says that secrets are. */
export function secretPlacesIn(raw: unknown): SecretPlace[] {
  const config = v.safeParse(Loose, raw);
  if (!config.success) return [];
  const candidates = [
    { path: "network.api_key", value: config.output.network.api_key },
    { path: "health.metrics_token", value: config.output.health.metrics_token },
    { path: "upload.destination.password", value: config.output.upload.destination.password },
    ...config.output.cameras.map(({ source }, index) => ({
      path: `cameras.${index}.source.credentials`,
      value: source.credentials,
    })),
  ];
  return candidates.flatMap(({ path, value }) => {
    const source = v.safeParse(SecretSource, value);
    return source.success ? [{ path, source: source.output }] : [];
  });
}
