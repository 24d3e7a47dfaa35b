import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { systemClock } from "../../../src/common/clock.ts";
import { createLogger } from "../../../src/common/log.ts";
import { linkLimits } from "../../../src/common/protocol/link.ts";
import { formatLinkFrame } from "../../../src/common/protocol/link-frame.ts";
import { createRemoteNodes } from "../../../src/hub/link/linked-remote-nodes.ts";
import { NodeLinks } from "../../../src/hub/link/node-links.ts";
import { helloOf, LinkedNode } from "../../support/linked-node.ts";
import { registerRequest } from "../../support/node-reports.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";

let hub: TestHub;
let key: string;
let session: Record<string, string>;
let nodes: LinkedNode[] = [];

beforeAll(async () => {
  hub = await openTestHub({ config: { link_ping_seconds: 3 } });
  key = await hub.makeKey("node", "node01");
  session = { cookie: await hub.signIn(), origin: hub.url, "content-type": "application/json" };
  const registered = await hub.post("/api/nodes/register", registerRequest(), key);
  expect(registered.status).toBe(200);
});
afterAll(() => hub[Symbol.asyncDispose]());
afterEach(async () => {
  for (const node of nodes) {
    node.close();
    await node.isClosed();
  }
  nodes = [];
});

const link = async (hello = {}) => {
  const node = await LinkedNode.link(hub.url, "node01", key, hello);
  nodes.push(node);
  return node;
};
const open = async (headers?: Record<string, string>) => {
  const node = await LinkedNode.open(hub.url, "node01", key, headers);
  nodes.push(node);
  return node;
};
const ask = (path: string, method = "POST", body?: unknown) =>
  fetch(hub.url + path, {
    method,
    headers: session,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const problem = async (response: Response) => ({
  status: response.status,
  ...((await response.json()) as { code: string; detail: string; issues?: unknown[] }),
});
const videoId = "01997000-0000-7000-8000-000000000001";

describe("the handshake", () => {
  test("a hello is answered with a welcome that says how to go on", async () => {
    const node = await link();
    expect(node.heard[0]).toMatchObject({ type: "welcome", link_version: 1, ping_seconds: 3 });
  });

  test("a node of a later release is welcome in the version both speak", async () => {
    const node = await link({ link_version: 7, methods: ["teleport"], later: { a: 1 } });
    expect(node.heard[0]).toMatchObject({ link_version: 1 });
  });

  test("another node's key, a client's, a wrong one and none are refused, and so is a browser", async () => {
    const other = await hub.makeKey("node", "node02");
    for (const [wrong, status] of [
      [other, 403],
      [hub.clientKey, 403],
      [`${key}x`, 401],
      ["", 401],
    ] as const) {
      await expect(LinkedNode.open(hub.url, "node01", wrong)).rejects.toThrow(`refused: ${status}`);
    }
    await expect(open({ origin: hub.url })).rejects.toThrow("refused: 403");
    await expect(open({ origin: "null" })).rejects.toThrow("refused: 403");
    await expect(LinkedNode.open(hub.url, "..%2fnode01", key)).rejects.toThrow("refused: 400");
  });

  test("what is no upgrade is told to be one", async () => {
    const response = await hub.get("/api/nodes/node01/link", { authorization: `Bearer ${key}` });
    expect(response.headers.get("upgrade")).toBe("websocket");
    expect(await problem(response)).toMatchObject({ status: 426, code: "upgrade_required" });
  });

  test("the hello of another node ends it, and that node is not linked by it", async () => {
    const node = await open();
    node.send(helloOf("node02"));
    expect(await node.isClosed()).toMatchObject({ code: 4005, reason: expect.stringContaining("node02") });
    const loose = await LinkedNode.open(hub.url, "node03", hub.nodeKey);
    loose.send(helloOf("node01"));
    expect(await loose.isClosed()).toMatchObject({ code: 4005 });
  });

  test("a second hello is refused, and the link goes on", async () => {
    const node = await link();
    node.send(helloOf("node01"));
    expect(await node.hears("error")).toMatchObject({ code: "unexpected" });
    expect(node.closed).toBeUndefined();
  });

  test("a newer connection of the same node takes the place of the older, which is told", async () => {
    const older = await link();
    const newer = await link();
    expect(await older.isClosed()).toMatchObject({ code: 4001, reason: expect.stringContaining("newer") });
    newer.answers.set("pause", () => ({ result: {} }));
    expect((await ask("/api/cameras/cam01/pause")).status).toBe(204);
  });

  test("a key that is revoked ends the link it opened", async () => {
    const short = await hub.makeKey("node", "node01");
    const node = await LinkedNode.link(hub.url, "node01", short);
    await hub.storage.keys.revoke(short.split("_")[1] ?? "", 1);
    expect(await node.isClosed()).toMatchObject({ code: 4004 });
  });
});

describe("hostile nodes", () => {
  const garbage: [string, string | Uint8Array<ArrayBuffer>][] = [
    ["no JSON", "{"],
    ["nothing", ""],
    ["no object", "[1,2]"],
    ["null", "null"],
    ["no type", "{}"],
    ["a type that is no text", '{"type":{"a":1}}'],
    ["a type of the prototype", '{"type":"constructor"}'],
    ["__proto__", '{"__proto__":{"type":"ping"}}'],
    ["a hub's message", '{"type":"request","id":"1","method":"pause","deadline_ms":1}'],
    ["a response without an id", '{"type":"response","result":{}}'],
    ["a response with both", '{"type":"response","id":"1","result":{},"problem":{}}'],
    ["a ping with a long id", JSON.stringify({ type: "ping", id: "x".repeat(10_000) })],
    ["deep nesting", "[".repeat(100_000)],
    ["a long unknown type", JSON.stringify({ type: "y".repeat(200_000) })],
    ["an empty binary message", new Uint8Array()],
    ["a binary message with a header beyond its end", new Uint8Array([1, 0, 255, 255, 1])],
    ["a binary message of another version", new Uint8Array([2, 0, 0, 2, 123, 125])],
    ["a binary message of no kind", new Uint8Array([1, 0, 0, 2, 123, 125])],
  ];

  for (const [name, message] of garbage) {
    test(`${name} is answered, and the link goes on`, async () => {
      const node = await link();
      node.send(message);
      const error = await node.hears("error");
      expect(error.code).toMatch(/^(malformed|unknown_type)$/);
      expect(String(error.detail).length).toBeLessThanOrEqual(500);
      node.answers.set("pause", () => ({ result: {} }));
      expect((await ask("/api/cameras/cam01/pause")).status).toBe(204);
    });
  }

  test("a thousand messages of garbage end the link after the first few, and nothing else", async () => {
    const node = await link();
    for (let i = 0; i < 1000; i++) node.send(i % 2 === 0 ? "garbage" : new Uint8Array([9, 9, 9]));
    expect(await node.isClosed()).toMatchObject({ code: 4002 });
    expect(node.heard.filter(({ type }) => type === "error").length).toBeLessThanOrEqual(20);
    expect((await hub.get("/api/videos")).status).toBe(200);
    await link();
  });

  test("a flood of good messages ends the link", async () => {
    const node = await link();
    for (let i = 0; i < 3000; i++) node.send({ type: "pong", id: "1" });
    expect(await node.isClosed()).toMatchObject({ code: 4003 });
  });

  test("a message over the limit ends the link", async () => {
    const text = await link();
    text.send(JSON.stringify({ type: "ping", id: "x".repeat(linkLimits.textBytes) }));
    expect(await text.isClosed()).toMatchObject({ code: 1009 });
    const binary = await link();
    binary.send(new Uint8Array(linkLimits.binaryBytes + 1));
    expect((await binary.isClosed()).code).toBe(1009);
  });

  test("answers to nobody are ignored", async () => {
    const node = await link();
    node.send({ type: "response", id: "77", result: {} });
    const header = { type: "snapshot", id: "78", camera_id: "cam01", media_type: "image/jpeg" } as const;
    node.send(formatLinkFrame({ header, payload: new Uint8Array(10) }));
    node.send({ type: "ping", id: "a" });
    expect(await node.hears("pong")).toEqual({ type: "pong", id: "a" });
    expect(node.heard.filter(({ type }) => type === "error")).toEqual([]);
  });

  const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xe0]);
  const wrongAnswers: [string, (id: string) => Record<string, unknown> | Uint8Array][] = [
    ["a value", () => ({ result: { a: 1 } })],
    [
      "HTML",
      (id) =>
        formatLinkFrame({
          header: { type: "snapshot", id, camera_id: "cam01", media_type: "image/jpeg" },
          payload: new TextEncoder().encode("<script>alert(1)</script>"),
        }),
    ],
    [
      "a picture of another camera",
      (id) =>
        formatLinkFrame({
          header: { type: "snapshot", id, camera_id: "cam02", media_type: "image/jpeg" },
          payload: jpeg,
        }),
    ],
  ];
  for (const [name, answer] of wrongAnswers) {
    test(`a snapshot that is ${name} is not passed on`, async () => {
      const node = await link();
      node.answers.set("snapshot", (_, id) => answer(id));
      const response = await hub.get("/api/cameras/cam01/snapshot");
      expect(await problem(response)).toMatchObject({ status: 503, code: "unavailable" });
    });
  }

  test("a status that is none is not passed on", async () => {
    const node = await link();
    node.answers.set("status", () => ({ result: { node_id: "<script>" } }));
    expect((await hub.get("/api/nodes/node01/status")).status).toBe(503);
    node.answers.set("uploads", () => ({ result: "x" }));
    expect((await hub.get("/api/nodes/node01/uploads")).status).toBe(503);
  });

  test("control characters of a node's words do not come through, and it cannot sign people out", async () => {
    const node = await link();
    const says = (code: string, status: number) => () => ({
      problem: { title: "x", status, code, detail: "line\r\nSet-Cookie: a=b\u0000" },
    });
    node.answers.set("pause", says("unauthorized", 401));
    const answer = await problem(await ask("/api/cameras/cam01/pause"));
    expect(answer).toMatchObject({ status: 503, code: "unavailable" });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(answer.detail).not.toMatch(/[\u0000-\u001f]/);
  });
});

