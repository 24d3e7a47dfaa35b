import type { Clock } from "../../common/clock.ts";
import type { Principal } from "../http/app-env.ts";
import type { ApiKeyStore, SessionStore, UserStore } from "./account-stores.ts";
import { sha256Hex } from "./api-key.ts";
import type { Authenticator } from "./authenticator.ts";

/**
 * A player sends the same credential many times a second. What another process (the CLI) revokes may count so much
 * later; what is revoked through the stores that {@link rememberPrincipals} answers counts at once.
 */
const memoryMs = 250;
const maxRemembered = 1_024;

export interface Accounts {
  keys: ApiKeyStore;
  users: UserStore;
  sessions: SessionStore;
}

/**
 * An authenticator that does not ask again for a moment, and the stores through which everything else of this process
 * must change accounts: they make it forget. Only valid credentials are remembered, by their hash; nothing about wrong
 * ones, so a new key works from its first request on.
 */
export function rememberPrincipals(options: {
  authenticator: Authenticator;
  accounts: Accounts;
  clock: Pick<Clock, "monotonicMs">;
}): { authenticator: Authenticator; accounts: Accounts } {
  const { authenticator, accounts, clock } = options;
  const { keys, users, sessions } = accounts;
  const recent = new Map<string, { principal: Principal; untilMs: number }>();
  /** How often everything was forgotten: what was asked before that must not be remembered after it. */
  let generation = 0;

  const remember =
    (kind: "key" | "session", find: (credential: string) => Promise<Principal | undefined>) =>
    async (credential: string): Promise<Principal | undefined> => {
      const name = `${kind}:${sha256Hex(credential)}`;
      const known = recent.get(name);
      if (known && known.untilMs > clock.monotonicMs()) return known.principal;
      recent.delete(name);
      const before = generation;
      const untilMs = clock.monotonicMs() + memoryMs;
      const principal = await find(credential);
      if (principal && before === generation) {
        const oldest = recent.keys().next();
        if (recent.size >= maxRemembered && !oldest.done) recent.delete(oldest.value);
        recent.set(name, { principal, untilMs });
      }
      return principal;
    };

  /** The change, with everything forgotten when it is done, also when it failed: part of it may have happened. */
  const forgetting =
    <Args extends unknown[], Result>(change: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      try {
        return await change(...args);
      } finally {
        generation++;
        recent.clear();
      }
    };

  return {
    authenticator: {
      principalOfKey: remember("key", (bearer) => authenticator.principalOfKey(bearer)),
      principalOfSession: remember("session", (token) => authenticator.principalOfSession(token)),
    },
    accounts: {
      keys: { ...keys, revoke: forgetting(keys.revoke) },
      users: { ...users, setPassword: forgetting(users.setPassword), remove: forgetting(users.remove) },
      sessions: { ...sessions, remove: forgetting(sessions.remove) },
    },
  };
}
