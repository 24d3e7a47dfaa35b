import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sendRaw, statusOf } from "../../support/raw-http.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";

let hub: TestHub;
let session: string;
beforeAll(async () => {
  hub = await openTestHub();
  session = await hub.signIn();
});
afterAll(() => hub[Symbol.asyncDispose]());

const key = () => ({ authorization: `Bearer ${hub.clientKey}` });
const isAlive = async () => (await fetch(`${hub.url}/api/health/live`)).status === 200;

describe("methods and paths", () => {
  test("a path that is not there is 404, a method that is not there 405 with Allow, as problems", async () => {
    const missing = await hub.get("/api/nothing");
    expect(missing.status).toBe(404);
    expect(missing.headers.get("content-type")).toBe("application/problem+json");
    expect(await missing.json()).toMatchObject({ type: "about:blank", status: 404, code: "not_found" });
    for (const method of ["DELETE", "PUT", "PATCH", "POST"]) {
      const response = await fetch(`${hub.url}/api/videos`, { method, headers: key() });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
      expect(await response.json()).toMatchObject({ status: 405, code: "method_not_allowed" });
    }
  });

  test("a path that is spelled out is not taken for an id: 405 with its own methods", async () => {
    const onList = await fetch(`${hub.url}/api/videos`, { method: "OPTIONS", headers: key() });
    expect([onList.status, onList.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
    for (const path of ["/api/videos/search", "/api/videos/announce"]) {
      for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE"]) {
        const response = await fetch(hub.url + path, { method, headers: key() });
        const { status, headers } = response;
        expect([method, path, status, headers.get("allow")]).toEqual([method, path, 405, "OPTIONS, POST"]);
      }
      const options = await fetch(hub.url + path, { method: "OPTIONS", headers: key() });
      expect([options.status, options.headers.get("allow")]).toEqual([204, "OPTIONS, POST"]);
      expect((await fetch(hub.url + path, { method: "GET" })).status).toBe(401);
    }
  });

  test("on every route, a method that it does not take is 405 and named by Allow", async () => {
    const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    for (const [path, own] of Map.groupBy(hub.hub.routes, (route) => route.path)) {
      for (const method of methods.filter((each) => own.every((route) => route.method !== each))) {
        const response = await fetch(hub.url + path.replaceAll(/:[a-z]+/gi, "x"), {
          method,
          headers: { cookie: session, origin: hub.url },
        });
        expect([method, path, response.status]).toEqual([method, path, 405]);
        const allow = response.headers.get("allow")?.split(", ") ?? [];
        for (const { method: taken } of own) expect([path, allow.includes(taken)]).toEqual([path, true]);
        expect(allow).not.toContain(method);
        await response.body?.cancel();
      }
    }
  });

  test("every method on every route is answered, and never with 5xx", async () => {
    const paths = [...new Set(hub.hub.routes.map(({ path }) => path.replaceAll(/:[a-z]+/g, "x")))];
    for (const path of paths) {
      for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
        const response = await fetch(hub.url + path, {
          method,
          headers: { cookie: session, origin: hub.url },
        });
        expect([method, path, response.status < 500]).toEqual([method, path, true]);
        await response.body?.cancel();
        // The route that ends sessions did its work.
        if (path === "/logout" && method === "POST") session = await hub.signIn();
      }
    }
    for (const line of ["FOO /api/videos HTTP/1.1", "TRACE /api/videos HTTP/1.1", "PROPFIND / HTTP/1.1"]) {
      const status = statusOf(await sendRaw(hub.url, `${line}\r\nHost: x\r\nConnection: close\r\n\r\n`));
      expect(status < 500 && status !== 200).toBe(true);
    }
    expect(await isAlive()).toBe(true);
  });

  test("the method cannot be overridden", async () => {
    const headers = { ...key(), "x-http-method-override": "DELETE", "x-method-override": "POST" };
    expect((await fetch(`${hub.url}/api/videos?_method=DELETE`, { headers })).status).toBe(400);
    expect((await fetch(`${hub.url}/api/videos`, { headers })).status).toBe(200);
  });

  test("HEAD tells the length that GET has", async () => {
    for (const path of ["/api/videos", "/api/openapi.json", "/api/nothing"]) {
      const [get, head] = [
        await hub.get(path),
        await fetch(hub.url + path, { method: "HEAD", headers: key() }),
      ];
      expect(head.status).toBe(get.status);
      expect(head.headers.get("content-length")).toBe(String((await get.arrayBuffer()).byteLength));
      expect(await head.text()).toBe("");
    }
  });

  test("paths in every odd spelling are 4xx and touch nothing", async () => {
    const odd = [
      "/api/videos/..%2f..%2fetc%2fpasswd",
      "/api/videos/%2e%2e/%2e%2e/",
      "/api/videos/%252e%252e%252f",
      "/api/videos/%00",
      "/api/videos/%0d%0aSet-Cookie:x=y",
      "/api/videos/%ff%fe",
      "/api/videos/%",
      "/api/videos/%zz",
      "/api/videos/constructor",
      "/api/videos/__proto__",
      `/api/videos/${"a".repeat(10_000)}`,
      "/api/nodes/..%2fx/heartbeat",
      "//api/videos",
      "/api//videos",
      "/API/VIDEOS",
      "/api/videos/",
      "/api/videos/０１",
    ];
    for (const path of odd) {
      const raw = await sendRaw(
        hub.url,
        Buffer.from(
          `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${hub.clientKey}\r\nConnection: close\r\n\r\n`,
        ),
      );
      expect([path, statusOf(raw) >= 400 && statusOf(raw) < 500]).toEqual([path, true]);
      expect(raw.split("\r\n\r\n")[0]?.toLowerCase()).not.toContain("set-cookie:");
    }
    expect(await isAlive()).toBe(true);
  });
});

