import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openTestHub, password, type TestHub, userName } from "../../support/test-hub.ts";

let hub: TestHub;
beforeAll(async () => {
  hub = await openTestHub();
});
afterAll(() => hub[Symbol.asyncDispose]());

const form = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${hub.url}/login`, {
    method: "POST",
    redirect: "manual",
    headers,
    body: new URLSearchParams(fields),
  });
const login = (headers: Record<string, string> = {}) => form({ username: userName, password }, headers);
const cookieOf = (response: Response) => response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
const isSignedIn = async (cookie: string) => (await hub.get("/api/videos", { cookie })).status === 200;

describe("signing in", () => {
  test("gives a cookie that only the browser's requests carry, and goes on to where one wanted to go", async () => {
    const response = await form({ username: userName, password, next: "/nodes?x=1" });
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe("/nodes?x=1");
    const [cookie = ""] = response.headers.getSetCookie();
    expect(cookie).toMatch(
      /^livecam_session=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=604800$/,
    );
    expect(await isSignedIn(cookieOf(response))).toBe(true);
  });

  test("does not mind capitals and accents in the name", async () => {
    expect((await form({ username: "ADA", password })).status).toBe(303);
  });

  test("the token is not in the database, nor the password", async () => {
    const token = cookieOf(await login()).split("=")[1] ?? "";
    const files = [...new Bun.Glob("catalog.db*").scanSync({ cwd: `${hub.folder}/data` })];
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      const bytes = Buffer.from(await Bun.file(`${hub.folder}/data/${file}`).arrayBuffer());
      for (const secret of [token, password, hub.clientKey, hub.clientKey.split("_")[2] ?? ""]) {
        expect(bytes.includes(secret)).toBe(false);
      }
    }
  });

  test("takes a new token each time, and drops the one brought along", async () => {
    const planted = `livecam_session=${"A".repeat(43)}`;
    const first = cookieOf(await login({ cookie: planted }));
    expect(first).not.toBe(planted);
    expect(await isSignedIn(planted)).toBe(false);
    const second = cookieOf(await login({ cookie: first, origin: hub.url }));
    expect(second).not.toBe(first);
    expect(await isSignedIn(first)).toBe(false);
    expect(await isSignedIn(second)).toBe(true);
  });

  test("goes to local places alone", async () => {
    const places: [string, string][] = [
      ["//evil.example", "/"],
      ["https://evil.example/", "/"],
      ["/nodes\r\nSet-Cookie: a=b", "/"],
      ["/cameras/cam01?date=2025-09-23", "/cameras/cam01?date=2025-09-23"],
    ];
    for (const [next, expected] of places) {
      const { headers } = await form({ username: userName, password, next });
      expect([next, headers.get("location")]).toEqual([next, expected]);
      expect(headers.getSetCookie()).toHaveLength(1);
    }
  });

  test("refuses wrong passwords and unknown names alike", async () => {
    await using other = await openTestHub();
    const text = async (fields: Record<string, string>) => {
      const response = await fetch(`${other.url}/login`, {
        method: "POST",
        body: new URLSearchParams(fields),
      });
      expect(response.status).toBe(401);
      expect(response.headers.getSetCookie()).toEqual([]);
      return (await response.text()).replaceAll(fields.username ?? "", "");
    };
    expect(await text({ username: "ada", password: "wrong" })).toBe(
      await text({ username: "eve", password: "wrong" }),
    );
  });

  test("stands odd names and giant passwords", async () => {
    await using other = await openTestHub();
    const post = (body: string) =>
      fetch(`${other.url}/login`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body,
      });
    const name = encodeURIComponent;
    expect((await post(`username=${name("' OR 1=1 --")}&password=x`)).status).toBe(401);
    expect((await post(`username=${name("\u0000\ud7ff\u202e")}&password=%00`)).status).toBe(401);
    expect((await post(`username=ada&password=${"p".repeat(5_000)}`)).status).toBe(401);
    expect((await post(`username=ada&password=${"p".repeat(100_000)}`)).status).toBe(400);
    expect((await post("username=ada&username=eve&password=x")).status).toBe(400);
    expect((await post("username=ada")).status).toBe(400);
    expect((await post("")).status).toBe(400);
    const json = await fetch(`${other.url}/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: userName, password }),
    });
    expect(json.status).toBe(400);
    const page = await post(`username=${name('"><script>alert(1)</script>')}&password=x`);
    expect(await page.text()).not.toContain("<script>alert");
  });

  test("an empty password is wrong, not an error", async () => {
    expect((await form({ username: userName, password: "" })).status).toBe(401);
  });
});

describe("signing out", () => {
  test("ends the session on the hub, not in the browser alone", async () => {
    const cookie = cookieOf(await login());
    // So that the hub has it in its memory.
    expect(await isSignedIn(cookie)).toBe(true);
    const response = await fetch(`${hub.url}/logout`, {
      method: "POST",
      redirect: "manual",
      headers: { cookie, origin: hub.url },
    });
    expect(response.status).toBe(303);
    expect(response.headers.get("set-cookie")).toContain("Max-Age=0");
    expect(await isSignedIn(cookie)).toBe(false);
  });

  test("a GET does not", async () => {
    const cookie = cookieOf(await login());
    expect((await hub.get("/logout", { cookie })).status).toBe(405);
    expect(await isSignedIn(cookie)).toBe(true);
  });
});

