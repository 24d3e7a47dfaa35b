import { expect, test } from "bun:test";
import { systemClock } from "../../../src/common/clock.ts";
import type { ApiKey, ApiKeyStore, SessionStore, UserStore } from "../../../src/hub/auth/account-stores.ts";
import { newApiKey } from "../../../src/hub/auth/api-key.ts";
import { rememberPrincipals } from "../../../src/hub/auth/recent-principals.ts";
import { createAuthenticator } from "../../../src/hub/auth/store-authenticator.ts";

const token = "t".repeat(43);

function setUp() {
  let nowMs = 0;
  let asked = 0;
  /** What a look-up waits for. */
  let held: Promise<void> = Promise.resolve();
  const rows = new Map<string, ApiKey>();
  let user: { userId: number; name: string; role: "viewer" } | undefined = {
    userId: 1,
    name: "ada",
    role: "viewer",
  };
  const keys: ApiKeyStore = {
    find: async (keyId) => {
      asked++;
      const found = rows.get(keyId);
      await held;
      return found;
    },
    list: async () => [...rows.values()],
    add: async (key) => void rows.set(key.keyId, key),
    revoke: async (keyId, revokedAtMs) => {
      const key = rows.get(keyId);
      if (key) rows.set(keyId, { ...key, revokedAtMs });
      return key !== undefined;
    },
  };
  const signOut = async () => {
    user = undefined;
    return true;
  };
  const users: UserStore = {
    find: async () => undefined,
    list: async () => [],
    add: async () => true,
    setPassword: signOut,
    remove: signOut,
  };
  const sessions: SessionStore = {
    add: async () => undefined,
    findUser: async () => {
      asked++;
      return user;
    },
    remove: async () => void (await signOut()),
    removeExpired: async () => undefined,
  };
  const { authenticator, accounts } = rememberPrincipals({
    authenticator: createAuthenticator({ keys, sessions, clock: systemClock }),
    accounts: { keys, users, sessions },
    clock: { monotonicMs: () => nowMs },
  });
  return {
    authenticator,
    accounts,
    keys,
    asked: () => asked,
    pass: (ms: number) => (nowMs += ms),
    hold: (until: Promise<void>) => (held = until),
    async addKey() {
      const { text, key } = newApiKey({ kind: "client", name: "x", nodeId: null }, 0);
      await accounts.keys.add(key);
      return { text, keyId: key.keyId };
    },
  };
}

test("a valid key is looked up once in a quarter of a second, a wrong one every time", async () => {
  const { authenticator, asked, pass, addKey } = setUp();
  const { text } = await addKey();
  for (let i = 0; i < 10; i++) expect(await authenticator.principalOfKey(text)).toMatchObject({ name: "x" });
  expect(asked()).toBe(1);
  pass(250);
  await authenticator.principalOfKey(text);
  expect(asked()).toBe(2);
  const wrong = text.slice(0, -1) + (text.endsWith("a") ? "b" : "a");
  for (let i = 0; i < 3; i++) expect(await authenticator.principalOfKey(wrong)).toBeUndefined();
  expect(asked()).toBe(5);
});

test("a key works as a key alone, and a session as a session", async () => {
  const { authenticator, addKey } = setUp();
  const { text } = await addKey();
  await authenticator.principalOfKey(text);
  await authenticator.principalOfSession(token);
  expect(await authenticator.principalOfSession(text)).toBeUndefined();
  expect(await authenticator.principalOfKey(token)).toBeUndefined();
});

test("what this process revokes is refused at once", async () => {
  const { authenticator, accounts, addKey } = setUp();
  const { text, keyId } = await addKey();
  await authenticator.principalOfKey(text);
  await accounts.keys.revoke(keyId, 1);
  expect(await authenticator.principalOfKey(text)).toBeUndefined();
});

test("a key revoked while it is looked up is not remembered", async () => {
  const { authenticator, accounts, hold, addKey } = setUp();
  const { text, keyId } = await addKey();
  const answer = Promise.withResolvers<void>();
  hold(answer.promise);
  const first = authenticator.principalOfKey(text);
  await accounts.keys.revoke(keyId, 1);
  answer.resolve();
  await first;
  expect(await authenticator.principalOfKey(text)).toBeUndefined();
});

test("what another process revokes is refused a quarter of a second later", async () => {
  const { authenticator, keys, pass, addKey } = setUp();
  const { text, keyId } = await addKey();
  await authenticator.principalOfKey(text);
  await keys.revoke(keyId, 1);
  pass(249);
  expect(await authenticator.principalOfKey(text)).toBeDefined();
  pass(1);
  expect(await authenticator.principalOfKey(text)).toBeUndefined();
});

for (const change of ["sign out", "new password", "user removed"] as const) {
  test(`a session ends at once: ${change}`, async () => {
    const { authenticator, accounts, asked } = setUp();
    for (let i = 0; i < 3; i++) expect(await authenticator.principalOfSession(token)).toBeDefined();
    expect(asked()).toBe(1);
    if (change === "sign out") await accounts.sessions.remove(token);
    if (change === "new password") await accounts.users.setPassword("ada", "hash");
    if (change === "user removed") await accounts.users.remove("ada");
    expect(await authenticator.principalOfSession(token)).toBeUndefined();
  });
}

test("what is remembered is bounded", async () => {
  const { authenticator, asked, addKey } = setUp();
  const texts: string[] = [];
  for (let i = 0; i < 1_025; i++) texts.push((await addKey()).text);
  for (const text of texts) await authenticator.principalOfKey(text);
  await authenticator.principalOfKey(texts.at(-1) ?? "");
  expect(asked()).toBe(1_025);
  await authenticator.principalOfKey(texts[0] ?? "");
  expect(asked()).toBe(1_026);
});
