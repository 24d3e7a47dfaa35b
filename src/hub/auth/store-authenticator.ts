import type { Clock } from "../../common/clock.ts";
import type { ApiKeyStore, SessionStore } from "./account-stores.ts";
import { principalOfApiKey, sha256Hex } from "./api-key.ts";
import type { Authenticator } from "./authenticator.ts";

/** Asks the stores each time, so that revoking a key or removing a user counts from the next request on. */
export function createAuthenticator(options: {
  keys: ApiKeyStore;
  sessions: SessionStore;
  clock: Clock;
}): Authenticator {
  const { keys, sessions, clock } = options;
  return {
    principalOfKey: (bearer) => principalOfApiKey(keys, bearer),
    async principalOfSession(token) {
      if (!/^[A-Za-z0-9_-]{43}$/.test(token)) return undefined;
      const user = await sessions.findUser(sha256Hex(token), clock.wallMs());
      return user && { kind: "person", ...user };
    },
  };
}
