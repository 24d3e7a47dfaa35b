import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { formatLinkFrame } from "../../../src/common/protocol/link-frame.ts";
import { helloOf, LinkedNode } from "../../support/linked-node.ts";
import { LiveClient } from "../../support/live-client.ts";
import { registerRequest } from "../../support/node-reports.ts";
import { residentBytes } from "../../support/resident-memory.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";

let hub: TestHub;
let key: string;
let open: { close(): void }[] = [];

beforeAll(async () => {
  hub = await openTestHub({ config: { link_ping_seconds: 3 } });
  key = await hub.makeKey("node", "node01");
  for (const [node, camera] of [
    ["node01", "cam01"],
    ["node02", "cam02"],
  ] as const) {
    const cameras = [{ camera_id: camera, name: camera, source: "test" }];
    await hub.post("/api/nodes/register", { ...registerRequest(), node_id: node, cameras }, hub.nodeKey);
  }
});
afterAll(() => hub[Symbol.asyncDispose]());
afterEach(() => {
  for (const each of open) each.close();
  open = [];
});

const methods = [...(helloOf("x").methods as string[]), "watch", "unwatch"];
const client = () => ({ authorization: `Bearer ${hub.clientKey}` });

/** A linked node that counts what it is asked. */
async function linkNode(nodeId = "node01", nodeKey = key) {
  const node = await LinkedNode.link(hub.url, nodeId, nodeKey, { methods });
  open.push(node);
  const asked: string[] = [];
  for (const method of ["watch", "unwatch"]) {
    node.answers.set(method, ({ camera_id }) => {
      asked.push(`${method} ${camera_id}`);
      return { result: {} };
    });
  }
  return { node, asked };
}

async function watch(cameraId = "cam01", headers: Record<string, string> = client()) {
  const viewer = await LiveClient.open(hub.url, cameraId, headers);
  open.push(viewer);
  return viewer;
}

const init = (camera_id = "cam01", text = "init") =>
  formatLinkFrame({
    header: { type: "live_init", camera_id, codecs: "avc1.64001f", width: 640, height: 360 },
    payload: new TextEncoder().encode(text),
  });
const fragment = (text: string | Uint8Array, { camera_id = "cam01", starts_with_keyframe = true } = {}) =>
  formatLinkFrame({
    header: { type: "live_fragment", camera_id, starts_with_keyframe },
    payload: typeof text === "string" ? new TextEncoder().encode(text) : text,
  });
const textsOf = (viewer: LiveClient) => viewer.parts.map((part) => new TextDecoder().decode(part));
const has = (viewer: LiveClient, count: number) =>
  viewer.until(() => (viewer.parts.length >= count ? textsOf(viewer) : undefined), `${count} parts`);
const isAsked = async (asked: string[], count: number) => {
  while (asked.length < count) await Bun.sleep(5);
};

