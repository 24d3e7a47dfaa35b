import { describe, expect, spyOn, test } from "bun:test";
import { errorCodeOf } from "../../../src/common/errors.ts";
import { checkInput } from "../../../src/common/input-issues.ts";
import { newApiKey, principalOfApiKey } from "../../../src/hub/auth/api-key.ts";
import { Passwords, UserName } from "../../../src/hub/auth/passwords.ts";

describe("passwords", () => {
  test("are hashed with argon2id and a salt of their own", async () => {
    const passwords = new Passwords();
    const [a, b] = [await passwords.hash("same"), await passwords.hash("same")];
    expect(a).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(a).not.toBe(b);
    expect(await passwords.verify("same", a)).toBe(true);
    expect(await passwords.verify("Same", a)).toBe(false);
    expect(await passwords.verify("", a)).toBe(false);
  });

  test("of users that do not exist cost the same work, and are wrong", async () => {
    const verify = spyOn(Bun.password, "verify");
    try {
      const passwords = new Passwords();
      expect(await passwords.verify("anything", undefined)).toBe(false);
      const [call] = verify.mock.calls;
      expect(call?.[1]).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    } finally {
      verify.mockRestore();
    }
  });

  test("that are too long cost nothing", async () => {
    const verify = spyOn(Bun.password, "verify");
    try {
      expect(await new Passwords().verify("x".repeat(1025), "$argon2id$")).toBe(false);
      expect(verify).not.toHaveBeenCalled();
    } finally {
      verify.mockRestore();
    }
  });

  test("are checked two at a time, sixteen wait, the rest is told to come back", async () => {
    let running = 0;
    let most = 0;
    const gates: (() => void)[] = [];
    const verify = spyOn(Bun.password, "verify").mockImplementation(async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resume) => gates.push(resume));
      running--;
      return true;
    });
    try {
      const passwords = new Passwords();
      const hash = await passwords.hash("x");
      const results = Array.from({ length: 30 }, () => passwords.verify("x", hash).catch(errorCodeOf));
      const settled = Promise.all(results);
      for (let done = 0; done < 18; done++) {
        while (gates.length === 0) await Bun.sleep(1);
        gates.shift()?.();
      }
      const outcomes = await settled;
      expect(most).toBe(2);
      expect(outcomes.filter((outcome) => outcome === true)).toHaveLength(18);
      expect(outcomes.filter((outcome) => outcome === "unavailable")).toHaveLength(12);
    } finally {
      verify.mockRestore();
    }
  });
});

test("names are folded, and odd ones refused", () => {
  const nameOf = (text: string) => {
    const checked = checkInput(UserName, text);
    return checked.ok ? checked.output : undefined;
  };
  expect(nameOf("Ada")).toBe("ada");
  expect(nameOf("김철수")).toBe("김철수");
  expect(nameOf("e\u0301va@example.org")).toBe("éva@example.org");
  for (const odd of ["", " ", "a b", ".a", "a\u202eb", "a/b", "a\u0000", "<a>", "x".repeat(65)]) {
    expect([odd, nameOf(odd)]).toEqual([odd, undefined]);
  }
});

test("a key is known by its id and its secret, not by one of them", async () => {
  const [a, b] = [
    newApiKey({ kind: "client", name: "a", nodeId: null }, 1),
    newApiKey({ kind: "node", name: "b", nodeId: "pi1" }, 2),
  ];
  const rows = new Map([a, b].map(({ key }) => [key.keyId, key]));
  const keys = {
    find: async (id: string) => rows.get(id),
    list: async () => [],
    add: async () => undefined,
    revoke: async () => false,
  };
  expect(await principalOfApiKey(keys, a.text)).toEqual({ kind: "client", keyId: a.key.keyId, name: "a" });
  expect(await principalOfApiKey(keys, b.text)).toEqual({ kind: "node", keyId: b.key.keyId, nodeId: "pi1" });
  const swapped = `lck_${a.key.keyId}_${b.text.split("_")[2]}`;
  for (const wrong of [swapped, `${a.text} `, `${a.text}\n`, a.text.slice(0, 30), "lck__", ""]) {
    expect(await principalOfApiKey(keys, wrong)).toBeUndefined();
  }
  expect(JSON.stringify(a.key)).not.toContain(a.text.split("_")[2]);
});
