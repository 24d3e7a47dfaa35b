import { afterAll, beforeAll, expect, test } from "bun:test";
import { formatLinkFrame } from "../../../../src/common/protocol/link-frame.ts";
import type { Problem } from "../../../../src/common/protocol/problem.ts";
import { readHlsPlaylist } from "../../../support/hls-validator.ts";
import { helloOf, LinkedNode } from "../../../support/linked-node.ts";
import { liveFragment, liveInit } from "../../../support/live-fragments.ts";
import { registerRequest } from "../../../support/node-reports.ts";
import { openTestHub, type TestHub } from "../../../support/test-hub.ts";

let hub: TestHub;
let key: string;

beforeAll(async () => {
  hub = await openTestHub();
  key = await hub.makeKey("node", "node01");
  const cameras = ["cam01", "cam02"].map((id) => ({ camera_id: id, name: id, source: "test" }));
  await hub.post("/api/nodes/register", { ...registerRequest(), cameras }, key);
});
afterAll(() => hub[Symbol.asyncDispose]());

test("the live playlist and its parts, over the node's link", async () => {
  const methods = [...(helloOf("x").methods as string[]), "watch", "unwatch"];
  const node = await LinkedNode.link(hub.url, "node01", key, { methods });
  let watched = 0;
  node.answers.set("watch", () => {
    watched++;
    const header = {
      type: "live_init",
      camera_id: "cam01",
      codecs: "avc1.64001f",
      width: 640,
      height: 360,
    } as const;
    node.send(formatLinkFrame({ header, payload: liveInit }));
    for (let i = 0; i < 3; i++) {
      node.send(
        formatLinkFrame({
          header: { type: "live_fragment", camera_id: "cam01", starts_with_keyframe: true },
          payload: liveFragment({ startSeconds: i }),
        }),
      );
    }
    return { result: {} };
  });
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => hub.get("/api/cameras/cam01/live.m3u8")),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
  expect(watched).toBe(1);
  expect(answers[0]?.headers.get("content-type")).toBe("application/vnd.apple.mpegurl");
  expect(answers[0]?.headers.get("cache-control")).toBe("no-store");
  const { parts } = readHlsPlaylist((await answers[0]?.text()) ?? "");
  expect(parts).toHaveLength(3);
  const map = await hub.get(parts[0]?.map.uri ?? "");
  expect(new Uint8Array(await map.arrayBuffer())).toEqual(liveInit);
  const part = await hub.get(parts[2]?.uri ?? "");
  expect([part.status, part.headers.get("content-type")]).toEqual([200, "video/mp4"]);
  expect(new Uint8Array(await part.arrayBuffer())).toEqual(liveFragment({ startSeconds: 2 }));
  node.close();
});

test.each([
  ["/api/cameras/nothing/live.m3u8", 404, "no camera"],
  ["/api/cameras/..%2f/live.m3u8", 400, undefined],
  ["/api/cameras/cam02/live.m3u8", 503, "not linked"],
  ["/api/cameras/cam01/live/1.m4s", 404, "not kept any more"],
  ["/api/cameras/nothing/live/1.m4s", 404, "not kept any more"],
  ["/api/cameras/cam01/live/x.m4s", 400, undefined],
  ["/api/cameras/cam01/live/init-1.m4s", 400, undefined],
  ["/api/cameras/cam01/live/1.m4s%00", 400, undefined],
])("%s is refused with %p", async (path, status, words) => {
  const response = await hub.get(path);
  const problem = (await response.json()) as Problem;
  expect([response.status, problem.detail]).toEqual([
    status,
    words ? expect.stringContaining(words) : expect.anything(),
  ]);
  if (status === 400) expect(problem.issues?.[0]?.path).toMatch(/^(?:id|part)$/);
  if (status === 503) expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
});
