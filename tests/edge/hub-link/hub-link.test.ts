import { describe, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { systemClock } from "../../../src/common/clock.ts";
import { AppError } from "../../../src/common/errors.ts";
import { createLogger } from "../../../src/common/log.ts";
import { linkLimits } from "../../../src/common/protocol/link.ts";
import { parseLinkFrame } from "../../../src/common/protocol/link-frame.ts";
import { Secret } from "../../../src/common/secret.ts";
import { HubLink, type HubLinkOptions } from "../../../src/edge/hub-link/hub-link.ts";
import type { LinkAnswer, LinkContext } from "../../../src/edge/hub-link/link-commands.ts";
import { type LinkHub, startLinkHub } from "../../support/link-hub.ts";
import { residentBytes } from "../../support/resident-memory.ts";

type Run = (method: string, params: unknown, context: LinkContext) => Promise<LinkAnswer>;

const targetOf = (hubUrl: string) => ({ hubUrl, apiKey: new Secret("lck_test_secret") });

/** A running link to a hub of the test. */
function runLink(
  url: string,
  run: Run = async () => ({ result: {} }),
  options: Partial<HubLinkOptions> = {},
  usualBackoff = false,
) {
  const stop = new AbortController();
  const link = new HubLink({
    nodeId: "node01",
    about: () => ({ software_version: "0.1.0", config_version: "c1" }),
    commands: { methods: ["pause", "snapshot"], run, watch: () => () => undefined },
    clock: systemClock,
    logger: createLogger("test"),
    ...(usualBackoff ? {} : { backoff: { firstMs: 20, maxMs: 100 } }),
    handshakeMs: 2_000,
    ...options,
  });
  link.connectTo(targetOf(url));
  const ended = link.run(stop.signal);
  return {
    link,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

const linked = (hub: LinkHub, link: HubLink) =>
  hub.until(() => (link.state().isConnected ? true : undefined), "the link");
const request = (id: string, more: object = {}) => ({
  type: "request",
  id,
  method: "pause",
  params: { camera_id: "cam01" },
  deadline_ms: 10_000,
  ...more,
});

describe("the connection", () => {
  test("is opened from here, the key in a header, and says hello", async () => {
    await using hub = startLinkHub();
    await using running = runLink(`${hub.url}/livecam/`);
    await linked(hub, running.link);
    const [connection] = hub.connections;
    expect(connection).toMatchObject({
      authorization: "Bearer lck_test_secret",
      path: "/livecam/api/nodes/node01/link",
    });
    expect(hub.heard[0]).toEqual({
      type: "hello",
      link_version: 1,
      node_id: "node01",
      software_version: "0.1.0",
      config_version: "c1",
      methods: ["pause", "snapshot"],
    });
    expect(running.link.state()).toMatchObject({ isConnected: true, lastError: undefined });
  });

  test("comes back when the hub has closed it, and again, further and further apart", async () => {
    await using hub = startLinkHub();
    await using running = runLink(hub.url, undefined, { backoff: { firstMs: 20, maxMs: 10_000, jitter: 0 } });
    for (let i = 1; i <= 5; i++) {
      await hub.until(() => (hub.connections.length >= i ? true : undefined), "a connection");
      await linked(hub, running.link);
      hub.close(1012, "restart");
      await hub.until(() => (hub.closes.length >= i ? true : undefined), "the end");
    }
    const times = hub.connections.map(({ atMs }) => atMs);
    const pauses = times.slice(1).map((atMs, i) => atMs - (times[i] ?? 0));
    // 20, 40, 80, 160 ms and what the machine adds: a link that does not last is no success.
    expect(pauses[3]).toBeGreaterThan(150);
    await hub.until(() => (running.link.state().lastError ? true : undefined), "the reason");
    expect(running.link.state().lastError).toContain("restart (1012)");
  });

  const refusals: [number, string][] = [
    [401, "does not take this node's key"],
    [403, "does not let this node's key link"],
    [404, "older release"],
    [502, "answered 502"],
    [302, "answered 302"],
  ];
  for (const [status, reason] of refusals) {
    test(`is tried again after a ${status}, and the state says why`, async () => {
      await using hub = startLinkHub();
      hub.refusal = () => new Response("no", { status, headers: { location: "/elsewhere" } });
      await using running = runLink(hub.url);
      await hub.until(() => (hub.connections.length >= 3 ? true : undefined), "three tries");
      expect(running.link.state()).toMatchObject({
        isConnected: false,
        lastError: expect.stringContaining(reason),
      });
      expect(hub.connections.every(({ path }) => path === "/api/nodes/node01/link")).toBe(true);
      hub.refusal = undefined;
      await linked(hub, running.link);
    });
  }

  test("waits long when another process speaks for the same node", async () => {
    await using hub = startLinkHub();
    await using running = runLink(hub.url);
    await linked(hub, running.link);
    hub.close(4001, "a newer connection");
    await hub.until(() => (running.link.state().isConnected ? undefined : true), "the end");
    await Bun.sleep(400);
    expect(hub.connections).toHaveLength(1);
    expect(running.link.state().lastError).toContain("two must not have the same");
    expect(running.link.state().displaced).toBe(1);
    // That the hub answers is no reason to push the other one out.
    running.link.hubIsBack();
    await Bun.sleep(100);
    expect(hub.connections).toHaveLength(1);
  });

  test("does not wait for its turn when the hub is known to be back", async () => {
    await using hub = startLinkHub();
    hub.refusal = () => new Response(null, { status: 503 });
    const anHour = { firstMs: 3_600_000, maxMs: 3_600_000, jitter: 0 };
    await using running = runLink(hub.url, undefined, { backoff: anHour });
    await hub.until(() => (running.link.state().lastError ? true : undefined), "the refusal");
    hub.refusal = undefined;
    running.link.hubIsBack();
    await linked(hub, running.link);
  });

  test("a hub that comes back is not met by all its nodes at once", async () => {
    await using hub = startLinkHub();
    hub.refusal = () => new Response(null, { status: 503 });
    await using stack = new AsyncDisposableStack();
    for (let i = 0; i < 100; i++) stack.use(runLink(hub.url, undefined, {}, true));
    await hub.until(() => (hub.connections.length >= 200 ? true : undefined), "the second try of each");
    const times = hub.connections.slice(100, 200).map(({ atMs }) => atMs);
    times.sort((one, other) => one - other);
    // Of two seconds, evenly: the middle eighty of them take more than one and a half.
    expect((times[89] ?? 0) - (times[9] ?? 0)).toBeGreaterThan(250);
  }, 60_000);

  test("goes to another hub when it is told to", async () => {
    await using first = startLinkHub();
    await using second = startLinkHub();
    await using running = runLink(first.url);
    await linked(first, running.link);
    running.link.connectTo(targetOf(second.url));
    await second.until(() => (second.heard.length > 0 ? true : undefined), "a hello");
    expect(first.closes[0]).toMatchObject({ code: 4006 });
    await linked(second, running.link);
    running.link.connectTo(undefined);
    await second.until(() => second.closes[0], "the end");
    await second.until(() => (running.link.state().isConnected ? undefined : true), "the end here");
    await second.until(() => (running.link.state().lastError ? undefined : true), "that nothing is wrong");
    expect(running.link.state()).toMatchObject({ isWanted: false, isConnected: false });
  });

  test("a hub that says nothing after the upgrade is given up", async () => {
    await using hub = startLinkHub();
    hub.welcome = undefined;
    await using running = runLink(hub.url, undefined, { handshakeMs: 100 });
    await hub.until(() => (hub.closes.length >= 2 ? true : undefined), "two ends");
    expect(running.link.state().isConnected).toBe(false);
    expect(running.link.state().lastError).toContain("no welcome");
  });

  test("a hub that falls silent is noticed by the pings", async () => {
    await using hub = startLinkHub();
    hub.welcome = { ...hub.welcome, ping_seconds: 0.05 };
    await using running = runLink(hub.url);
    // It hears the pings and answers none of them.
    await hub.until(
      () => (hub.heard.filter(({ type }) => type === "ping").length >= 2 ? true : undefined),
      "pings",
    );
    await hub.until(() => (hub.connections.length >= 2 ? true : undefined), "another try");
    expect(hub.closes[0]?.code).toBe(1006);
    await using _ = running;
  });
});

describe("requests", () => {
  test("are answered with what the verb gives, and with why not", async () => {
    await using hub = startLinkHub();
    await using running = runLink(hub.url, async (method) => {
      if (method === "pause") return { result: { done: true } };
      if (method === "big") return { result: "x".repeat(linkLimits.textBytes) };
      if (method === "bug") throw new TypeError("undefined is not a function");
      throw new AppError("invalid_input", "not valid", { issues: [{ path: "a", message: "b" }] });
    });
    await linked(hub, running.link);
    for (const method of ["pause", "big", "bug", "wrong"]) hub.send(request(method, { method }));
    expect(await hub.answer("pause")).toMatchObject({ result: { done: true } });
    expect(await hub.answer("big")).toMatchObject({ problem: { code: "invalid_input", status: 400 } });
    expect(await hub.answer("bug")).toMatchObject({ problem: { code: "internal", status: 500 } });
    expect(await hub.answer("wrong")).toMatchObject({
      problem: { code: "invalid_input", issues: [{ path: "a", message: "b" }] },
    });
  });

  test("a picture is a binary message that says which request it answers", async () => {
    await using hub = startLinkHub();
    const jpeg = crypto.getRandomValues(new Uint8Array(300_000));
    await using running = runLink(hub.url, async () => ({ jpeg, cameraId: "cam01" }));
    await linked(hub, running.link);
    hub.send(request("s1", { method: "snapshot" }));
    const bytes = await hub.until(() => hub.frames[0], "a picture");
    const frame = parseLinkFrame(new Uint8Array(bytes));
    expect(frame?.header).toEqual({
      type: "snapshot",
      id: "s1",
      camera_id: "cam01",
      media_type: "image/jpeg",
    });
    expect(frame?.payload).toEqual(jpeg);
  });

  test("a part of a segment is a binary message that says where it is from", async () => {
    await using hub = startLinkHub();
    const part = crypto.getRandomValues(new Uint8Array(60_000));
    const videoId = "01997563-54c0-7a4e-8e0a-2f6b1c9d3e5f";
    await using running = runLink(hub.url, async (_method, _params, { parts, signal }) => ({
      ...{ part: await parts.take(async () => part, signal), videoId, start: 1312 },
    }));
    await linked(hub, running.link);
    hub.send(request("p1", { method: "read_segment" }));
    const frame = parseLinkFrame(new Uint8Array(await hub.until(() => hub.frames[0], "a part")));
    expect(frame?.header).toEqual({ type: "segment_part", id: "p1", video_id: videoId, start: 1312 });
    expect(frame?.payload).toEqual(part);
  });

  test("a picture that is too large is a problem, not the end of the link", async () => {
    await using hub = startLinkHub();
    const jpeg = new Uint8Array(linkLimits.binaryBytes + 1);
    await using running = runLink(hub.url, async () => ({ jpeg, cameraId: "cam01" }));
    await linked(hub, running.link);
    hub.send(request("s1", { method: "snapshot" }));
    expect(await hub.answer("s1")).toMatchObject({ problem: { code: "invalid_input" } });
    expect(running.link.state().isConnected).toBe(true);
  });

  test("one that takes too long is answered at its deadline, once, and told to stop", async () => {
    await using hub = startLinkHub();
    const late = Promise.withResolvers<LinkAnswer>();
    let told = false;
    await using running = runLink(hub.url, (_method, _params, { signal }) => {
      signal.addEventListener("abort", () => {
        told = true;
      });
      return late.promise;
    });
    await linked(hub, running.link);
    hub.send(request("slow", { deadline_ms: 50 }));
    expect(await hub.answer("slow")).toMatchObject({ problem: { code: "timeout" } });
    expect(told).toBe(true);
    late.resolve({ result: {} });
    hub.send({ type: "ping", id: "after" });
    await hub.until(() => hub.heard.find(({ type }) => type === "pong"), "a pong");
    expect(hub.heard.filter(({ id }) => id === "slow")).toHaveLength(1);
  });

  test("more than a few at once are refused at once, and work that hangs is never piled up", async () => {
    await using hub = startLinkHub();
    let started = 0;
    await using running = runLink(hub.url, () => {
      started++;
      return new Promise(() => undefined);
    });
    await linked(hub, running.link);
    for (let i = 0; i < 100; i++) hub.send(request(`r${i}`));
    expect(await hub.answer("r99")).toMatchObject({ problem: { code: "unavailable" } });
    expect(started).toBe(8);
    hub.send(request("r0"));
    expect(await hub.answer("r0")).toMatchObject({ problem: { code: "conflict" } });
  });
});

describe("a hub that misbehaves", () => {
  const garbage: (string | Uint8Array<ArrayBuffer>)[] = [
    "{",
    "[]",
    '{"type":"constructor"}',
    '{"type":"hello"}',
    '{"type":"later_message","id":"1"}',
    '{"type":"request","id":"../x","method":"pause","deadline_ms":1000}',
    '{"type":"request","id":"1","method":"pause","deadline_ms":1e300}',
    '{"type":"request","id":"1","method":5,"deadline_ms":1000}',
    "[".repeat(100_000),
    new Uint8Array([1, 0, 0, 2, 123, 125]),
  ];
  for (const message of garbage) {
    test(`${typeof message === "string" ? message.slice(0, 70) : "a binary message"}: told so, and the link goes on`, async () => {
      await using hub = startLinkHub();
      await using running = runLink(hub.url);
      await linked(hub, running.link);
      hub.send(message);
      await hub.until(() => hub.heard.find(({ type }) => type === "error"), "an error");
      hub.send(request("1"));
      expect(await hub.answer("1")).toMatchObject({ result: {} });
    });
  }

  test("a thousand messages of garbage: the link is ended, and comes back", async () => {
    await using hub = startLinkHub();
    await using running = runLink(hub.url);
    await linked(hub, running.link);
    for (let i = 0; i < 1000; i++) hub.send("garbage");
    await hub.until(() => (hub.connections.length >= 2 ? true : undefined), "another try");
    expect(hub.closes[0]?.code).toBe(4002);
    await linked(hub, running.link);
  });

  test("a flood of requests: the link is ended", async () => {
    await using hub = startLinkHub();
    await using running = runLink(hub.url);
    await linked(hub, running.link);
    for (let i = 0; i < 5000; i++) hub.send({ type: "pong", id: "1" });
    await hub.until(() => hub.closes[0], "the end");
    expect(hub.closes[0]?.code).toBe(4003);
  });

  test("a message of 9 MB: the link is ended", async () => {
    await using hub = startLinkHub();
    await using running = runLink(hub.url);
    await linked(hub, running.link);
    hub.send("x".repeat(9_000_000));
    await hub.until(() => hub.closes[0], "the end");
    expect(hub.closes[0]?.code).toBe(1009);
  });
});

test("a hub that asks for picture after picture and reads none of them does not grow this process", async () => {
  const reader = await startHubThatDoesNotRead();
  const jpeg = new Uint8Array(4_000_000);
  let made = 0;
  await using running = runLink(reader.url, async () => {
    made++;
    return { jpeg, cameraId: "cam01" };
  });
  while (!running.link.state().isConnected) await Bun.sleep(5);
  const before = residentBytes();
  for (let i = 0; i < 300; i++) {
    reader.send(JSON.stringify(request(`s${i}`, { method: "snapshot" })));
    await Bun.sleep(1);
  }
  while (made < 300 && running.link.state().isConnected) await Bun.sleep(5);
  expect(made).toBeGreaterThan(10);
  // 300 pictures would be 1.2 GB.
  expect(residentBytes() - before).toBeLessThan(150_000_000);
  await reader[Symbol.asyncDispose]();
});

/** Speaks just enough of RFC 6455 by hand: Bun's server always reads. */
async function startHubThatDoesNotRead() {
  let client: Socket | undefined;
  const frame = (text: string) => {
    const payload = Buffer.from(text);
    const header =
      payload.length < 126
        ? Buffer.from([0x81, payload.length])
        : Buffer.from([0x81, 126, payload.length >> 8, payload.length & 255]);
    return Buffer.concat([header, payload]);
  };
  const server = createServer((socket) => {
    client = socket;
    socket.on("error", () => undefined);
    socket.once("data", (head) => {
      socket.pause();
      const key = /sec-websocket-key: (\S+)/i.exec(head.toString())?.[1];
      const accept = new Bun.CryptoHasher("sha1")
        .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest("base64");
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      socket.write(
        frame(
          JSON.stringify({
            type: "welcome",
            link_version: 1,
            software_version: "x",
            server_time: "2025-09-23T06:00:00.000Z",
            ping_seconds: 300,
          }),
        ),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    send: (text: string) => client?.write(frame(text)),
    async [Symbol.asyncDispose]() {
      client?.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
