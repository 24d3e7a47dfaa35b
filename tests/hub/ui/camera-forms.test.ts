import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/common/errors.ts";
import type { CameraStatus } from "../../../src/common/protocol/node.ts";
import type { Principal } from "../../../src/hub/http/app-env.ts";
import { createCameraForms } from "../../../src/hub/ui/camera-forms.routes.ts";
import { nodeOf, usualData } from "./page-data.ts";
import { createPageApp } from "./page-server.ts";

const viewer: Principal = { kind: "person", userId: 2, name: "vera", role: "viewer" };
const linked = { isConnected: true, sinceMs: Date.UTC(2025, 8, 23, 6), reason: undefined };

const recording: CameraStatus = {
  camera_id: "cam01",
  state: "recording",
  message: null,
  width: 1280,
  height: 720,
  codec: null,
  fps: 30,
  bitrate_bps: null,
  last_fragment_at: null,
  run_started_at: null,
  restarts: 0,
};

function setUp(options: { principal?: Principal; isLinked?: boolean; fails?: AppError } = {}) {
  const asked: string[] = [];
  const ask =
    (verb: string) =>
    async (cameraId: string, { who }: { who: string }) => {
      if (options.fails) throw options.fails;
      asked.push(`${verb} ${cameraId} for ${who}`);
    };
  const data = {
    ...usualData(),
    nodes: [nodeOf("site-1", { cameras: [recording] })],
    links: options.isLinked === false ? {} : { "site-1": linked },
  };
  const { app, get } = createPageApp(data, {
    ...(options.principal && { principal: options.principal }),
    routes: [createCameraForms({ remote: { pause: ask("pause"), resume: ask("resume") } })],
  });
  const post = (
    path: string,
    fields: Record<string, string> | string,
    headers: Record<string, string> = {},
  ) =>
    app.request(
      `http://hub.test${path}`,
      {
        method: "POST",
        body: typeof fields === "string" ? fields : new URLSearchParams(fields),
        headers: {
          accept: "text/html",
          cookie: "livecam_session=x",
          host: "hub.test",
          origin: "http://hub.test",
          ...headers,
        },
      },
      { addressOf: () => undefined },
    );
  return { asked, get, post };
}

describe("the buttons of a camera", () => {
  test("pause it, and lead back to where one was", async () => {
    const { asked, get, post } = setUp();
    const html = await (await get("/nodes")).text();
    expect(html).toContain('action="/cameras/cam01/pause"');
    expect(html).toContain("Linked");
    const response = await post("/cameras/cam01/pause", { next: "/nodes?a=1" });
    expect([response.status, response.headers.get("location")]).toEqual([303, "/nodes?a=1"]);
    expect((await post("/cameras/cam01/resume", {})).headers.get("location")).toBe("/nodes");
    expect(asked).toEqual(["pause cam01 for person:ada", "resume cam01 for person:ada"]);
  });

  test("are not there for viewers, nor while the node is not linked", async () => {
    const of = async (options: Parameters<typeof setUp>[0]) => (await setUp(options).get("/nodes")).text();
    expect(await of({ principal: viewer })).not.toContain("/pause");
    const away = await of({ isLinked: false });
    expect(away).not.toContain("/pause");
    expect(away).toContain("Not linked");
  });

  test("do nothing for viewers, other sites, odd forms and ways elsewhere", async () => {
    expect((await setUp({ principal: viewer }).post("/cameras/cam01/pause", {})).status).toBe(403);
    const { asked, post } = setUp();
    const path = "/cameras/cam01/pause";
    expect((await post(path, {}, { origin: "http://evil.test" })).status).toBe(403);
    expect((await post(path, {}, { origin: "null" })).status).toBe(403);
    expect((await post(path, '{"next":"/"}', { "content-type": "application/json" })).status).toBe(400);
    expect((await post(path, { next: "//evil.test/" })).status).toBe(400);
    expect((await post(path, { next: "https://evil.test/" })).status).toBe(400);
    expect((await post(path, { next: `/${"x".repeat(10_000)}` })).status).toBe(400);
    expect((await post("/cameras/..%2f/pause", {})).status).toBe(400);
    expect(asked).toEqual([]);
  });

  test("a node that cannot do it is told on a page", async () => {
    const detail = "node site-1 is not linked to this hub: not since 2025-09-23T06:00:00.000Z";
    const { post } = setUp({ fails: new AppError("unavailable", detail) });
    const response = await post("/cameras/cam01/pause", {});
    expect(response.status).toBe(503);
    expect(response.headers.get("content-type")).toContain("text/html");
    expect(await response.text()).toContain(detail);
  });
});