describe("asking", () => {
  test("a node that is not linked: 503, and since when", async () => {
    const response = await ask("/api/cameras/cam01/pause");
    expect(response.headers.get("retry-after")).not.toBeNull();
    expect(await problem(response)).toMatchObject({
      status: 503,
      code: "unavailable",
      detail: expect.stringMatching(/node01 is not linked to this hub: not since 20\d\d-/),
    });
    const registration = {
      ...registerRequest(),
      node_id: "node09",
      cameras: [{ camera_id: "cam09", name: "x", source: "test" }],
    };
    await hub.post("/api/nodes/register", registration, hub.nodeKey);
    expect((await problem(await ask("/api/cameras/cam09/pause"))).detail).toContain(
      "not linked since the hub",
    );
  });

  test("cameras, nodes and uploads that are not there: 404", async () => {
    const node = await link();
    node.answers.set("cancel_upload", () => ({
      problem: { title: "not_found", status: 404, code: "not_found", detail: "no such segment waits" },
    }));
    expect((await ask("/api/cameras/nothing/pause")).status).toBe(404);
    expect((await hub.get("/api/nodes/nothing/status")).status).toBe(404);
    expect((await ask(`/api/nodes/node01/uploads/${videoId}/cancel`)).status).toBe(404);
    expect((await ask("/api/nodes/node01/uploads/1/cancel")).status).toBe(400);
    expect((await hub.get("/api/nodes/node01/uploads?limit=501")).status).toBe(400);
    expect((await hub.get("/api/nodes/node01/uploads?limit=1&x=2")).status).toBe(400);
  });

  test("what this release of the edge cannot do: 501", async () => {
    await link({ methods: [] });
    expect(await problem(await ask("/api/cameras/cam01/pause"))).toMatchObject({
      status: 501,
      code: "not_supported",
      detail: expect.stringContaining("0.1.0"),
    });
  });

  test("refused fields come back by name", async () => {
    const node = await link();
    expect(await problem(await ask("/api/cameras/cam01/configure", "POST", { fps: 1000 }))).toMatchObject({
      status: 400,
      issues: [{ path: "fps" }],
    });
    node.answers.set("configure", () => ({
      problem: {
        title: "invalid_input",
        status: 400,
        code: "invalid_input",
        detail: "the camera cannot",
        issues: [{ path: "settings.fps", message: "expected at most 30" }],
      },
    }));
    expect(await problem(await ask("/api/cameras/cam01/configure", "POST", { fps: 60 }))).toMatchObject({
      status: 400,
      issues: [{ path: "settings.fps", message: "expected at most 30" }],
    });
  });

  test("a picture comes as the node sent it, never to be cached", async () => {
    const node = await link();
    const payload = crypto.getRandomValues(new Uint8Array(60_000));
    payload.set([0xff, 0xd8, 0xff]);
    node.answers.set("snapshot", (_, id) =>
      formatLinkFrame({
        header: { type: "snapshot", id, camera_id: "cam01", media_type: "image/jpeg" },
        payload,
      }),
    );
    const response = await hub.get("/api/cameras/cam01/snapshot");
    expect(response.headers.get("content-type")).toBe("image/jpeg");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.bytes()).toEqual(payload);
  });

  test("a link that breaks meanwhile is told to whoever waits", async () => {
    const node = await link();
    node.answers.set("pause", () => {
      node.close();
      return undefined;
    });
    expect(await problem(await ask("/api/cameras/cam01/pause"))).toMatchObject({
      status: 503,
      detail: expect.stringContaining("may have been done"),
    });
  });

  test("more than the node can be asked at once is refused at once", async () => {
    const node = await link();
    const waiting: string[] = [];
    node.answers.set("uploads", (_, id) => {
      waiting.push(id);
      return undefined;
    });
    const asked = Array.from({ length: 40 }, () => hub.get("/api/nodes/node01/uploads"));
    const refused = await Promise.race(
      asked.map(async (each) =>
        (await each).status === 503 ? each : new Promise<Response>(() => undefined),
      ),
    );
    expect((await problem(await refused)).detail).toContain("32 requests");
    while (waiting.length < 32) await Bun.sleep(5);
    for (const id of waiting) node.send({ type: "response", id, result: { uploads: [], total: 0 } });
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(32);
  });
});

