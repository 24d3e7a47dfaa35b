import { describe, expect, test } from "bun:test";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startChild } from "../../../src/common/child-process.ts";
import { AppError } from "../../../src/common/errors.ts";
import { createLogger } from "../../../src/common/log.ts";
import type { EdgeStatus, Upload } from "../../../src/common/protocol/control.ts";
import { createControlApp } from "../../../src/edge/control/control-app.ts";
import { ControlClient } from "../../../src/edge/control/control-client.ts";
import { serveControl } from "../../../src/edge/control/control-server.ts";
import type { ControlledNode } from "../../../src/edge/control/controlled-node.ts";
import { heartbeatRequest } from "../../support/node-reports.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";

const videoId = "01997000-0000-7000-8000-000000000001";

function fakeNode() {
  const { protocol_version, sent_at, ...report } = heartbeatRequest();
  const calls: unknown[] = [];
  const status: EdgeStatus = {
    ...report,
    node_id: "node01",
    started_at: sent_at,
    spool: { ...report.spool, quarantined_segments: 0, conflicting_segments: 0 },
    uploads: { state: "uploading", bytes_per_second: 1_500_000, eta_seconds: 11_460, last_error: null },
    hub: { url: "http://hub", registered: true, last_heartbeat_at: sent_at, last_error: null },
    archive: { archive_id: null, abandoned_workers: 0 },
  };
  const upload: Upload = {
    video_id: videoId,
    camera_id: "cam01",
    start_time: sent_at,
    size_bytes: 1000,
    state: "uploading",
    progress: 0.43,
    eta_seconds: 90,
    last_error: null,
  };
  const node: Omit<ControlledNode, "footage"> = {
    status: async () => status,
    camera: (id) =>
      id !== "cam01"
        ? undefined
        : {
            pause: async () => void calls.push("pause"),
            resume: async () => void calls.push("resume"),
            configure: async (settings) => void calls.push(settings),
            watch: () => () => undefined,
            snapshot: async () => {
              throw new AppError("unavailable", "the camera has not given a picture yet");
            },
          },
    uploads: () => [upload],
    cancelUpload: (id) => id === videoId,
    retryUpload: (id) => id === videoId,
    checkArchive: async () => ({ ok: false, reason: "no archive is mounted at /mnt/nas" }),
    reload: async () => {
      throw new AppError("invalid_config", "edge.yaml is not valid", {
        issues: [{ path: "cameras.0.source.fps", message: "expected at most 240", received: "1000" }],
      });
    },
    applyConfig: async () => {
      throw new AppError("conflict", "the config on the node has changed");
    },
    readConfig: async () => ({ text: "node_id: node01\n", version: "0123456789ab" }),
  };
  return { node, calls, status, upload, app: createControlApp({ node, logger: createLogger("control") }) };
}

describe("the routes", () => {
  const post = (app: ReturnType<typeof fakeNode>["app"], path: string, body?: unknown) =>
    app.request(path, { method: "POST", ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

  test("reach a camera", async () => {
    const { app, calls } = fakeNode();
    expect((await post(app, "/cameras/cam01/pause")).status).toBe(204);
    expect((await post(app, "/cameras/cam01/resume")).status).toBe(204);
    const settings = { width: 640, height: 360, bitrate_bps: 500_000 };
    expect((await post(app, "/cameras/cam01/configure", settings)).status).toBe(204);
    expect(calls).toEqual(["pause", "resume", { width: 640, height: 360, bitrateBps: 500_000 }]);
  });

  test.each([
    ["/cameras/cam09/pause", undefined, 404],
    ["/cameras/constructor/pause", undefined, 404],
    ["/cameras/..%2fcam01/pause", undefined, 404],
    ["/cameras/cam01/configure", undefined, 400],
    ["/cameras/cam01/configure", {}, 400],
    ["/cameras/cam01/configure", { width: 1 }, 400],
    ["/cameras/cam01/configure", { width: null }, 400],
    ["/cameras/cam01/configure", { colour: "red" }, 400],
    ["/cameras/cam01/configure", [1], 400],
    ["/uploads/nonsense/cancel", undefined, 400],
    ["/uploads/01997000-0000-7000-8000-0000000000ff/cancel", undefined, 404],
    ["/nothing", undefined, 404],
  ])("answer POST %s with %j by problem %i", async (path, body, status) => {
    const { app, calls } = fakeNode();
    const response = await post(app, path, body);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ status });
    expect(calls).toEqual([]);
  });

  test("say that there is no picture yet", async () => {
    const response = await fakeNode().app.request("/cameras/cam01/snapshot");
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ detail: "the camera has not given a picture yet" });
  });
});

describe("over the socket", () => {
  test("the client gets what the node says", async () => {
    await using folder = await temporaryFolder();
    const { app, status, upload } = fakeNode();
    const path = join(folder.path, "run/edge.sock");
    await using _server = await serveControl(path, app.fetch);
    const client = new ControlClient(path);
    expect(await client.status()).toEqual(status);
    expect(await client.uploads()).toEqual({ uploads: [upload], total: 1 });
    expect(await client.checkArchive()).toEqual({ ok: false, reason: "no archive is mounted at /mnt/nas" });
    await client.post(`/uploads/${videoId}/cancel`);
    await expect(client.snapshot("cam09")).rejects.toMatchObject({ code: "not_found" });
    await expect(client.post("/cameras/cam01/configure", { width: 1 })).rejects.toMatchObject({
      code: "invalid_input",
      issues: [{ path: "width", message: expect.stringContaining("at least 16") }],
    });
  });

  test("only the owner can open it, and it is gone afterwards", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "edge.sock");
    {
      await using _server = await serveControl(path, fakeNode().app.fetch);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
    }
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(new ControlClient(path).status()).rejects.toMatchObject({ code: "unavailable" });
  });

  test("a body longer than anything that can be asked is refused, not kept in memory", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "edge.sock");
    const { app, calls } = fakeNode();
    await using _server = await serveControl(path, app.fetch);
    for (const body of [new Uint8Array(1_000_000), JSON.stringify({ fps: 5, x: "x".repeat(70_000) })]) {
      const { status } = await fetch("http://edge/cameras/cam01/configure", {
        unix: path,
        method: "POST",
        body,
      });
      expect(status).toBe(413);
    }
    expect(calls).toEqual([]);
  });

  test("a socket that a killed process left is replaced, a living one is not", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "edge.sock");
    const script = `Bun.serve({ unix: ${JSON.stringify(path)}, fetch: () => new Response() }); console.log("up")`;
    const child = startChild({ argv: [process.execPath, "-e", script], stdout: "pipe" });
    await child.stdout.getReader().read();
    const { app } = fakeNode();
    await expect(serveControl(path, app.fetch)).rejects.toMatchObject({ code: "already_running" });
    child.kill("SIGKILL");
    await child.exited;
    expect((await stat(path)).isSocket()).toBe(true);
    await using _server = await serveControl(path, app.fetch);
    expect((await new ControlClient(path).status()).node_id).toBe("node01");
  });

  test("a file of that name is left alone, and so is a path that is too long", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "edge.sock");
    await writeFile(path, "precious");
    await expect(serveControl(path, fakeNode().app.fetch)).rejects.toMatchObject({ code: "io" });
    expect(await Bun.file(path).text()).toBe("precious");
    const long = join(folder.path, "x".repeat(120));
    await expect(serveControl(long, fakeNode().app.fetch)).rejects.toMatchObject({ code: "io" });
  });
});
