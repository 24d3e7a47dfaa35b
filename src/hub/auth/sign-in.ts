import type { Clock } from "../../common/clock.ts";
import { errorCodeOf } from "../../common/errors.ts";
import type { SessionStore, UserStore } from "./account-stores.ts";
import { sha256Hex } from "./api-key.ts";
import { AttemptThrottle } from "./attempt-throttle.ts";
import { maxPasswordLength, normalizeUserName, type Passwords } from "./passwords.ts";

export type SignInResult =
  | { result: "signed_in"; token: string; maxAgeSeconds: number }
  | { result: "wrong_credentials" }
  | { result: "too_many_attempts"; retryAfterSeconds: number }
  | { result: "busy" };

export interface SignInOptions {
  users: UserStore;
  sessions: SessionStore;
  passwords: Passwords;
  clock: Clock;
  sessionHours: number;
}

/** Password logins, throttled by account (guessing one password) and by address (guessing everybody's). */
export class SignIn {
  readonly #options: SignInOptions;
  readonly #byAccount: AttemptThrottle;
  readonly #byAddress: AttemptThrottle;

  constructor(options: SignInOptions) {
    this.#options = options;
    const { clock } = options;
    // A stranger must not lock anybody out for long.
    this.#byAccount = new AttemptThrottle({ clock, free: 5, maxWaitMs: 60_000 });
    // Many people may share one address.
    this.#byAddress = new AttemptThrottle({ clock, free: 20, maxWaitMs: 300_000 });
  }

  /** Always a new token, whatever the browser had before. */
  async signIn(name: string, password: string, address: string): Promise<SignInResult> {
    const account = normalizeUserName(name).slice(0, 200);
    const network = networkOf(address);
    const waitMs = this.#byAddress.attempt(network);
    if (waitMs > 0) return tooMany(waitMs);
    const accountWaitMs = this.#byAccount.attempt(account);
    if (accountWaitMs > 0) {
      this.#byAddress.takeBack(network);
      return tooMany(accountWaitMs);
    }
    const { users, sessions, passwords, clock, sessionHours } = this.#options;
    const user = await users.find(account);
    let isRight: boolean;
    try {
      isRight =
        password.length <= maxPasswordLength && (await passwords.verify(password, user?.passwordHash));
    } catch (error) {
      if (errorCodeOf(error) !== "unavailable") throw error;
      this.#byAddress.takeBack(network);
      this.#byAccount.takeBack(account);
      return { result: "busy" };
    }
    if (!isRight || user === undefined) return { result: "wrong_credentials" };

    this.#byAccount.succeeded(account);
    this.#byAddress.succeeded(network);
    const token = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
    const now = clock.wallMs();
    const maxAgeSeconds = sessionHours * 3600;
    await sessions.removeExpired(now);
    await sessions.add({
      tokenSha256: sha256Hex(token),
      userId: user.userId,
      createdAtMs: now,
      expiresAtMs: now + maxAgeSeconds * 1000,
    });
    return { result: "signed_in", token, maxAgeSeconds };
  }

  async signOut(token: string): Promise<void> {
    await this.#options.sessions.remove(sha256Hex(token));
  }
}

function tooMany(waitMs: number): SignInResult {
  return { result: "too_many_attempts", retryAfterSeconds: Math.ceil(waitMs / 1000) };
}

/** One customer has a whole /64 of IPv6 addresses. */
export function networkOf(address: string): string {
  if (!address.includes(":") || address.startsWith("::ffff:")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length);
  const all = [...groups, ...Array<string>(Math.max(0, missing)).fill("0"), ...(tail ? tail.split(":") : [])];
  return `${all.slice(0, 4).join(":")}::/64`;
}
