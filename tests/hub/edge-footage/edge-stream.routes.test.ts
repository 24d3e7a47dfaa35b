import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { newUuidV7 } from "../../../src/common/ids.ts";
import { formatLinkFrame } from "../../../src/common/protocol/link-frame.ts";
import { LinkedNode } from "../../support/linked-node.ts";
import { registerRequest } from "../../support/node-reports.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";

type Json = Record<string, unknown>;

let hub: TestHub;
let key: string;
let nodes: LinkedNode[] = [];

beforeAll(async () => {
  hub = await openTestHub();
  key = await hub.makeKey("node", "node01");
  expect((await hub.post("/api/nodes/register", registerRequest(), key)).status).toBe(200);
});
afterAll(() => hub[Symbol.asyncDispose]());
afterEach(async () => {
  for (const node of nodes) {
    node.close();
    await node.isClosed();
  }
  nodes = [];
});

const methods = ["segments", "segment_index", "read_segment", "prioritise_upload"];
const initBytes = 1000;
const fragmentBytes = 300_000;

/** Any byte of a file of any size. */
function bytesAt(start: number, end: number): Uint8Array {
  return Uint8Array.from({ length: end - start }, (_, i) => ((start + i) * 2654435761) >>> 24);
}

/** A node that has a segment of so many fragments, and does as it is asked. */
async function nodeWith(fragments: number, more: Json = {}) {
  const node = await LinkedNode.link(hub.url, "node01", key, { methods });
  nodes.push(node);
  const videoId = newUuidV7(Date.parse("2025-09-23T06:30:00Z"));
  const world = { asked: 0, preferred: [] as unknown[] };
  node.answers.set("segment_index", ({ first_fragment: first = 0 }) => ({
    result: {
      ...{ video_id: videoId, camera_id: "cam01", is_complete: true, init_size_bytes: initBytes },
      ...{ timescale: 1000, start_ticks: 5000, fragment_count: fragments },
      fragments: Array.from({ length: Math.min(4000, fragments - Number(first)) }, () => [
        ...[fragmentBytes, 1000, "closed"],
      ]),
      ...more,
    },
  }));
  node.answers.set("read_segment", (params, id) => {
    world.asked++;
    const { start, end } = params as { start: number; end: number };
    return formatLinkFrame({
      header: { type: "segment_part", id, video_id: videoId, start },
      payload: bytesAt(start, end),
    });
  });
  node.answers.set("prioritise_upload", (params) => {
    world.preferred.push(params);
    return { result: {} };
  });
  const url = `/api/cameras/cam01/on-edge/${videoId}/stream.mp4`;
  return { node, videoId, world, url, sizeBytes: initBytes + fragments * fragmentBytes };
}

const get = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
  fetch(hub.url + path, { headers: { authorization: `Bearer ${hub.clientKey}`, ...headers }, ...init });
const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());

/** Until it has not changed for a while. */
async function settled(look: () => number): Promise<number> {
  for (let before = -1; ; await Bun.sleep(200)) {
    if (look() === before) return before;
    before = look();
  }
}

