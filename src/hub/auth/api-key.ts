import { timingSafeEqual } from "node:crypto";
import type { Principal } from "../http/app-env.ts";
import type { ApiKey, ApiKeyKind, ApiKeyStore } from "./account-stores.ts";

/** 32 characters that nobody confuses, so that 5 bits of randomness make one each. */
const alphabet = "abcdefghijkmnpqrstuvwxyz23456789";
const idLength = 10;
/** 260 bits: nothing to guess, so a plain SHA-256 of it may lie in the database. */
const secretLength = 52;
const pattern = new RegExp(`^lck_([${alphabet}]{${idLength}})_([${alphabet}]{${secretLength}})$`);

/** Makes a key `lck_<id>_<secret>`. The text is shown once; the store gets its hash. */
export function newApiKey(
  options: { kind: ApiKeyKind; name: string; nodeId: string | null },
  nowMs: number,
): { text: string; key: ApiKey } {
  const keyId = randomText(idLength);
  const secret = randomText(secretLength);
  return {
    text: `lck_${keyId}_${secret}`,
    key: { ...options, keyId, secretSha256: sha256Hex(secret), createdAtMs: nowMs, revokedAtMs: null },
  };
}

/** Who a key is; undefined for one that is malformed, unknown, revoked or has another secret. */
export async function principalOfApiKey(keys: ApiKeyStore, text: string): Promise<Principal | undefined> {
  const [, keyId, secret] = pattern.exec(text) ?? [];
  if (keyId === undefined || secret === undefined) return undefined;
  const key = await keys.find(keyId);
  if (!key || key.revokedAtMs !== null) return undefined;
  if (!timingSafeEqual(Buffer.from(sha256Hex(secret)), Buffer.from(key.secretSha256))) return undefined;
  return key.kind === "node"
    ? { kind: "node", keyId, nodeId: key.nodeId ?? undefined }
    : { kind: "client", keyId, name: key.name };
}

export function sha256Hex(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}

function randomText(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => alphabet[byte & 31]).join("");
}