describe("a camera that is watched", () => {
  test("is asked for once, fanned out, and asked for no more when the last viewer is gone", async () => {
    const { node, asked } = await linkNode();
    const first = await watch();
    await isAsked(asked, 1);
    node.send(init());
    node.send(fragment("f1"));
    expect(await has(first, 2)).toEqual(["init", "f1"]);
    expect(first.texts).toEqual([{ type: "init", codecs: "avc1.64001f", width: 640, height: 360 }]);

    const others = await Promise.all(Array.from({ length: 9 }, () => watch()));
    // Who comes later sees the last picture at once.
    for (const other of others) expect(await has(other, 2)).toEqual(["init", "f1"]);
    node.send(fragment("f2"));
    for (const other of others) expect(await has(other, 3)).toEqual(["init", "f1", "f2"]);
    expect(asked).toEqual(["watch cam01"]);
    for (const viewer of [first, ...others]) viewer.close();
    await isAsked(asked, 2);
    expect(asked).toEqual(["watch cam01", "unwatch cam01"]);
  });

  test("a new run brings a new init segment, and nothing before its keyframe", async () => {
    const { node, asked } = await linkNode();
    const viewer = await watch();
    await isAsked(asked, 1);
    node.send(fragment("before any init"));
    node.send(init());
    node.send(fragment("no keyframe", { starts_with_keyframe: false }));
    node.send(fragment("f1"));
    node.send(fragment("rest of f1", { starts_with_keyframe: false }));
    node.send(init("cam01", "init 2"));
    node.send(fragment("f2"));
    expect(await has(viewer, 5)).toEqual(["init", "f1", "rest of f1", "init 2", "f2"]);
    expect(viewer.texts).toHaveLength(2);
  });

  test("is said to be paused, also to who comes then, and goes on when it is resumed", async () => {
    const { node, asked } = await linkNode();
    const first = await watch();
    await isAsked(asked, 1);
    node.send(init());
    await has(first, 1);
    node.send(
      formatLinkFrame({ header: { type: "live_stopped", camera_id: "cam01" }, payload: new Uint8Array() }),
    );
    node.send(fragment("nobody's"));
    await first.until(() => first.texts[1], "that it is paused");
    const second = await watch();
    expect(await second.until(() => second.texts[0], "the same")).toEqual({ type: "stopped" });
    node.send(init("cam01", "init 2"));
    node.send(fragment("f2"));
    expect(await has(first, 3)).toEqual(["init", "init 2", "f2"]);
    expect(await has(second, 2)).toEqual(["init 2", "f2"]);
    expect(first.texts.map(({ type }) => type)).toEqual(["init", "stopped", "init"]);
    const third = await watch();
    expect(await has(third, 2)).toEqual(["init 2", "f2"]);
    expect(third.texts.map(({ type }) => type)).toEqual(["init"]);
  });

  test("goes on when its node has been away", async () => {
    const viewer = await watch();
    const away = await viewer.until(() => viewer.texts[0], "that the node is away");
    expect(away).toMatchObject({ type: "away", detail: expect.stringContaining("not linked") });
    const first = await linkNode();
    await isAsked(first.asked, 1);
    first.node.send(init());
    await has(viewer, 1);
    first.node.close();
    await viewer.until(
      () => viewer.texts.find(({ type }, i) => type === "away" && i > 1),
      "that it is away again",
    );
    const second = await linkNode();
    await isAsked(second.asked, 1);
    second.node.send(init("cam01", "init 2"));
    expect(await has(viewer, 2)).toEqual(["init", "init 2"]);
  });

  test("of a node that cannot: the viewer is told", async () => {
    open.push(await LinkedNode.link(hub.url, "node01", key));
    const viewer = await watch();
    const away = await viewer.until(() => viewer.texts[0], "an answer");
    expect(away).toMatchObject({ type: "away", detail: expect.stringContaining("cannot do this") });
  });

  test("a node that claims the camera of another reaches nobody, and one that sends unasked is told to stop", async () => {
    const { node, asked } = await linkNode();
    const other = await linkNode("node02", hub.nodeKey);
    const viewer = await watch("cam02");
    await isAsked(other.asked, 1);
    node.send(init("cam02", "forged"));
    node.send(fragment("forged", { camera_id: "cam02" }));
    other.node.send(init("cam02", "true"));
    other.node.send(fragment("f1", { camera_id: "cam02" }));
    expect(await has(viewer, 2)).toEqual(["true", "f1"]);
    node.send(fragment("unasked"));
    await isAsked(asked, 1);
    expect(asked).toEqual(["unwatch cam01"]);
  });

  test("a viewer that does not read misses fragments and does not grow the hub; the others miss nothing", async () => {
    const { node, asked } = await linkNode();
    const [slow, quick] = [await watch(), await watch()];
    await isAsked(asked, 1);
    node.send(init());
    await Promise.all([has(slow, 1), has(quick, 1)]);
    slow.stopReading();
    const megabyte = new Uint8Array(1_000_000);
    const send300 = async () => {
      for (let i = 0; i < 300; i++) {
        const had = quick.parts.length;
        node.send(fragment(megabyte));
        await quick.until(() => (quick.parts.length > had ? true : undefined), "the fragment");
        quick.parts.fill(new Uint8Array(), 0, quick.parts.length);
      }
      return residentBytes();
    };
    // What the first 300 MB leave is the same garbage, and the same full buffers, that the next 300 leave.
    const before = await send300();
    expect((await send300()) - before).toBeLessThan(150_000_000);
    expect(slow.parts.length).toBeLessThan(50);
    // A new run while the slow one is behind.
    node.send(init("cam01", "init 2"));
    slow.readOn();
    node.send(fragment("nearly there"));
    await quick.until(() => (textsOf(quick).at(-1) === "nearly there" ? true : undefined), "the fragment");
    await slow.until(() => {
      node.send(fragment("newest"));
      return textsOf(slow).at(-1) === "newest" ? true : undefined;
    }, "the newest fragment");
    const texts = textsOf(slow).filter((text) => text.length < 100);
    expect(texts.slice(0, 3)).toEqual(["init", "init 2", expect.stringMatching(/^newest|^nearly/)]);
  }, 60_000);
});

describe("who may watch", () => {
  test("people from our own pages, and clients; not nodes, strangers, or people from other sites", async () => {
    const cookie = await hub.signIn();
    open.push(await watch("cam01", { cookie, origin: hub.url }));
    for (const [headers, status] of [
      [{}, 401],
      [{ authorization: `Bearer ${key}` }, 403],
      [{ cookie }, 403],
      [{ cookie, origin: "http://evil.test" }, 403],
      [{ cookie, origin: "null" }, 403],
    ] as const) {
      await expect(watch("cam01", headers)).rejects.toThrow(`refused: ${status}`);
    }
    await expect(watch("nothing")).rejects.toThrow("refused: 404");
    await expect(watch("..%2f")).rejects.toThrow("refused: 400");
    expect((await hub.get("/api/cameras/cam01/live")).status).toBe(426);
  });

  test("a viewer that talks is shown out", async () => {
    const viewer = await watch();
    viewer.send("hello?");
    expect(await viewer.until(() => viewer.closed, "the end")).toMatchObject({ code: 1003 });
  });
});