describe("a segment on its node", () => {
  test("plays whole, in ranges, and not at all where there is nothing of it", async () => {
    const { url, sizeBytes, videoId } = await nodeWith(3);
    const whole = await get(url);
    expect(whole.status).toBe(200);
    expect(whole.headers.get("etag")).toBe(`"${videoId}"`);
    expect(Buffer.from(await bytesOf(whole)).equals(bytesAt(0, sizeBytes))).toBe(true);

    const head = await get(url, {}, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(sizeBytes)]);
    for (const [range, start, end] of [
      ["bytes=0-0", 0, 1],
      [`bytes=1000-${1000 + fragmentBytes - 1}`, 1000, 1000 + fragmentBytes],
      ["bytes=-10", sizeBytes - 10, sizeBytes],
      ["bytes=262143-262145", 262_143, 262_146],
    ] as const) {
      const part = await get(url, { range });
      expect(part.status).toBe(206);
      expect(part.headers.get("content-range")).toBe(`bytes ${start}-${end - 1}/${sizeBytes}`);
      expect(Buffer.from(await bytesOf(part)).equals(bytesAt(start, end))).toBe(true);
    }
    for (const range of [`bytes=${sizeBytes}-`, "bytes=5-3", "bytes=0-1,100000-100001"]) {
      const refused = await get(url, { range });
      expect([range, refused.status]).toEqual([range, 416]);
      expect(await refused.json()).toMatchObject({ issues: [{ path: "Range" }] });
    }
    expect((await get(url, { "if-none-match": `"${videoId}"` })).status).toBe(304);
    expect((await get(url, { "if-match": '"other"' })).status).toBe(412);
  });

  test("of seven thousand fragments is asked for in pages", async () => {
    const { url, sizeBytes } = await nodeWith(7_000);
    const end = await get(url, { range: "bytes=-5" });
    expect(Buffer.from(await bytesOf(end)).equals(bytesAt(sizeBytes - 5, sizeBytes))).toBe(true);
  });

  test("that is being recorded has no state that a client could keep", async () => {
    const { url } = await nodeWith(1, { is_complete: false });
    const response = await get(url);
    expect(response.headers.get("etag")).toBeNull();
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect((await bytesOf(response)).length).toBe(initBytes + fragmentBytes);
  });

  test("moves to the front of the upload queue once when it is played, and whenever that is asked for", async () => {
    const { url, videoId, world } = await nodeWith(1);
    await get(url, {}, { method: "HEAD" });
    expect(world.preferred).toEqual([]);
    for (let i = 0; i < 3; i++) await bytesOf(await get(url, { range: "bytes=0-9" }));
    expect(world.preferred).toEqual([{ video_id: videoId }]);
    const fetched = await get(url.replace("stream.mp4", "fetch"), {}, { method: "POST" });
    expect(fetched.status).toBe(204);
    expect(world.preferred).toEqual([{ video_id: videoId }, { video_id: videoId }]);

    const other = await nodeWith(1);
    await get(other.url.replace("stream.mp4", "fetch"), {}, { method: "POST" });
    expect(other.world.preferred).toEqual([{ video_id: other.videoId }]);
  });
});

describe("a viewer", () => {
  test("who goes has the node asked for nothing more", async () => {
    const { url, world, sizeBytes } = await nodeWith(1_000);
    const gone = new AbortController();
    const response = await get(url, {}, { signal: gone.signal });
    await response.body?.getReader().read();
    gone.abort();
    const asked = await settled(() => world.asked);
    expect(asked * 256 * 1024).toBeLessThan(sizeBytes / 4);
  });

  test("who never reads makes nobody hold more than what a connection holds", async () => {
    const { url, world, sizeBytes } = await nodeWith(1_000);
    const { hostname, port } = new URL(hub.url);
    const socket = connect(Number(port), hostname);
    socket.pause();
    socket.write(`GET ${url} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${hub.clientKey}\r\n\r\n`);
    while (world.asked === 0) await Bun.sleep(10);
    const asked = await settled(() => world.asked);
    expect(asked * 256 * 1024).toBeLessThan(sizeBytes / 4);
    socket.destroy();
  });

  test("whose node goes in the middle knows that the answer is not whole", async () => {
    const { url, node, world } = await nodeWith(1_000);
    const answer = node.answers.get("read_segment");
    node.answers.set("read_segment", (params, id) => {
      if (world.asked < 3) return answer?.(params, id);
      node.close();
      return undefined;
    });
    const response = await get(url);
    await expect(response.arrayBuffer()).rejects.toThrow();
    expect((await get(url)).status).toBe(503);
  });
});

