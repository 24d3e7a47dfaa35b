import { afterAll, beforeAll, expect, test } from "bun:test";
import { newUuidV7 } from "../../../src/common/ids.ts";
import { LinkedNode } from "../../support/linked-node.ts";
import { registerRequest } from "../../support/node-reports.ts";
import { sampleVideo } from "../../support/sample-videos.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";

let hub: TestHub;
let key: string;
let cookie: string;
beforeAll(async () => {
  hub = await openTestHub();
  key = await hub.makeKey("node", "node01");
  cookie = await hub.signIn();
  expect((await hub.post("/api/nodes/register", registerRequest(), key)).status).toBe(200);
});
afterAll(() => hub[Symbol.asyncDispose]());

const startMs = Date.parse("2025-09-23T06:30:00.000Z");
const videoId = newUuidV7(startMs);
const segment = {
  ...{ video_id: videoId, camera_id: "cam01", run_id: "6f1c1d3e-52d8-4f0e-9a43-0c5d2b7f8e11" },
  ...{ sequence: 4, start_time: "2025-09-23T06:30:00.000Z", end_time: "2025-09-23T06:40:00.000Z" },
  ...{ size_bytes: 1000, codec: "avc1.64001f", width: 640, height: 360, clock_state: "synced" },
  ...{ state: "waiting", progress: 0 },
};
const at = encodeURIComponent(segment.start_time);
const pageOf = (path: string, language = "en") =>
  hub.get(path, { cookie, accept: "text/html", "accept-language": language });

test("the day leads to the video's page, which plays it from the node and can have it archived next", async () => {
  const node = await LinkedNode.link(hub.url, "node01", key, {
    methods: ["segments", "segment_index", "prioritise_upload"],
  });
  const asked: unknown[] = [];
  node.answers.set("segments", () => ({ result: { segments: [segment], has_more: false } }));
  node.answers.set("segment_index", () => ({
    result: {
      ...{ video_id: videoId, camera_id: "cam01", is_complete: true, init_size_bytes: 10 },
      ...{ timescale: 1, start_ticks: 0, fragment_count: 1, fragments: [[10, 1, "closed"]] },
    },
  }));
  node.answers.set("prioritise_upload", (params) => {
    asked.push(params);
    return { result: {} };
  });
  const path = `/cameras/cam01/on-edge/${videoId}?at=${at}`;
  expect(await (await pageOf("/cameras/cam01?date=2025-09-23")).text()).toContain(`href="${path}"`);
  for (const [language, words] of [
    ["en", "Archive it next"],
    ["ko", "먼저 보관하기"],
  ] as const) {
    const html = await (await pageOf(path, language)).text();
    expect(html).toContain(words);
    expect(html).toContain(`src="/api/cameras/cam01/on-edge/${videoId}/stream.mp4"`);
  }
  const posted = await fetch(`${hub.url}/cameras/cam01/on-edge/${videoId}/fetch`, {
    method: "POST",
    redirect: "manual",
    headers: { cookie, origin: hub.url },
    body: new URLSearchParams({ next: path }),
  });
  expect([posted.status, posted.headers.get("location")]).toEqual([303, path]);
  expect(asked).toEqual([{ video_id: videoId }]);

  expect((await pageOf(`/cameras/cam01/on-edge/${videoId}`)).status).toBe(400);
  expect((await pageOf(path.replace(videoId, newUuidV7(startMs)))).status).toBe(404);
  // Archived: it has a page like all others, whatever the node still tells.
  await hub.announce([sampleVideo({ videoId, startTimeMs: startMs })]);
  const archived = await pageOf(path);
  expect([archived.status, archived.headers.get("location")]).toEqual([303, `/videos/${videoId}`]);
  node.close();
  await node.isClosed();
});
