import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../src/common/errors.ts";
import type { PartStatus } from "../../../src/hub/health/health-service.ts";
import { createHealthService } from "../../../src/hub/health/system-health-service.ts";
import type { NodeInfo, NodeState } from "../../../src/hub/nodes/node-service.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";

const clock = { wallMs: () => 1_000, monotonicMs: () => 0 };
const ok: PartStatus = { state: "ok", message: "", figures: {}, checkedAtMs: 0 };

function service(options: {
  nodes?: NodeState[];
  archive?: PartStatus;
  catalogFails?: boolean;
  dataPath?: string;
}) {
  return createHealthService({
    catalog: {
      ping: async () => {
        if (options.catalogFails) throw new AppError("io", "the catalog cannot answer");
      },
    },
    nodes: {
      list: async () =>
        (options.nodes ?? []).map((status) => ({ status, alerts: [] as NodeInfo["alerts"] }) as NodeInfo),
    },
    archive: () => options.archive ?? ok,
    dataPath: options.dataPath ?? "/tmp",
    clock,
  });
}

describe("the system", () => {
  test("is ok when every part is", async () => {
    const status = await service({ nodes: ["online"] }).status();
    expect(status.state).toBe("ok");
    expect(Object.values(status.parts).every(({ state }) => state === "ok")).toBe(true);
    expect((await service({}).status()).state).toBe("ok");
  });

  test("is degraded by nodes that are silent and by an archive that is down, and says which", async () => {
    const nodes = await service({ nodes: ["online", "late", "offline", "never_seen"] }).status();
    expect(nodes).toMatchObject({
      state: "degraded",
      parts: {
        nodes: {
          state: "degraded",
          message: "3 of 4 nodes are not online",
          findings: ["nodes_silent"],
          figures: { online: 1, late: 1, critical_alerts: 0 },
        },
      },
    });
    const archive = await service({ archive: { ...ok, state: "down" } }).status();
    expect(archive).toMatchObject({ state: "degraded", parts: { archive: { state: "down" } } });
  });

  test("is down without its catalog, and a part that cannot be looked at is down", async () => {
    expect(await service({ catalogFails: true }).status()).toMatchObject({
      state: "down",
      parts: { catalog: { state: "down", message: "the catalog cannot answer" } },
    });
    expect(await service({ dataPath: "/no/such/folder" }).status()).toMatchObject({
      state: "degraded",
      parts: { disk: { state: "down" } },
    });
  });
});

describe("over HTTP", () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await openTestHub();
  });
  afterAll(() => hub[Symbol.asyncDispose]());

  const health = async () => {
    const response = await hub.get("/api/health");
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  test("every part has state, message, figures and time; the archive was looked at and made", async () => {
    // The first look is on its way while the hub is already serving.
    let { body } = await health();
    const deadline = performance.now() + 20_000;
    const archiveState = () => (body.parts as Record<string, { state: string }>).archive?.state;
    while (archiveState() !== "ok" && performance.now() < deadline) {
      await Bun.sleep(20);
      ({ body } = await health());
    }
    const part = (figures: object) => ({
      state: "ok",
      message: expect.any(String),
      figures,
      checked_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(body).toEqual({
      state: "ok",
      parts: {
        catalog: part({ answer_ms: expect.any(Number) }),
        archive: part({
          archive_id: expect.any(String),
          free_bytes: expect.any(Number),
          total_bytes: expect.any(Number),
        }),
        nodes: part({ online: 0, late: 0, offline: 0, never_seen: 0, critical_alerts: 0, warning_alerts: 0 }),
        disk: part({ free_bytes: expect.any(Number), total_bytes: expect.any(Number) }),
      },
      software_version: expect.any(String),
      uptime_seconds: expect.any(Number),
      checked_at: expect.any(String),
    });
    const registered = await hub.post(
      "/api/nodes/register",
      {
        protocol_version: 1,
        node_id: "pi1",
        software_version: "1",
        time_zone: "UTC",
        config_version: "c",
        segment_seconds: 600,
        cameras: [{ camera_id: "cam01", name: "", source: "test" }],
      },
      hub.nodeKey,
    );
    const parts = body.parts as { archive: { figures: { archive_id: string } } };
    expect(await registered.json()).toMatchObject({ archive_id: parts.archive.figures.archive_id });
  });

  test("live needs no credential and nothing else", async () => {
    const response = await hub.get("/api/health/live", {});
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ live: true });
  });

  test("a hub whose archive is missing serves all the same", async () => {
    await using other = await openTestHub({ config: { archive_path: "/no/such/archive" } });
    expect((await other.get("/api/videos")).status).toBe(200);
    const response = await other.get("/api/health");
    expect(response.status).toBe(200);
    expect(((await response.json()) as { state: string }).state).toBe("degraded");
  });

  test("a hub whose database was closed under it says so with 503, and stays alive", async () => {
    await using other = await openTestHub();
    await rename(join(other.folder, "data"), join(other.folder, "moved"));
    const response = await other.get("/api/health");
    expect([200, 503]).toContain(response.status);
    expect((await other.get("/api/health/live", {})).status).toBe(200);
  });
});
