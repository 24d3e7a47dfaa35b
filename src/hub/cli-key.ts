import { systemClock } from "../common/clock.ts";
import { AppError, type InputIssue } from "../common/errors.ts";
import { NodeId } from "../common/ids.ts";
import { checkInput } from "../common/input-issues.ts";
import { formatWireTime, PlainText } from "../common/protocol/wire.ts";
import type { ApiKeyKind } from "./auth/account-stores.ts";
import { newApiKey } from "./auth/api-key.ts";
import type { CliContext } from "./cli-context.ts";
import { formatTable } from "./cli-table.ts";
import { type HubOptions, loadHubConfig } from "./config.ts";
import { openStorage } from "./storage.ts";

export interface CreateKeyOptions extends HubOptions {
  kind?: ApiKeyKind;
  node?: string;
  client?: string;
  name?: string;
  json?: boolean;
}

export async function createKey(options: CreateKeyOptions, context: CliContext): Promise<number> {
  const wanted = checkOptions(options);
  const { data_path } = await loadHubConfig(options);
  await using storage = await openStorage(data_path, systemClock);
  const { text, key } = newApiKey(wanted, systemClock.wallMs());
  await storage.keys.add(key);
  if (options.json) {
    const { keyId: key_id, kind, name, nodeId: node_id } = key;
    context.out.write(`${JSON.stringify({ key: text, key_id, kind, name, node_id })}\n`);
    return 0;
  }
  context.out.write(`${text}\n`);
  const forWhom = key.kind === "client" ? "reads everything" : `speaks for ${key.nodeId ?? "any node"}`;
  context.err.write(`Key ${key.keyId} ${forWhom}. It is shown this once; keep it safe.\n`);
  return 0;
}

export async function listKeys(
  options: HubOptions & { json?: boolean },
  context: CliContext,
): Promise<number> {
  const { data_path } = await loadHubConfig(options);
  await using storage = await openStorage(data_path, systemClock);
  const keys = (await storage.keys.list()).map(({ keyId, kind, name, nodeId, createdAtMs, revokedAtMs }) => ({
    key_id: keyId,
    kind,
    name,
    node_id: nodeId,
    created_at: formatWireTime(createdAtMs),
    revoked_at: revokedAtMs === null ? null : formatWireTime(revokedAtMs),
  }));
  const columns = ["key_id", "kind", "name", "node_id", "created_at", "revoked_at"] as const;
  context.out.write(options.json ? `${JSON.stringify(keys)}\n` : formatTable(columns, keys));
  return 0;
}

export async function revokeKey(keyId: string, options: HubOptions, context: CliContext): Promise<number> {
  const { data_path } = await loadHubConfig(options);
  await using storage = await openStorage(data_path, systemClock);
  // People paste what they have: the whole key names its id too.
  const id = /^lck_([a-z0-9]+)_/.exec(keyId)?.[1] ?? keyId;
  if (!(await storage.keys.revoke(id, systemClock.wallMs()))) {
    throw new AppError("not_found", `there is no key ${id} that is still good`);
  }
  context.out.write(`key ${id} is worthless now\n`);
  return 0;
}

function checkOptions(options: CreateKeyOptions): { kind: ApiKeyKind; name: string; nodeId: string | null } {
  const { node, client } = options;
  const kind = options.kind ?? (node === undefined ? "client" : "node");
  const issues: InputIssue[] = [];
  if (kind === "client" && node !== undefined) {
    issues.push({ path: "--node", message: "a key of a client speaks for no node" });
  }
  if (kind === "node" && client !== undefined) {
    issues.push({ path: "--client", message: "a key is for a client or for a node" });
  }
  if (node !== undefined) issues.push(...issuesOf(NodeId, node, "--node"));
  const name = options.name ?? client ?? node ?? kind;
  issues.push(...issuesOf(PlainText(100), name, "--name"));
  if (issues.length > 0) throw new AppError("invalid_input", "no key was made", { issues });
  return { kind, name, nodeId: node ?? null };
}

function issuesOf(schema: Parameters<typeof checkInput>[0], value: string, path: string): InputIssue[] {
  const checked = checkInput(schema, value);
  return checked.ok ? [] : checked.issues.map((issue) => ({ ...issue, path }));
}
