import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KeptDescriptors } from "../../../src/hub/playback/kept-descriptors.ts";
import { archiveTestVideo } from "../../support/archived-video.ts";
import { startPlaybackServer } from "./playback-server.ts";

const request = () => new Request("http://x/");

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(20);
}

/** How often a file is open in this process, by whatever name it has now. */
function openings(path: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path);
    } catch {
      // Closed since it was listed.
      return false;
    }
  }).length;
}

describe("descriptors", () => {
  let folder: string;
  let kept: KeptDescriptors;
  const over = new Set<Request>();
  let isEnd = false;
  const isOver = (one: Request) => isEnd || over.has(one);
  const at = (name: string) => join(folder, name);
  const take = (name: string, one = request()) => kept.take(at(name), one, isOver);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "livecam-kept-"));
    kept = new KeptDescriptors({ idleMs: 50 });
    over.clear();
    isEnd = false;
  });
  afterEach(async () => {
    isEnd = true;
    kept[Symbol.dispose]();
    expect(kept.size).toBe(0);
    await rm(folder, { recursive: true });
  });

  test("are opened once, and closed when their last answer is over and nobody has asked for a while", async () => {
    await writeFile(at("a"), "a");
    const [first, second] = [request(), request()];
    const fd = take("a", first);
    expect(fd).toBeNumber();
    expect(take("a", second)).toBe(fd!);
    over.add(first);
    // Longer than they are kept without a use.
    await Bun.sleep(200);
    expect(openings(at("a"))).toBe(1);
    over.add(second);
    await until(() => kept.size === 0);
    expect(openings(at("a"))).toBe(0);
  }, 20_000);

  test("of a file that is another now are not used any more, and not closed under an answer", async () => {
    await writeFile(at("a"), "old");
    const first = request();
    const fd = take("a", first);
    await writeFile(at("new"), "new");
    await rename(at("new"), at("a"));
    kept.check(at("a"), lstatSync(at("a")));
    expect(take("a")).not.toBe(fd!);
    await Bun.sleep(200);
    expect(openings(at("a"))).toBe(2);
    over.add(first);
    await until(() => openings(at("a")) === 1);
  }, 20_000);

  test("notice what was written into a file", async () => {
    await writeFile(at("a"), "old");
    take("a");
    await truncate(at("a"), 1);
    kept.check(at("a"), lstatSync(at("a")));
    take("a");
    expect(kept.size).toBe(2);
  });

  test("are for ordinary files alone, and for so many", async () => {
    await writeFile(at("a"), "a");
    await symlink(at("a"), at("link"));
    expect(take("link")).toBeUndefined();
    expect(take(".")).toBeUndefined();
    expect(take("nothing")).toBeUndefined();
    for (let i = 0; i < 40; i++) {
      await writeFile(at(`${i}`), "");
      expect(take(`${i}`) === undefined).toBe(i >= 32);
    }
    expect(take("0")).toBeNumber();
  });

  test("do not remember every request there was", async () => {
    await writeFile(at("a"), "a");
    let asked = 0;
    for (let i = 0; i < 10_000; i++) kept.take(at("a"), request(), () => ++asked > 0);
    // Each is asked about once, when some more have come.
    expect(asked).toBeGreaterThan(9_000);
    expect(asked).toBeLessThan(20_000);
  });
});

test("a file that is deleted while it is sent is sent to its end, and then let go of", async () => {
  await using server = await startPlaybackServer();
  const video = await archiveTestVideo(server.root, {
    ...{ startTimeMs: Date.UTC(2025, 8, 23, 6, 30), seconds: 6, width: 1280, height: 720 },
    // Noise: larger than what a connection holds of it.
    filter: "noise=alls=60:allf=t",
  });
  server.add(video);
  const path = join(server.root, video.filePath);
  const end = video.fileSizeBytes - 1;
  expect(end).toBeGreaterThan(8_000_000);
  const socket: Socket = connect(server.port, "127.0.0.1", () => {
    socket.write(
      `GET /api/videos/${video.videoId}/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\n` +
        `connection: close\r\nrange: bytes=0-${end}\r\n\r\n`,
    );
  });
  const hash = new Bun.CryptoHasher("sha256");
  let head = "";
  socket.once("data", (first: Buffer) => {
    const bodyStart = first.indexOf("\r\n\r\n") + 4;
    head = first.subarray(0, bodyStart).toString("latin1");
    hash.update(first.subarray(bodyStart));
    socket.pause();
    socket.on("data", (chunk: Buffer) => hash.update(chunk));
  });
  const closed = new Promise((resolve) => socket.on("close", resolve));
  await until(() => head !== "");
  expect(head).toStartWith("HTTP/1.1 206");
  expect(server.descriptors.size).toBe(1);

  await rm(path);
  const gone = await server.get(`/api/videos/${video.videoId}/stream`, { range: `bytes=0-${end}` });
  expect(gone.status).toBe(404);
  // Longer than it is kept without a use.
  await Bun.sleep(200);
  expect(openings(path)).toBe(1);
  socket.resume();
  await closed;
  expect(hash.digest("hex")).toBe(video.fileSha256);
  await until(() => openings(path) === 0);
}, 60_000);

test("what is answered from one is told as the client gets it", async () => {
  const told: number[] = [];
  await using server = await startPlaybackServer({ onAnswered: ({ status }) => told.push(status) });
  const video = await archiveTestVideo(server.root, {
    ...{ startTimeMs: Date.UTC(2025, 8, 23, 6, 30), seconds: 2, width: 1280, height: 720 },
    filter: "noise=alls=60:allf=t",
  });
  server.add(video);
  const stream = `/api/videos/${video.videoId}/stream`;
  // The whole of it, too: what a browser asks for first.
  const statusOf = async (headers = {}) => {
    const answer = await server.get(stream, headers);
    // One that nobody reads holds its connection.
    await answer.arrayBuffer();
    return answer.status;
  };
  for (const range of ["bytes=1000-2000999", `bytes=0-${video.fileSizeBytes - 1}`, "bytes=0-9"]) {
    expect(await statusOf({ range })).toBe(206);
  }
  expect(await statusOf()).toBe(200);
  expect(server.descriptors.size).toBe(1);
  expect(told).toEqual([206, 206, 206, 200]);
});
