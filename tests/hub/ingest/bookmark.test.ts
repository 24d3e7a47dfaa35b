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
  const { session, bookmark } = (await answer({})) as { session: string; bookmark: null };
  expect(bookmark).toBeNull();
  expect(await answer({ move: { session, from: null, to: one } })).toEqual({ session, bookmark: one });
  expect(await answer({ move: { session, from: two, to: two } })).toEqual({ session, bookmark: one });
  expect(await answer({ move: { session, from: one, to: two } })).toEqual({ session, bookmark: two });
  expect(await answer({})).toEqual({ session, bookmark: two });
  expect(await answer({}, { node: "pi2" })).toEqual({ session, bookmark: null });
});

test("what a node says of an earlier session of the hub moves nothing", async () => {
  const move = { session: crypto.randomUUID(), from: null, to: newUuidV7(1) };
  expect(await answer({ move }, { node: "pi3" })).toMatchObject({ bookmark: null });
});

test("only the node itself may move it", async () => {
  const key = await hub.makeKey("node", "pi7");
  expect((await post({}, { node: "pi7", key })).status).toBe(200);
  expect((await post({}, { node: "pi1", key })).status).toBe(403);
  expect((await post({}, { key: hub.clientKey })).status).toBe(403);
});

const session = crypto.randomUUID();
test.each([
  ["no version", { protocol_version: undefined }, "protocol_version"],
  ["no move", { move: 1 }, "move"],
  ["no id", { move: { session, from: null, to: "x" } }, "move.to"],
  [
    "an id in capitals",
    { move: { session, from: newUuidV7(1).toUpperCase(), to: newUuidV7(2) } },
    "move.from",
  ],
  ["nothing to move to", { move: { session, from: null } }, "move.to"],
  ["no session", { move: { from: null, to: newUuidV7(2) } }, "move.session"],
])("%s is refused by its name", async (_what, body, path) => {
  const response = await post(body);
  expect(response.status).toBe(400);
  expect(
    ((await response.json()) as { issues: { path: string }[] }).issues.map((issue) => issue.path),
  ).toEqual([path]);
});