describe("sessions", () => {
  test("end with a new password and with the user, a moment after another process changed them", async () => {
    let offsetMs = 0;
    const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() + offsetMs };
    await using other = await openTestHub({ clock });
    const get = async (cookie: string) => (await other.get("/api/videos", { cookie })).status;
    const first = await other.signIn();
    const user = await other.storage.users.find(userName);
    expect(await get(first)).toBe(200);
    await other.storage.users.setPassword(userName, user?.passwordHash ?? "");
    offsetMs += 250;
    expect(await get(first)).toBe(401);
    const second = await other.signIn();
    expect(await get(second)).toBe(200);
    await other.storage.users.remove(userName);
    offsetMs += 250;
    expect(await get(second)).toBe(401);
  });

  test("expire", async () => {
    let offsetMs = 0;
    const clock = { wallMs: () => Date.now() + offsetMs, monotonicMs: () => performance.now() + offsetMs };
    await using other = await openTestHub({ clock, config: { session_hours: 2 } });
    const cookie = await other.signIn();
    const get = async () => (await other.get("/api/videos", { cookie })).status;
    offsetMs = 2 * 3_600_000 - 10_000;
    expect(await get()).toBe(200);
    offsetMs = 2 * 3_600_000 + 10_000;
    expect(await get()).toBe(401);
  });
});

describe("requests from other sites", () => {
  const search = (cookie: string, headers: Record<string, string>) =>
    fetch(`${hub.url}/api/videos/search`, { method: "POST", headers: { cookie, ...headers }, body: "{}" });

  test("cannot change or ask anything with a session, whatever their content type", async () => {
    const cookie = await hub.signIn();
    const foreign = [
      "null",
      "https://evil.example",
      "http://localhost:1",
      hub.url.replace("http:", "ftp:"),
      `${hub.url}.evil.example`,
      hub.url.replace("127.0.0.1", "127.0.0.2"),
      hub.url.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10)),
      "file://",
      "",
      "not an origin",
    ];
    for (const origin of foreign) {
      for (const type of [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
      ]) {
        const response = await search(cookie, {
          origin,
          "content-type": type,
          "sec-fetch-site": "same-origin",
        });
        expect([origin, type, response.status]).toEqual([origin, type, 403]);
      }
    }
    expect((await search(cookie, { "content-type": "application/json" })).status).toBe(403);
    expect(
      (await search(cookie, { "content-type": "application/json", "sec-fetch-site": "cross-site" })).status,
    ).toBe(403);
    expect(
      (await search(cookie, { "content-type": "application/json", "sec-fetch-site": "same-origin" })).status,
    ).toBe(200);
    expect((await search(cookie, { "content-type": "application/json", origin: hub.url })).status).toBe(200);
  });

  test("cannot sign anybody in or out", async () => {
    const response = await login({ origin: "https://evil.example" });
    expect(response.status).toBe(403);
    expect(response.headers.getSetCookie()).toEqual([]);
    const cookie = await hub.signIn();
    const logout = await fetch(`${hub.url}/logout`, {
      method: "POST",
      redirect: "manual",
      headers: { cookie, origin: "null" },
    });
    expect(logout.status).toBe(403);
    expect(await isSignedIn(cookie)).toBe(true);
  });

  test("get no permission from a preflight", async () => {
    const response = await fetch(`${hub.url}/api/videos/search`, {
      method: "OPTIONS",
      headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
    });
    expect(response.status).toBe(401);
    expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  test("a key is no cookie: programs need no Origin", async () => {
    const response = await hub.post("/api/videos/search", {}, hub.clientKey);
    expect(response.status).toBe(200);
  });
});

describe("guessing", () => {
  test("one account: after five tries each has to wait, the right password too; others are not held up", async () => {
    let nowMs = 1_000_000;
    const clock = { wallMs: () => Date.now(), monotonicMs: () => nowMs };
    await using other = await openTestHub({ clock });
    const attempt = (username: string, secret: string) =>
      fetch(`${other.url}/login`, {
        method: "POST",
        redirect: "manual",
        body: new URLSearchParams({ username, password: secret }),
      });
    for (let i = 0; i < 5; i++) expect((await attempt(userName, `guess${i}`)).status).toBe(401);
    const held = await attempt(userName, password);
    expect(held.status).toBe(429);
    expect(held.headers.get("retry-after")).toBe("1");
    expect((await attempt("other", "x")).status).toBe(401);
    nowMs += 1_001;
    expect((await attempt(userName, "guess")).status).toBe(401);
    nowMs += 1_001;
    expect((await attempt(userName, password)).status).toBe(429);
    nowMs += 1_001;
    expect((await attempt(userName, password)).status).toBe(303);
    expect((await attempt(userName, "guess")).status).toBe(401);
  });

  test("many at once from one address are not all tried, whatever they say of where they come from", async () => {
    await using other = await openTestHub();
    const attempts = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        fetch(`${other.url}/login`, {
          method: "POST",
          headers: { "x-forwarded-for": `10.0.0.${i}`, forwarded: `for=10.0.1.${i}` },
          body: new URLSearchParams({ username: `user${i}`, password: "x" }),
        }),
      ),
    );
    const count = (status: number) => attempts.filter((response) => response.status === status).length;
    // Two are checked at once, sixteen may wait, twenty are free: the rest was not tried.
    expect(count(401)).toBeGreaterThan(0);
    expect(count(401)).toBeLessThanOrEqual(20);
    expect(count(503)).toBeGreaterThan(0);
    expect(count(401) + count(503) + count(429)).toBe(60);
  });
});
