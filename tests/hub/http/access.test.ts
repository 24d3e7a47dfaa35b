import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { createLogger } from "../../../src/common/log.ts";
import { createApp } from "../../../src/hub/app.ts";
import { type Access, allow } from "../../../src/hub/http/access.ts";
import type { AppEnv } from "../../../src/hub/http/app-env.ts";
import type { KnownRoute } from "../../../src/hub/http/known-routes.ts";
import { sampleVideo } from "../../support/sample-videos.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";

let hub: TestHub;
let session: string;
let boundKey: string;
let viewer: string;

beforeAll(async () => {
  hub = await openTestHub();
  session = await hub.signIn();
  boundKey = await hub.makeKey("node", "node01");
  viewer = session;
});
afterAll(() => hub[Symbol.asyncDispose]());

/** A path that fits the route, as far as its schema looks. */
function pathOf({ path }: KnownRoute): string {
  const id = path.includes("/videos/") ? sampleVideo().videoId : "cam01";
  return path.replaceAll(/:file/g, "style.css").replaceAll(/:[a-z]+/g, id);
}

const send = (route: KnownRoute, headers: Record<string, string>) =>
  fetch(hub.url + pathOf(route), {
    method: route.method,
    headers: { accept: "application/json", ...headers },
    redirect: "manual",
    ...(route.method === "GET" ? {} : { body: "{}" }),
  });

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const changed = (key: string, at: number) =>
  key.slice(0, at) + (key.at(at) === "a" ? "b" : "a") + key.slice(at + 1 || undefined);

describe("every route", () => {
  const open = ["GET /api/health/live", "GET /login", "POST /login", "GET /assets/:file"];
  const names = (access: Access) =>
    hub.hub.routes.filter((route) => route.access === access).map(({ method, path }) => `${method} ${path}`);

  test("has an access rule, and the open ones are these", () => {
    expect(hub.hub.routes.length).toBeGreaterThan(20);
    expect(names("open").sort()).toEqual(open.sort());
    expect(names("node").sort()).toEqual(
      [
        "POST /api/nodes/register",
        "POST /api/nodes/:id/bookmark",
        "GET /api/nodes/:id/link",
        "POST /api/nodes/:id/gaps",
        "POST /api/nodes/:id/heartbeat",
        "POST /api/videos/announce",
      ].sort(),
    );
  });

  const closed = () => hub.hub.routes.filter(({ access }) => access !== "open");

  test("refuses requests without a credential, before it looks at anything else", async () => {
    for (const route of closed()) {
      const response = await send(route, {});
      expect([route.path, response.status]).toEqual([route.path, 401]);
      expect(response.headers.get("www-authenticate")).toStartWith("Bearer");
      expect(await response.json()).toMatchObject({ status: 401, code: "unauthorized" });
    }
  });

  test("refuses whatever is not exactly a good key", async () => {
    const key = hub.clientKey;
    const revoked = await hub.makeKey("client");
    await hub.storage.keys.revoke(revoked.split("_")[1] ?? "", 1);
    const wrong = [
      changed(key, -1),
      changed(key, 20),
      changed(key, 6),
      key.slice(0, -1),
      `${key}x`,
      key.toUpperCase(),
      key.replace("lck_", "LCK_"),
      key.replace("lck_", ""),
      `lck_${"a".repeat(10)}_${"a".repeat(52)}`,
      revoked,
      "null",
      "",
    ];
    for (const route of closed()) {
      for (const value of wrong) {
        const response = await send(route, bearer(value));
        expect([route.path, value, response.status]).toEqual([route.path, value, 401]);
      }
    }
    for (const authorization of [
      key,
      `Basic ${btoa(`x:${key}`)}`,
      `Bearer  `,
      `Bearer ${key} ${key}`,
      `Token ${key}`,
    ]) {
      expect((await hub.get("/api/videos", { authorization })).status).toBe(401);
    }
    expect((await hub.get(`/api/videos?api_key=${key}`, {})).status).toBe(401);
    expect((await hub.get("/api/videos", { cookie: `livecam_session=${key}` })).status).toBe(401);
    expect((await hub.get("/api/videos", { "x-api-key": key })).status).toBe(401);
  });

  test("refuses the wrong kind of credential, and lets the right one in", async () => {
    const credentials: Record<string, { headers: Record<string, string>; may: Access[] }> = {
      "a node's key": { headers: bearer(hub.nodeKey), may: ["node"] },
      "a bound node's key": { headers: bearer(boundKey), may: ["node"] },
      "a client's key": { headers: bearer(hub.clientKey), may: ["read"] },
      "a person": { headers: { cookie: viewer, origin: hub.url }, may: ["read", "page", "admin"] },
    };
    for (const route of closed()) {
      if (route.path === "/logout") continue;
      for (const [name, { headers, may }] of Object.entries(credentials)) {
        const { status } = await send(route, headers);
        const isLetIn = status !== 401 && status !== 403;
        expect([route.method, route.path, name, isLetIn]).toEqual([
          route.method,
          route.path,
          name,
          may.includes(route.access),
        ]);
      }
    }
  });

  test("a bad credential is not made good by a good one beside it", async () => {
    expect((await hub.get("/api/videos", { cookie: session, authorization: "Bearer x" })).status).toBe(401);
    expect((await hub.get("/api/videos", { cookie: `${session}; ${session}x` })).status).toBe(401);
  });

  test("browsers are sent to the login, with the way back", async () => {
    const html = { accept: "text/html,application/xhtml+xml" };
    const place = async (path: string) => (await hub.get(path, html)).headers.get("location");
    expect(await place("/")).toBe("/login");
    expect(await place("/nodes?a=1&b=2")).toBe("/login?next=%2Fnodes%3Fa%3D1%26b%3D2");
    expect(await place("/no-such-page")).toBe("/login?next=%2Fno-such-page");
    expect((await hub.get("/api/videos", html)).status).toBe(401);
  });

  test("what is not there is not told to strangers", async () => {
    expect((await hub.get("/api/nothing", {})).status).toBe(401);
    expect((await hub.get("/api/nothing")).status).toBe(404);
  });
});

describe("an app with a route that somebody forgot to protect", () => {
  const parts = (routes: Hono<AppEnv>) => ({
    logger: createLogger("test"),
    authenticator: { principalOfKey: async () => undefined, principalOfSession: async () => undefined },
    publicOrigin: undefined,
    routes: [routes],
  });

  test("does not start", () => {
    const bare = new Hono<AppEnv>()
      .get("/api/x", allow("read"), (c) => c.text(""))
      .post("/api/x", (c) => c.text(""));
    expect(() => createApp(parts(bare))).toThrow("POST /api/x");
    expect(() => createApp(parts(new Hono<AppEnv>().all("/y", (c) => c.text(""))))).toThrow("/y");
    expect(() => createApp(parts(new Hono<AppEnv>().route("/z", bare)))).toThrow("/z/api/x");
  });

  test("an open route under a path that is not open stays closed", async () => {
    const { app } = createApp(
      parts(new Hono<AppEnv>().get("/api/x", allow("open"), (c) => c.text("secret"))),
    );
    const response = await app.request("/api/x", {}, { addressOf: () => undefined });
    expect(response.status).toBe(401);
  });
});