describe("a hostile node", () => {
  const videoId = "01997563-54c0-7a4e-8e0a-2f6b1c9d3e5f";
  const indexes: [string, Json][] = [
    ["of another camera", { camera_id: "cam02" }],
    ["of another segment", { video_id: videoId }],
    ["with a header of 2 GB", { init_size_bytes: 2e9 }],
    ["with negative sizes", { fragments: [[-5, 1000, "closed"]] }],
    ["with a fragment of 1 TB", { fragments: [[1e12, 1000, "closed"]] }],
    ["with a fragment of a year", { fragments: [[1000, 3e10, "closed"]] }],
    ["with a thousand million fragments", { fragment_count: 1e9 }],
    ["with more fragments than it says", { fragment_count: 0 }],
    ["that never goes on", { fragments: [] }],
    ["that is a text", { fragments: "many" }],
    ["without a time scale", { timescale: 0 }],
  ];
  for (const [name, more] of indexes) {
    test(`tells an index ${name}: nothing of it is used`, async () => {
      const { url, world } = await nodeWith(1, more);
      const response = await get(url);
      expect(response.status).toBe(503);
      expect(world.asked).toBe(0);
      await response.body?.cancel();
    });
  }

  const parts: [string, (start: number, end: number, own: string, id: string) => Json | Uint8Array][] = [
    ["no bytes", () => ({ result: {} })],
    ["none at all", (start, _, own, id) => frame(id, own, start, new Uint8Array())],
    ["more than was asked for", (start, end, own, id) => frame(id, own, start, bytesAt(start, end + 1))],
    ["those of another place", (start, end, own, id) => frame(id, own, start + 1, bytesAt(start, end))],
    ["those of another segment", (start, end, _, id) => frame(id, videoId, start, bytesAt(start, end))],
    [
      "a picture",
      (_start, _end, _own, id) =>
        formatLinkFrame({
          header: { type: "snapshot", id, camera_id: "cam01", media_type: "image/jpeg" },
          payload: new Uint8Array(100),
        }),
    ],
  ];
  for (const [name, answer] of parts) {
    test(`answers with ${name}: nothing of it is passed on`, async () => {
      const at = await nodeWith(1);
      at.node.answers.set("read_segment", (params, id) => {
        const { start, end } = params as { start: number; end: number };
        return answer(start, end, at.videoId, id);
      });
      expect((await get(at.url)).status).toBe(503);
    });
  }

  test("that lies in the middle ends the answer there", async () => {
    const at = await nodeWith(2);
    const honest = at.node.answers.get("read_segment");
    at.node.answers.set("read_segment", (params, id) =>
      at.world.asked < 2 ? honest?.(params, id) : { result: { bytes: "aGVsbG8=" } },
    );
    await expect((await get(at.url)).arrayBuffer()).rejects.toThrow();
  });

  function frame(id: string, video_id: string, start: number, payload: Uint8Array) {
    return formatLinkFrame({ header: { type: "segment_part", id, video_id, start }, payload });
  }
});

describe("what cannot be had", () => {
  const videoId = "01997563-54c0-7a4e-8e0a-2f6b1c9d3e5f";
  const statusOf = async (path: string) => (await get(path)).status;

  test("is refused with why", async () => {
    const url = `/api/cameras/cam01/on-edge/${videoId}/stream.mp4`;
    // Not linked.
    expect(await statusOf(url)).toBe(503);
    expect(await statusOf(url.replace("cam01", "cam99"))).toBe(404);
    expect(await statusOf(url.replace(videoId, "1"))).toBe(400);
    expect((await get(url.replace("stream.mp4", "fetch"), {}, { method: "POST" })).status).toBe(503);
    const { node } = await nodeWith(1);
    node.answers.set("segment_index", () => ({
      problem: { title: "not_found", status: 404, code: "not_found", detail: "there is no such segment" },
    }));
    expect(await statusOf(url)).toBe(404);
    const old = await LinkedNode.link(hub.url, "node01", key);
    nodes.push(old);
    expect(await statusOf(url)).toBe(501);
    expect((await hub.get(url, { authorization: `Bearer ${key}` })).status).toBe(403);
  });
});
