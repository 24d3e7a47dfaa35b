import { afterAll, beforeAll, expect, test } from "bun:test";
import { newUuidV7 } from "../../../src/common/ids.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";

let hub: TestHub;
beforeAll(async () => {
  hub = await openTestHub();
});
afterAll(() => hub[Symbol.asyncDispose]());

const post = (body: Record<string, unknown>, { node = "pi1", key = hub.nodeKey } = {}) =>
  hub.post(`/api/nodes/${node}/bookmark`, { protocol_version: 1, ...body }, key);
const answer = async (body: Record<string, unknown>, to?: { node?: string; key?: string }) =>
  (await post(body, to)).json();

test("a node's bookmark is there until it moves it, also for a node that never registered", async () => {
  const [one, two] = [newUuidV7(1), newUuidV7(2)];
  expect(await answer({})).toEqual({ bookmark: null });
  expect(await answer({ move: { from: null, to: one } })).toEqual({ bookmark: one });
  expect(await answer({ move: { from: two, to: two } })).toEqual({ bookmark: one });
  expect(await answer({ move: { from: one, to: two } })).toEqual({ bookmark: two });
  expect(await answer({})).toEqual({ bookmark: two });
  expect(await answer({}, { node: "pi2" })).toEqual({ bookmark: null });
});

test("only the node itself may move it", async () => {
  const key = await hub.makeKey("node", "pi7");
  expect((await post({}, { node: "pi7", key })).status).toBe(200);
  expect((await post({}, { node: "pi1", key })).status).toBe(403);
  expect((await post({}, { key: hub.clientKey })).status).toBe(403);
});

test.each([
  ["no version", { protocol_version: undefined }, "protocol_version"],
  ["no move", { move: 1 }, "move"],
  ["no id", { move: { from: null, to: "x" } }, "move.to"],
  ["an id in capitals", { move: { from: newUuidV7(1).toUpperCase(), to: newUuidV7(2) } }, "move.from"],
  ["nothing to move to", { move: { from: null } }, "move.to"],
])("%s is refused by its name", async (_what, body, path) => {
  const response = await post(body);
  expect(response.status).toBe(400);
  expect(
    ((await response.json()) as { issues: { path: string }[] }).issues.map((issue) => issue.path),
  ).toEqual([path]);
});