test("a node that does not answer in time: 504, by its own word and without any", async () => {
  const node = await link();
  node.answers.set("pause", () => ({
    problem: { title: "timeout", status: 503, code: "timeout", detail: "not within 15000 ms" },
  }));
  expect(await problem(await ask("/api/cameras/cam01/pause"))).toMatchObject({
    status: 504,
    code: "no_answer",
  });

  const logger = createLogger("test");
  const links = new NodeLinks({ softwareVersion: "test", pingSeconds: 60, clock: systemClock, logger });
  const events = links.accept("node01", async () => true);
  events.open({
    send: () => undefined,
    bufferedBytes: () => 0,
    close: () => undefined,
    terminate: () => undefined,
  });
  events.message(JSON.stringify(helloOf("node01")));
  const nodeOfCamera = async () => "node01";
  const remote = createRemoteNodes({
    links,
    nodeOfCamera,
    checkNode: async () => undefined,
    logger,
    deadlineMs: 10,
  });
  await expect(remote.pause("cam01", { who: "test", requestId: "1" })).rejects.toMatchObject({
    code: "no_answer",
  });
  events.close(1000, "");
});

test("the end of the hub is told to every node, and does not wait for those who do not listen", async () => {
  const own = await openTestHub();
  const node = await LinkedNode.link(own.url, "node01", own.nodeKey);
  await own[Symbol.asyncDispose]();
  expect(await node.isClosed()).toMatchObject({ code: 1001, reason: "the hub stops" });
});
