import { afterEach, describe, expect, test } from "bun:test";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { Hono } from "hono";
import { AppError } from "../../../src/common/errors.ts";
import { createLogger } from "../../../src/common/log.ts";
import { createApp } from "../../../src/hub/app.ts";
import { allow } from "../../../src/hub/http/access.ts";
import type { AppEnv } from "../../../src/hub/http/app-env.ts";
import { readBody } from "../../../src/hub/http/json-body.ts";

afterEach(() => reset());

async function logged(
  level: "debug" | "info",
  request: Request,
): Promise<{ response: Response; records: LogRecord[] }> {
  const records: LogRecord[] = [];
  await configure({
    reset: true,
    sinks: { list: (record) => void records.push(record) },
    loggers: [
      { category: "livecam", lowestLevel: level, sinks: ["list"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
    ],
  });
  const routes = new Hono<AppEnv>()
    .get("/api/fine", allow("read"), (c) => c.json({}))
    .get("/api/broken", allow("read"), () => {
      throw new Error("SELECT secret FROM /data/catalog.db");
    })
    .get("/api/away", allow("read"), () => {
      throw new AppError("unavailable", "the archive is away", { cause: new Error("EIO /mnt/nas") });
    });
  const { app } = createApp({
    logger: createLogger("http"),
    authenticator: {
      principalOfKey: async () => ({ kind: "client", keyId: "k1", name: "x" }),
      principalOfSession: async () => undefined,
    },
    publicOrigin: undefined,
    routes: [routes],
  });
  return { response: await app.fetch(request, { addressOf: () => "10.0.0.9" }), records };
}

const get = (path: string, headers: Record<string, string> = { authorization: "Bearer x" }) =>
  new Request(`http://hub.test${path}`, { headers });

describe("the log of requests", () => {
  test("has one line for each, with id, path and who, and without the query", async () => {
    const { response, records } = await logged("debug", get("/api/fine?token=hunter2"));
    expect(records).toHaveLength(1);
    expect(records[0]?.properties).toEqual({
      request_id: response.headers.get("x-request-id"),
      method: "GET",
      path: "/api/fine",
      status: 200,
      duration_ms: expect.any(Number),
      from: "10.0.0.9",
      who: "client:k1",
    });
    expect(JSON.stringify(records)).not.toContain("hunter2");
  });

  test("at info level only what was refused", async () => {
    expect((await logged("info", get("/api/fine"))).records).toHaveLength(0);
    const { records } = await logged("info", get("/api/fine", {}));
    expect(records).toHaveLength(1);
    expect(records[0]?.properties).toMatchObject({ status: 401, who: "anonymous" });
  });

  test("shortens long paths and keeps none of their control characters as they are", async () => {
    const { records } = await logged("info", get(`/api/%0d%0a%1b[31m${"x".repeat(5_000)}`));
    expect(String(records[0]?.properties.path).length).toBeLessThanOrEqual(200);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for them is the point
    expect(JSON.stringify(records[0]?.properties)).not.toMatch(/[\u0000-\u001f]/);
  });

  test("an error that is not ours is in the log with its request, and not in the answer", async () => {
    const { response, records } = await logged("info", get("/api/broken"));
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).not.toContain("SELECT");
    const id = response.headers.get("x-request-id") ?? "";
    expect(text).toContain(id);
    const error = records.find(({ level }) => level === "error");
    expect(error?.properties).toMatchObject({ request_id: id, error: expect.stringContaining("SELECT") });
  });

  test("an error of ours is told, its cause is not", async () => {
    const { response, records } = await logged("info", get("/api/away"));
    expect(response.status).toBe(503);
    // Errors are counted; this is none of the hub's.
    expect(records.map(({ level }) => level)).toEqual(["warning", "info"]);
    expect(response.headers.get("retry-after")).toBe("5");
    const text = await response.text();
    expect(text).toContain("the archive is away");
    expect(text).not.toContain("/mnt/nas");
  });
});

test("a body that never comes to its end is 408, and let go", async () => {
  let cancelled = false;
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(Buffer.from("{")),
    cancel: () => {
      cancelled = true;
    },
  });
  const answer = await readBody(new Request("http://hub.test/", { method: "POST", body }), 100, 20);
  expect(answer).toBeInstanceOf(Response);
  expect((answer as Response).status).toBe(408);
  expect(cancelled).toBe(true);
});
