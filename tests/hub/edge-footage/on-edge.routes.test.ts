import { afterAll, beforeAll, expect, test } from "bun:test";
import { newUuidV7 } from "../../../src/common/ids.ts";
import { LinkedNode } from "../../support/linked-node.ts";
import { registerRequest } from "../../support/node-reports.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";

let hub: TestHub;
let key: string;
beforeAll(async () => {
  hub = await openTestHub();
  key = await hub.makeKey("node", "node01");
  expect((await hub.post("/api/nodes/register", registerRequest(), key)).status).toBe(200);
});
afterAll(() => hub[Symbol.asyncDispose]());

const range = "from=2025-09-23T06:00:00Z&to=2025-09-23T07:00:00Z";
const startMs = Date.parse("2025-09-23T06:30:00.000Z");
const segment = {
  ...{ video_id: newUuidV7(startMs), camera_id: "cam01", run_id: "6f1c1d3e-52d8-4f0e-9a43-0c5d2b7f8e11" },
  ...{ sequence: 4, start_time: "2025-09-23T06:30:00.000Z", end_time: "2025-09-23T06:40:00.000Z" },
  ...{ size_bytes: 1000, codec: "avc1.64001f", width: 640, height: 360, clock_state: "synced" },
  ...{ state: "uploading", progress: 0.43 },
};

test("what is on the edge is told of the node that is linked, and of nobody when it is gone", async () => {
  const at = `/api/cameras/cam01/on-edge?${range}`;
  expect(await (await hub.get(at)).json()).toEqual({ videos: [], as_of: null, truncated: false });

  const node = await LinkedNode.link(hub.url, "node01", key, { methods: ["segments"] });
  node.answers.set("segments", () => ({ result: { segments: [segment], has_more: false } }));
  const answer = await (await hub.get(at)).json();
  expect(answer).toMatchObject({
    truncated: false,
    videos: [
      {
        ...{
          video_id: segment.video_id,
          camera_id: "cam01",
          node_id: "node01",
          duration: 600,
          file_size: 1000,
        },
        ...{ status: "uploading", progress: 0.43, mock: false, resolution: { width: 640, height: 360 } },
      },
    ],
  });
  const page = await hub.get("/cameras/cam01?date=2025-09-23", {
    cookie: await hub.signIn(),
    accept: "text/html",
    "accept-language": "ko",
  });
  expect(await page.text()).toContain("업로드 중 43%");

  node.close();
  await node.isClosed();
  expect(await (await hub.get(at)).json()).toMatchObject({ videos: [], as_of: null });
});

test("a node of an older release has nothing to tell", async () => {
  const node = await LinkedNode.link(hub.url, "node01", key);
  const answer = await (await hub.get(`/api/cameras/cam01/on-edge?${range}`)).json();
  expect(answer).toMatchObject({ videos: [], as_of: null });
  node.close();
  await node.isClosed();
});

const refused: [string, number, string][] = [
  [`/api/cameras/cam99/on-edge?${range}`, 404, ""],
  [`/api/cameras/..%2f/on-edge?${range}`, 400, "id"],
  ["/api/cameras/cam01/on-edge", 400, "from"],
  ["/api/cameras/cam01/on-edge?from=2025-09-23T06:00:00Z&to=2025-09-23T06:00:00Z", 400, "to"],
  ["/api/cameras/cam01/on-edge?from=yesterday&to=2025-09-23T06:00:00Z", 400, "from"],
  [`/api/cameras/cam01/on-edge?${range}&limit=3`, 400, "limit"],
];
for (const [path, status, field] of refused) {
  test(`${path} is answered with ${status}`, async () => {
    const response = await hub.get(path);
    expect(response.status).toBe(status);
    const { issues = [] } = (await response.json()) as { issues?: { path: string }[] };
    expect(issues.map((issue) => issue.path)).toEqual(field === "" ? [] : expect.arrayContaining([field]));
  });
}

test("nodes may not ask", async () => {
  const response = await hub.get(`/api/cameras/cam01/on-edge?${range}`, { authorization: `Bearer ${key}` });
  expect(response.status).toBe(403);
});
