import { expect, test } from "bun:test";
import { join } from "node:path";
import { ControlClient } from "../../src/edge/control/control-client.ts";
import { EdgeProcess, makeEdgeSite } from "../support/edge-process.ts";
import { temporaryFolder } from "../support/sample-recording.ts";
import { openTestHub } from "../support/test-hub.ts";

/** Twice the time of a frame, and what the wire's milliseconds round off. */
const leastMs = 100 + 2;

interface Span {
  fromMs: number;
  toMs: number;
  cause?: string;
}

test("killed, stopped and paused: the hub's videos and gaps together are the whole time", async () => {
  await using folder = await temporaryFolder();
  await using hub = await openTestHub();
  const cameraId = `t${crypto.randomUUID().slice(0, 8)}`;
  const site = await makeEdgeSite(folder.path, {
    hubUrl: hub.url,
    apiKey: hub.nodeKey,
    cameras: [
      {
        id: cameraId,
        source: { type: "test", width: 192, height: 108, fps: 20, bitrate: 60_000, keyframe_seconds: 0.25 },
      },
    ],
    config: { upload: { destination: { type: "path", path: join(hub.folder, "archive") } } },
  });
  const client = new ControlClient(site.socket);
  const live = async (work: (edge: EdgeProcess) => Promise<unknown>) => {
    const edge = new EdgeProcess(site);
    try {
      // What is acknowledged may be what a crash left: that this process records, too, is another thing.
      await edge.logged("acknowledged", 1);
      while (!(await client.status().catch(() => undefined))?.cameras[0]?.last_fragment_at)
        await Bun.sleep(50);
      await work(edge);
    } finally {
      edge.kill("SIGKILL");
      await edge.exited;
    }
  };
  await live(async (edge) => edge.kill("SIGKILL"));
  await live(async (edge) => edge.stop());
  await live(async (edge) => {
    await client.post(`/cameras/${cameraId}/pause`);
    await Bun.sleep(1000);
    await client.post(`/cameras/${cameraId}/resume`);
    await edge.logged("acknowledged", 3);
    while (!(await (await hub.get("/api/gaps")).text()).includes("paused")) await Bun.sleep(50);
    await edge.stop();
  });

  const read = async <T>(path: string) => (await (await hub.get(path)).json()) as T;
  const { videos } = await read<{ videos: { start_time: string; end_time: string }[] }>(
    "/api/videos?limit=500",
  );
  const { gaps } = await read<{ gaps: { from_time: string; to_time: string; cause: string }[] }>("/api/gaps");
  const spans: Span[] = [
    ...videos.map((video) => ({ fromMs: Date.parse(video.start_time), toMs: Date.parse(video.end_time) })),
    ...gaps.map(({ from_time, to_time, cause }) => ({
      ...{ fromMs: Date.parse(from_time), toMs: Date.parse(to_time), cause },
    })),
  ].sort((one, other) => one.fromMs - other.fromMs);
  const causes = spans.flatMap(({ cause }) => (cause ? [cause] : []));
  expect(causes).toEqual(["node_down", "node_stopped", "paused"]);
  for (const [i, span] of spans.slice(1).entries()) {
    expect(Math.abs(span.fromMs - (spans[i]?.toMs ?? 0))).toBeLessThan(leastMs);
  }
});
