import { expect, test } from "bun:test";
import * as v from "valibot";
import { HealthConfig, listenAddressOf } from "../../../src/edge/health-config.ts";

const issuesOf = (input: unknown) =>
  (v.safeParse(HealthConfig, input).issues ?? []).map(({ message }) => message);

test.each(["127.0.0.1:9464", "127.1.2.3:1", "localhost:9464", "[::1]:9464"])(
  "%s needs no token",
  (listen) => {
    expect(issuesOf({ metrics_listen: listen })).toEqual([]);
  },
);

test.each(["0.0.0.0:9464", "[::]:9464", "192.168.1.5:9464", "pi.local:9464", "127.0.0.1.evil.org:9464"])(
  "%s needs a token, or to be said to be public",
  (listen) => {
    expect(issuesOf({ metrics_listen: listen })).toEqual([expect.stringContaining("metrics_token")]);
    expect(issuesOf({ metrics_listen: listen, metrics_token: { env: "X" } })).toEqual([]);
    expect(issuesOf({ metrics_listen: listen, metrics_public: true })).toEqual([]);
  },
);

test.each([
  "9464",
  "127.0.0.1",
  "127.0.0.1:99999",
  "http://127.0.0.1:9464",
  "a b:1",
  ":9464",
  "127.0.0.1:9464/x",
])("%s is no address", (listen) => {
  expect(issuesOf({ metrics_listen: listen, metrics_public: true })).not.toEqual([]);
});

test("an address comes apart", () => {
  expect(listenAddressOf("[::1]:9464")).toEqual({ hostname: "::1", port: 9464 });
  expect(listenAddressOf("127.0.0.1:80")).toEqual({ hostname: "127.0.0.1", port: 80 });
});

test("a token never stands in the config", () => {
  expect(issuesOf({ metrics_token: "secret" })).not.toEqual([]);
});