describe("HTTP itself", () => {
  const get = `GET /api/health/live HTTP/1.1\r\nHost: x\r\n`;
  const odd: [string, string][] = [
    ["two lengths", `POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`],
    [
      "length and chunks",
      `POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n`,
    ],
    [
      "a negative length",
      `POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\nConnection: close\r\n\r\n`,
    ],
    [
      "a length that is none",
      `POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1e3\r\nConnection: close\r\n\r\n`,
    ],
    ["huge headers", `${get}X-Big: ${"a".repeat(200_000)}\r\nConnection: close\r\n\r\n`],
    ["a huge address", `GET /${"a".repeat(200_000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`],
    ["ten thousand headers", `${get}${"X: y\r\n".repeat(10_000)}Connection: close\r\n\r\n`],
    ["no Host", "GET /api/health/live HTTP/1.1\r\nConnection: close\r\n\r\n"],
    [
      "a foreign Host",
      "GET / HTTP/1.1\r\nHost: evil.example\r\nAccept: text/html\r\nConnection: close\r\n\r\n",
    ],
    [
      "a Host that is none",
      "GET / HTTP/1.1\r\nHost: <script>/@:99999\r\nAccept: text/html\r\nConnection: close\r\n\r\n",
    ],
    ["not HTTP at all", "\u0016\u0003\u0001\u0002\u0000hello\r\n\r\n"],
    ["HTTP/0.9", "GET /\r\n\r\n"],
    ["an upgrade", `${get}Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n`],
  ];
  test.each(odd)("%s: a refusal or an answer, and the hub lives", async (_, text) => {
    const enough = (received: string) => received.includes("\r\n\r\n");
    const status = statusOf(await sendRaw(hub.url, Buffer.from(text, "latin1"), enough).catch(() => ""));
    // 505: the version of HTTP is not supported.
    expect(status < 500 || status === 505).toBe(true);
    expect(await isAlive()).toBe(true);
  });

  test("a foreign Host does not get into addresses", async () => {
    const raw = await sendRaw(
      hub.url,
      "GET / HTTP/1.1\r\nHost: evil.example\r\nAccept: text/html\r\nConnection: close\r\n\r\n",
    );
    expect(raw).not.toContain("evil.example");
  });

  test("two hundred idle connections do not keep others out", async () => {
    const { hostname, port } = new URL(hub.url);
    const idle = await Promise.all(
      Array.from({ length: 200 }, () => Bun.connect({ hostname, port: Number(port), socket: { data() {} } })),
    );
    for (const [i, socket] of idle.entries())
      if (i % 2) socket.write("GET /api/health/live HTTP/1.1\r\nHost:");
    expect(await isAlive()).toBe(true);
    for (const socket of idle) socket.terminate();
  });
});

