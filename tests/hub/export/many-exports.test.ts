import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { archiveTestRun } from "../../support/archived-run.ts";
import { startExportServer } from "./export-server.ts";

const startMs = Date.parse("2025-09-23T06:30:00.000Z");
const atOnce = 1_000;
let server: Awaited<ReturnType<typeof startExportServer>>;

beforeAll(async () => {
  server = await startExportServer();
  server.add(...(await archiveTestRun(server.root, { startTimeMs: startMs, secondsPerVideo: [4, 4, 4] })));
});
afterAll(() => server[Symbol.asyncDispose]());

/** What a client does with the answer to a clip. */
const manners = ["reads all", "reads a range", "leaves in the middle", "asks and leaves"] as const;
type Manner = (typeof manners)[number];

interface Outcome {
  manner: Manner;
  /** Undefined for those who left before there was one. */
  status: number | undefined;
  isWhole: boolean;
}

/** Resolves when the connection is closed, by whichever end. */
function exportOnce(manner: Manner, nth: number): Promise<Outcome> {
  const time = (seconds: number) => new Date(startMs + seconds * 1000).toISOString();
  // Some ask for the same, and for more clips than there is room to remember.
  const path = `/api/cameras/cam01/clip.mp4?from=${time((nth % 50) / 1000)}&to=${time(11)}`;
  const more = manner === "reads a range" ? "range: bytes=100-20099\r\n" : "";
  const request = `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\nconnection: close\r\n${more}\r\n`;
  return new Promise((resolve, reject) => {
    let head = "";
    let tail = "";
    const end = () => {
      const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1];
      const isChunked = /\r\ntransfer-encoding: chunked/i.test(head);
      resolve({
        manner,
        status: status === undefined ? undefined : Number(status),
        isWhole: !isChunked || tail.endsWith("0\r\n\r\n"),
      });
    };
    Bun.connect({
      hostname: "127.0.0.1",
      port: server.port,
      socket: {
        open(socket) {
          socket.write(request);
          if (manner === "asks and leaves") socket.terminate();
        },
        data(socket, chunk) {
          if (head.length < 1_000) head += chunk.subarray(0, 1_000).toString("latin1");
          tail = (tail + chunk.subarray(-5).toString("latin1")).slice(-5);
          if (manner === "leaves in the middle") socket.terminate();
        },
        close: end,
        connectError: (_socket, error) => reject(error),
      },
    }).catch(reject);
  });
}

const descriptors = () => readdirSync("/proc/self/fd").length;

test("ten thousand exports at once are sent or refused: none fails, none hangs, nothing is left and nothing marked", async () => {
  const wave = () =>
    Promise.all(Array.from({ length: atOnce }, (_, nth) => exportOnce(manners[nth % manners.length]!, nth)));
  await wave();
  const before = { descriptors: descriptors(), memory: memoryUsed() };
  const outcomes: Outcome[] = [];
  for (let i = 0; i < 9; i++) outcomes.push(...(await wave()));

  const statuses = new Map<number | undefined, number>();
  for (const { status } of outcomes) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const allowed = new Set([200, 206, 503, undefined]);
  expect([...statuses.keys()].filter((status) => !allowed.has(status))).toEqual([]);
  expect(statuses.get(200)).toBeGreaterThan(0);
  expect(statuses.get(206)).toBeGreaterThan(0);
  const stayed = outcomes.filter(({ manner }) => manner === "reads all" || manner === "reads a range");
  expect(stayed.filter(({ status, isWhole }) => status === undefined || !isWhole)).toEqual([]);

  // Everything of those who left is given back: as many as may be sent at a time can be sent again.
  const again = async () => {
    const answers = await Promise.all(Array.from({ length: 64 }, () => server.clip(startMs, 0, 11)));
    const hashes = await Promise.all(answers.map(async (answer) => Bun.hash(await answer.bytes())));
    return { allSent: answers.every(({ status }) => status === 200), hashes: new Set(hashes) };
  };
  let sent = await again();
  while (!sent.allSent) sent = await again();
  expect(sent.hashes.size).toBe(1);
  expect([...server.rows.values()].map(({ status }) => status)).toEqual(Array(3).fill("available"));
  while (descriptors() > before.descriptors + 20) await Bun.sleep(20);
  expect((memoryUsed() - before.memory) / 1e6).toBeLessThan(100);
}, 120_000);

/** Of this process, the server and its clients alike. */
function memoryUsed(): number {
  Bun.gc(true);
  return process.memoryUsage.rss();
}
