import type { Role } from "../http/app-env.ts";

export const apiKeyKinds = ["node", "client"] as const;
export type ApiKeyKind = (typeof apiKeyKinds)[number];

export interface ApiKey {
  /** The part of the key that is no secret. */
  keyId: string;
  secretSha256: string;
  kind: ApiKeyKind;
  name: string;
  /** For kind `node`: the only node it speaks for; null is any. */
  nodeId: string | null;
  createdAtMs: number;
  revokedAtMs: number | null;
}

export interface ApiKeyStore {
  find(keyId: string): Promise<ApiKey | undefined>;
  /** Oldest first, revoked ones too. */
  list(): Promise<ApiKey[]>;
  add(key: ApiKey): Promise<void>;
  /** False when there is no such key, or it is revoked already. */
  revoke(keyId: string, atMs: number): Promise<boolean>;
}

export interface User {
  userId: number;
  name: string;
  /** argon2id in PHC format. */
  passwordHash: string;
  role: Role;
  createdAtMs: number;
}

export interface UserStore {
  find(name: string): Promise<User | undefined>;
  /** By name. */
  list(): Promise<User[]>;
  /** False when the name is taken. */
  add(user: Omit<User, "userId">): Promise<boolean>;
  /** Ends all sessions of the user. False when there is no such user. */
  setPassword(name: string, passwordHash: string): Promise<boolean>;
  /** Ends all sessions of the user. False when there is no such user. */
  remove(name: string): Promise<boolean>;
}

export interface Session {
  tokenSha256: string;
  userId: number;
  createdAtMs: number;
  expiresAtMs: number;
}

export interface SessionStore {
  add(session: Session): Promise<void>;
  /** Whose session it is, with the role as it is now; undefined when it has expired by `nowMs`. */
  findUser(
    tokenSha256: string,
    nowMs: number,
  ): Promise<{ userId: number; name: string; role: Role } | undefined>;
  remove(tokenSha256: string): Promise<void>;
  removeExpired(nowMs: number): Promise<void>;
}
