import { and, asc, eq, isNull, lte } from "drizzle-orm";
import type {
  ApiKey,
  ApiKeyKind,
  ApiKeyStore,
  SessionStore,
  User,
  UserStore,
} from "../auth/account-stores.ts";
import type { Role } from "../http/app-env.ts";
import type { LibsqlDatabase } from "./libsql-database.ts";
import { apiKeys, sessions, users } from "./schema.ts";

export function createLibsqlApiKeyStore(database: LibsqlDatabase): ApiKeyStore {
  const { orm } = database;
  return {
    // Asked with every request, so without drizzle.
    async find(keyId) {
      const rows = await database.read(
        "SELECT secret_sha256, kind, name, node_id, created_at_ms, revoked_at_ms FROM api_keys WHERE key_id = ?",
        [keyId],
      );
      const [row] = rows;
      if (!row) return undefined;
      return {
        keyId,
        secretSha256: row[0] as string,
        kind: row[1] as ApiKeyKind,
        name: row[2] as string,
        nodeId: row[3] as string | null,
        createdAtMs: row[4] as number,
        revokedAtMs: row[5] as number | null,
      };
    },
    async list() {
      const rows = await database.ask(
        orm.select().from(apiKeys).orderBy(asc(apiKeys.createdAtMs), asc(apiKeys.keyId)),
      );
      return rows as ApiKey[];
    },
    async add(key) {
      await database.write([orm.insert(apiKeys).values(key)]);
    },
    async revoke(keyId, atMs) {
      const isActive = and(eq(apiKeys.keyId, keyId), isNull(apiKeys.revokedAtMs));
      const [result] = await database.write([orm.update(apiKeys).set({ revokedAtMs: atMs }).where(isActive)]);
      return result?.rowsAffected === 1;
    },
  };
}

export function createLibsqlUserStore(database: LibsqlDatabase): UserStore {
  const { orm } = database;
  const endSessionsOf = (name: string) => ({
    sql: "DELETE FROM sessions WHERE user_id = (SELECT user_id FROM users WHERE name = ?)",
    args: [name],
  });
  return {
    async find(name) {
      const rows = await database.ask(orm.select().from(users).where(eq(users.name, name)));
      return rows[0] as User | undefined;
    },
    async list() {
      return (await database.ask(orm.select().from(users).orderBy(asc(users.name)))) as User[];
    },
    async add(user) {
      const [result] = await database.write([orm.insert(users).values(user).onConflictDoNothing()]);
      return result?.rowsAffected === 1;
    },
    async setPassword(name, passwordHash) {
      const [, result] = await database.write([
        endSessionsOf(name),
        orm.update(users).set({ passwordHash }).where(eq(users.name, name)),
      ]);
      return result?.rowsAffected === 1;
    },
    async remove(name) {
      const [, result] = await database.write([
        endSessionsOf(name),
        orm.delete(users).where(eq(users.name, name)),
      ]);
      return result?.rowsAffected === 1;
    },
  };
}

export function createLibsqlSessionStore(database: LibsqlDatabase): SessionStore {
  const { orm } = database;
  return {
    async add(session) {
      await database.write([orm.insert(sessions).values(session)]);
    },
    async findUser(tokenSha256, nowMs) {
      const rows = await database.read(
        `SELECT u.user_id, u.name, u.role FROM sessions AS s JOIN users AS u ON u.user_id = s.user_id
         WHERE s.token_sha256 = ? AND s.expires_at_ms > ?`,
        [tokenSha256, nowMs],
      );
      const [row] = rows;
      return row && { userId: row[0] as number, name: row[1] as string, role: row[2] as Role };
    },
    async remove(tokenSha256) {
      await database.write([orm.delete(sessions).where(eq(sessions.tokenSha256, tokenSha256))]);
    },
    async removeExpired(nowMs) {
      await database.write([orm.delete(sessions).where(lte(sessions.expiresAtMs, nowMs))]);
    },
  };
}
