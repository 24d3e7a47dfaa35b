import { expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startCountingProxy } from "../support/counting-proxy.ts";
import { EdgeProcess, makeEdgeSite } from "../support/edge-process.ts";
import { startHubProcess } from "../support/hub-process.ts";
import { LiveClient } from "../support/live-client.ts";
import { temporaryFolder } from "../support/sample-recording.ts";
import { makeAccounts } from "../support/test-hub.ts";

test("ten viewers, and a player of HLS beside them, cost the camera's node one upload", async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, "data");
  const archive = join(folder.path, "videos");
  await mkdir(archive);
  const { nodeKey, clientKey } = await makeAccounts(data);
  await using hub = await startHubProcess({ data, archive });
  await using proxy = await startCountingProxy(Number(new URL(hub.url).port));
  const site = await makeEdgeSite(folder.path, {
    hubUrl: `http://127.0.0.1:${proxy.port}`,
    apiKey: nodeKey,
    cameras: [
      { id: "cam01", source: { type: "test", width: 640, height: 360, fps: 30, bitrate: 2_000_000 } },
    ],
  });
  const edge = new EdgeProcess(site);
  const headers = { authorization: `Bearer ${clientKey}` };
  const viewers: LiveClient[] = [];
  try {
    await edge.logged("linked to the hub");
    await edge.logged("registered at the hub");
    while (!(await fetch(`${hub.url}/api/cameras/cam01/snapshot`, { headers })).ok) await Bun.sleep(50);
    const before = proxy.bytes();
    for (let i = 0; i < 10; i++) viewers.push(await LiveClient.open(hub.url, "cam01", headers));
    const playlist = await fetch(`${hub.url}/api/cameras/cam01/live.m3u8`, { headers });
    expect(playlist.status).toBe(200);
    for (const viewer of viewers) {
      await viewer.until(() => (viewer.parts.length >= 5 ? true : undefined), "four fragments");
    }
    const sent = proxy.bytes() - before;
    // Of the first, who has been there all the time.
    const received = viewers.map(({ parts }) => parts.reduce((sum, part) => sum + part.byteLength, 0));
    const most = Math.max(...received);
    expect(sent).toBeGreaterThan(most * 0.5);
    // Beside it go heartbeats and the like.
    expect(sent).toBeLessThan(most * 2);
    expect(received.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(sent);
  } finally {
    for (const viewer of viewers) viewer.close();
    edge.kill("SIGKILL");
    await edge.exited;
  }
}, 180_000);