describe("headers of every answer", () => {
  test("are there, whatever is asked for", async () => {
    const answers = [
      await hub.get("/api/videos"),
      await hub.get("/api/videos", {}),
      await hub.get("/api/nothing"),
      await hub.get("/login", {}),
      await hub.get("/", { accept: "text/html" }),
      await hub.get("/api/health/live", {}),
    ];
    for (const { headers } of answers) {
      const csp = headers.get("content-security-policy") ?? "";
      expect(csp).toContain("default-src 'none'");
      expect(csp).toContain("frame-ancestors 'none'");
      expect(csp).not.toContain("unsafe");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("same-origin");
      expect(headers.get("x-request-id")).toMatch(/^[a-z0-9]+-[a-z0-9]+$/);
      expect(headers.get("cache-control")).toBeTruthy();
      expect(headers.get("strict-transport-security")).toBeNull();
      expect(headers.get("access-control-allow-origin")).toBeNull();
      expect(headers.get("server-timing")).toBeNull();
      expect(headers.get("x-powered-by")).toBeNull();
    }
  });

  test("behind https: HSTS and Secure cookies", async () => {
    await using https = await openTestHub({ config: { public_url: "https://cams.example.org" } });
    const response = await fetch(`${https.url}/login`, {
      method: "POST",
      redirect: "manual",
      headers: { origin: "https://cams.example.org" },
      body: new URLSearchParams({ username: "ada", password: "correct horse" }),
    });
    expect(response.status).toBe(303);
    expect(response.headers.get("set-cookie")).toContain("; Secure");
    expect(response.headers.get("strict-transport-security")).toContain("max-age=");
  });
});

describe("JSON bodies", () => {
  const post = (
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = { "content-type": "application/json" },
  ) => fetch(`${hub.url}/api/videos/search`, { method: "POST", headers: { ...key(), ...headers }, body });
  const expectRefusal = async (response: Response, status: number) => {
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    return (await response.json()) as { issues?: { path: string }[]; detail?: string };
  };

  test("of every wrong kind are 400", async () => {
    for (const body of [
      "",
      " ",
      "null",
      "[]",
      '"x"',
      "1",
      "true",
      "{",
      "{]}",
      "{'a':1}",
      "NaN",
      '{"a":01}',
    ]) {
      expect([body, (await post(body)).status]).toEqual([body, 400]);
    }
    expect((await post("{}")).status).toBe(200);
    expect((await post(' {"limit":1} ', { "content-type": "application/JSON; charset=utf-8" })).status).toBe(
      200,
    );
  });

  test("of another media type, or compressed, are 415", async () => {
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "application/jsonx",
    ]) {
      await expectRefusal(await post("{}", { "content-type": type }), 415);
    }
    const raw = await sendRaw(
      hub.url,
      `POST /api/videos/search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${hub.clientKey}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
    );
    expect(statusOf(raw)).toBe(415);
    const bomb = Bun.gzipSync(Buffer.alloc(50_000_000, " "));
    await expectRefusal(
      await post(bomb, { "content-type": "application/json", "content-encoding": "gzip" }),
      415,
    );
  });

  test("too large are 413, told or not told before", async () => {
    await expectRefusal(await post(" ".repeat(65 * 1024)), 413);
    const endless = new ReadableStream({
      pull(controller) {
        controller.enqueue(Buffer.alloc(16 * 1024, " "));
      },
    });
    const response = await fetch(`${hub.url}/api/videos/search`, {
      method: "POST",
      headers: { ...key(), "content-type": "application/json" },
      body: endless,
    }).catch(() => undefined);
    // The answer may come while we still send.
    if (response) await expectRefusal(response, 413);
    expect(await isAlive()).toBe(true);
  });

  test("nested without end are 400", async () => {
    for (const deep of [
      "[".repeat(30_000),
      '{"a":'.repeat(10_000),
      `${"[".repeat(30_000)}${"]".repeat(30_000)}`,
    ]) {
      await expectRefusal(await post(deep), 400);
    }
    // Brackets in a string are text.
    expect((await post(JSON.stringify({ text: `\\"${"[".repeat(90)}` }))).status).toBe(200);
  });

  test("that are not UTF-8 are 400", async () => {
    await expectRefusal(await post(new Uint8Array([0x22, 0xff, 0xfe, 0x22])), 400);
    await expectRefusal(await post(Buffer.from("{}", "utf16le")), 400);
  });

  test("with prototype keys are refused by name and change nothing", async () => {
    const body = '{"__proto__":{"limit":1},"constructor":{"prototype":{"x":1}},"toString":1}';
    const { issues } = await expectRefusal(await post(body), 400);
    expect(issues?.map(({ path }) => path)).toEqual(["__proto__", "constructor", "toString"]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  test("with a field twice: the last counts", async () => {
    expect((await post('{"limit":0,"limit":2}')).status).toBe(200);
    await expectRefusal(await post('{"limit":2,"limit":0}'), 400);
  });

  test("a refusal repeats no more than a little of what was sent, and no control characters", async () => {
    const response = await post(JSON.stringify({ order: `\r\n\u001b[31m${"x".repeat(50_000)}` }));
    const text = await response.text();
    expect(response.status).toBe(400);
    expect(text.length).toBeLessThan(1_000);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for them is the point
    expect(text).not.toMatch(/[\u0000-\u001f]/);
  });
});
