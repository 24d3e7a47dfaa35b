import { describe, expect, test } from "bun:test";
import { createLogger } from "../../../src/common/log.ts";
import type { Fragment } from "../../../src/common/mp4/fragment.ts";
import type { InitSegment } from "../../../src/common/mp4/init-segment.ts";
import { parseLinkFrame } from "../../../src/common/protocol/link-frame.ts";
import type { CameraWatcher } from "../../../src/edge/camera/camera-watcher.ts";
import { LiveFeed } from "../../../src/edge/hub-link/live-feed.ts";

const init = {
  bytes: new Uint8Array([1]),
  codec: "avc1.64001f",
  video: { width: 640, height: 360 },
} as InitSegment;
const fragment = (text: string, startsWithKeyframe = true) =>
  ({ bytes: new TextEncoder().encode(text), startsWithKeyframe }) as Fragment;

function setUp() {
  const sent: string[] = [];
  const watchers = new Map<string, CameraWatcher>();
  const wire = { bufferedBytes: 0, fails: false };
  const feed = new LiveFeed({
    logger: createLogger("test"),
    watch: (cameraId, watcher) => {
      watchers.set(cameraId, watcher);
      watcher.onInit(init);
      return () => watchers.delete(cameraId);
    },
    sink: {
      bufferedBytes: () => wire.bufferedBytes,
      sendFrame(bytes) {
        if (wire.fails) throw new Error("the link is busy");
        const frame = parseLinkFrame(bytes);
        const text = new TextDecoder().decode(frame?.payload);
        const { type } = frame?.header ?? {};
        sent.push(type === "live_init" ? "init" : type === "live_stopped" ? "stopped" : text);
      },
    },
  });
  const give = (text: string, isKeyframe = true) =>
    watchers.get("cam01")?.onFragment(fragment(text, isKeyframe));
  return { feed, sent, watchers, wire, give };
}

describe("a camera that is watched over a link", () => {
  test("is sent from its init segment and the next keyframe on, until nobody watches", () => {
    const { feed, sent, watchers, give } = setUp();
    feed.start("cam01");
    give("audio", false);
    give("f1");
    give("f1 rest", false);
    feed.stop("cam01");
    give("f2");
    feed.stop("cam01");
    expect(sent).toEqual(["init", "f1", "f1 rest"]);
    expect(watchers.size).toBe(0);
  });

  test("that is asked for again begins again, and is sent once", () => {
    const { feed, sent, watchers, give } = setUp();
    feed.start("cam01");
    feed.start("cam01");
    give("f1");
    expect(sent).toEqual(["init", "init", "f1"]);
    feed.stopAll();
    expect(watchers.size).toBe(0);
  });

  test("loses whole fragments on a wire that is behind, and goes on with a keyframe", () => {
    const { feed, sent, wire, give } = setUp();
    feed.start("cam01");
    give("f1");
    wire.bufferedBytes = 10_000_000;
    give("f2");
    wire.bufferedBytes = 0;
    give("f2 rest", false);
    give("f3");
    wire.fails = true;
    give("f4");
    wire.fails = false;
    give("f4 rest", false);
    give("f5");
    expect(sent).toEqual(["init", "f1", "f3", "f5"]);
  });

  test("that begins a new run while the wire is behind sends nothing of it before its init segment", () => {
    const { feed, sent, wire, watchers, give } = setUp();
    feed.start("cam01");
    give("f1");
    wire.fails = true;
    watchers.get("cam01")?.onInit(init);
    give("f2");
    wire.fails = false;
    give("f2 rest", false);
    give("f3");
    expect(sent).toEqual(["init", "f1", "init", "f3"]);
  });

  test("says that it is paused, and goes on with an init segment", () => {
    const { feed, sent, watchers, give } = setUp();
    feed.start("cam01");
    give("f1");
    watchers.get("cam01")?.onStopped();
    watchers.get("cam01")?.onInit(init);
    give("f2 rest", false);
    give("f3");
    expect(sent).toEqual(["init", "f1", "stopped", "init", "f3"]);
  });

  test("has its bytes copied: the recorder uses the memory again", () => {
    const frames: Uint8Array<ArrayBuffer>[] = [];
    let watcher: CameraWatcher | undefined;
    const feed = new LiveFeed({
      logger: createLogger("test"),
      watch: (_, each) => {
        watcher = each;
        return () => undefined;
      },
      sink: { bufferedBytes: () => 0, sendFrame: (frame) => void frames.push(frame) },
    });
    feed.start("cam01");
    const bytes = new TextEncoder().encode("f1");
    watcher?.onFragment({ bytes, startsWithKeyframe: true } as Fragment);
    bytes.fill(0);
    expect(new TextDecoder().decode(parseLinkFrame(frames[0] as Uint8Array<ArrayBuffer>)?.payload)).toBe(
      "f1",
    );
  });
});
