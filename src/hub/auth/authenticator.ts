import type { Principal } from "../http/app-env.ts";

/** Finds out who sends a request by what it carries. Both answer undefined for whatever is not valid any more. */
export interface Authenticator {
  /** The value after `Bearer `. */
  principalOfKey(bearer: string): Promise<Principal | undefined>;
  /** The value of the session cookie. */
  principalOfSession(token: string): Promise<Principal | undefined>;
}
