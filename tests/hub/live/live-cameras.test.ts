import { expect, test } from "bun:test";
import { systemClock } from "../../../src/common/clock.ts";
import { AppError } from "../../../src/common/errors.ts";
import { createLogger } from "../../../src/common/log.ts";
import type { HubSocket } from "../../../src/hub/http/web-socket.ts";
import { LiveCameras } from "../../../src/hub/live/live-cameras.ts";
import { LiveSocket } from "../../../src/hub/live/live-socket.ts";

const logger = createLogger("test");
const until = async (holds: () => boolean) => {
  while (!holds()) await Bun.sleep(2);
};

/** A camera whose node can be changed, and a viewer's connection that keeps what it hears. */
function setUp(options: { lookMs?: number; recheckMs?: number } = {}) {
  const site = { nodeId: "node01" as string | undefined, isAllowed: true };
  const asked: string[] = [];
  const ask = (what: string) => async (nodeId: string, cameraId: string) => {
    asked.push(`${what} ${cameraId} of ${nodeId}`);
  };
  const cameras = new LiveCameras({
    nodeOfCamera: async () => {
      if (site.nodeId === undefined) throw new AppError("not_found", "there is no camera with this id");
      return site.nodeId;
    },
    watch: ask("watch"),
    unwatch: ask("unwatch"),
    logger,
    ...(options.lookMs !== undefined && { lookMs: options.lookMs }),
  });
  const heard: unknown[] = [];
  const viewer = new LiveSocket({
    ...{ cameraId: "cam01", cameras, clock: systemClock, logger, onClosed: () => undefined },
    isAllowed: async () => site.isAllowed,
    ...(options.recheckMs !== undefined && { recheckMs: options.recheckMs }),
  });
  const close = (code: number) => {
    heard.push({ closed: code });
    viewer.close();
  };
  const socket: HubSocket = {
    send: (data) => void heard.push(typeof data === "string" ? JSON.parse(data) : data),
    bufferedBytes: () => 0,
    close,
    terminate: () => close(1006),
  };
  viewer.open(socket);
  return { cameras, site, asked, heard, viewer };
}

test("a viewer whose key is revoked, or who signs out, is shown out in mid-stream, and the camera is let go", async () => {
  const { site, asked, heard } = setUp({ recheckMs: 10 });
  await until(() => asked.length === 1);
  site.isAllowed = false;
  await until(() => heard.length > 0);
  expect(heard).toEqual([{ closed: 4004 }]);
  expect(asked).toEqual(["watch cam01 of node01", "unwatch cam01 of node01"]);
});

test("a camera that falls silent is said to, and looked for again: on the node it was moved to", async () => {
  const { cameras, site, asked, heard, viewer } = setUp({ lookMs: 10 });
  await until(() => asked.length === 1);
  site.nodeId = "node02";
  await until(() => asked.includes("watch cam01 of node02"));
  expect(heard[0]).toEqual({ type: "away", detail: "the camera gives no pictures now" });
  expect(asked.slice(0, 3)).toEqual([
    "watch cam01 of node01",
    "unwatch cam01 of node01",
    "watch cam01 of node02",
  ]);
  const header = {
    type: "live_init",
    camera_id: "cam01",
    codecs: "avc1.64001f",
    width: 2,
    height: 2,
  } as const;
  cameras.onFrame("node01", { header, payload: new Uint8Array([1]) });
  cameras.onFrame("node02", { header, payload: new Uint8Array([2]) });
  const fragment = { type: "live_fragment", camera_id: "cam01", starts_with_keyframe: true } as const;
  cameras.onFrame("node02", { header: fragment, payload: new Uint8Array([3]) });
  expect(heard.filter((one) => one instanceof Uint8Array)).toEqual([
    new Uint8Array([2]),
    new Uint8Array([3]),
  ]);
  viewer.close();
});

test("a camera that is removed while it is watched is said not to be there", async () => {
  const { site, asked, heard, viewer } = setUp({ lookMs: 10 });
  await until(() => asked.length === 1);
  site.nodeId = undefined;
  const gone = { type: "away", detail: "there is no camera with this id" };
  await until(() => heard.some((one) => Bun.deepEquals(one, gone)));
  viewer.close();
});
