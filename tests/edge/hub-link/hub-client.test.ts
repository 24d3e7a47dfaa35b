import { describe, expect, test } from "bun:test";
import { Secret } from "../../../src/common/secret.ts";
import { HubClient } from "../../../src/edge/hub-link/hub-client.ts";
import { announcedVideo } from "../../support/announced-video.ts";
import { type FakeHub, fakeHubKey, problem, startFakeHub } from "../../support/fake-hub.ts";

const client = (hub: { url: string }, options: { timeoutMs?: number; key?: string } = {}) =>
  new HubClient({
    hubUrl: hub.url,
    apiKey: new Secret(options.key ?? fakeHubKey),
    timeoutMs: 10_000,
    ...options,
  });

const announce = (hub: FakeHub, options = {}, signal?: AbortSignal) =>
  client(hub, options).announce({ protocol_version: 1, videos: [announcedVideo()] }, signal);

test("a conflict is an answer", async () => {
  await using hub = startFakeHub();
  const video = announcedVideo();
  const api = client(hub);
  const results = [];
  for (const file_sha256 of [video.file_sha256, video.file_sha256, "00".repeat(32)]) {
    results.push(
      ...(await api.announce({ protocol_version: 1, videos: [{ ...video, file_sha256 }] })).results,
    );
  }
  expect(results.map(({ result }) => result)).toEqual(["stored", "duplicate", "conflict"]);
});

test("a hub behind a path is reached", async () => {
  await using hub = startFakeHub();
  let path = "";
  hub.fault = (request) => {
    path = new URL(request.url).pathname;
    return undefined;
  };
  for (const suffix of ["/livecam", "/livecam/"]) {
    await client({ url: hub.url + suffix })
      .announce({ protocol_version: 1, videos: [announcedVideo()] })
      .catch(() => 0);
    expect(path).toBe("/livecam/api/videos/announce");
  }
});

describe("throws", () => {
  const answers: [string, () => Response, object][] = [
    ["401", () => problem(401, "unauthorized"), { code: "unauthorized" }],
    ["403", () => problem(403, "forbidden"), { code: "forbidden" }],
    ["400", () => problem(400, "invalid_input"), { code: "invalid_input" }],
    ["413", () => problem(413, "invalid_input"), { code: "invalid_input" }],
    ["500", () => problem(500, "internal"), { code: "unavailable" }],
    [
      "503 with Retry-After",
      () => problem(503, "unavailable", { "retry-after": "7" }),
      { code: "unavailable", details: { status: 503, retryAfterMs: 7000 } },
    ],
    [
      "429 with a Retry-After of a century",
      () => problem(429, "unavailable", { "retry-after": "999999999" }),
      { code: "unavailable", details: { status: 429, retryAfterMs: 3_600_000 } },
    ],
    [
      "a redirect",
      () => new Response(null, { status: 302, headers: { location: "/login" } }),
      { code: "unavailable" },
    ],
    ["a proxy's 404", () => new Response("<html>", { status: 404 }), { code: "unavailable" }],
    ["a login page", () => new Response("<html>log in</html>"), { code: "unavailable" }],
    ["an empty 200", () => new Response(""), { code: "unavailable" }],
    ["JSON of another kind", () => Response.json({ results: "none" }), { code: "unavailable" }],
    ["a 409 that is no announce answer", () => Response.json({}, { status: 409 }), { code: "unavailable" }],
    ["an answer without end", () => endless(), { code: "unavailable" }],
  ];
  test.each(answers)("a fitting error for %s", async (_what, answer, expected) => {
    await using hub = startFakeHub();
    hub.fault = answer;
    await expect(announce(hub)).rejects.toMatchObject(expected);
  });

  test("what the hub says is wrong", async () => {
    await using hub = startFakeHub();
    const issues = [{ path: "videos.0.fps", message: "expected a number" }];
    hub.fault = () =>
      Response.json(
        { type: "about:blank", title: "Bad Request", status: 400, code: "invalid_input", issues },
        { status: 400 },
      );
    await expect(announce(hub)).rejects.toMatchObject({
      message: "the hub answered 400: Bad Request: videos.0.fps: expected a number",
    });
  });

  test("a hub that is not there", async () => {
    const hub = startFakeHub();
    await hub[Symbol.asyncDispose]();
    await expect(announce(hub)).rejects.toMatchObject({ code: "unavailable" });
  });

  test.each([
    ["never answers", () => new Promise<Response>(() => undefined)],
    [
      "never ends its answer",
      () => new Response(new ReadableStream({ start: (c) => c.enqueue(Buffer.from("{")) })),
    ],
  ])("a timeout when the hub %s", async (_what, answer) => {
    await using hub = startFakeHub();
    hub.fault = answer;
    await expect(announce(hub, { timeoutMs: 100 })).rejects.toMatchObject({ code: "timeout" });
  });

  test("when it is cancelled", async () => {
    await using hub = startFakeHub();
    const controller = new AbortController();
    hub.fault = () => {
      controller.abort();
      return new Promise<Response>(() => undefined);
    };
    await expect(announce(hub, {}, controller.signal)).rejects.toMatchObject({ code: "cancelled" });
  });

  test("without the key in any text", async () => {
    await using hub = startFakeHub();
    const error = await announce(hub, { key: "lck_wrong_topsecret" }).catch((thrown: unknown) => thrown);
    expect(Bun.inspect(error)).not.toContain("topsecret");
  });
});

function endless(): Response {
  return new Response(
    new ReadableStream({ pull: (controller) => controller.enqueue(Buffer.alloc(65_536, "x")) }),
  );
}
