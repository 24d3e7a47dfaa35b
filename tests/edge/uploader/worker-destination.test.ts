import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { startChild } from "../../../src/common/child-process.ts";
import { createLogger } from "../../../src/common/log.ts";
import type { ArchiveDestination } from "../../../src/edge/uploader/archive-destination.ts";
import {
  WorkerDestination,
  type WorkerDestinationOptions,
} from "../../../src/edge/uploader/worker-destination.ts";
import { makeArchive, testArchiveId, writeSegment } from "../../contract/archive-destination.contract.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";

const entry = join(import.meta.dir, "../../../src/edge/main.ts");
const realWorker = [process.execPath, entry, "archive-worker"];

async function setUp(options: Partial<WorkerDestinationOptions> = {}) {
  const folder = await temporaryFolder();
  await makeArchive(folder.path);
  const destination = new WorkerDestination({
    command: realWorker,
    destination: { type: "path", path: folder.path },
    stallMs: 60_000,
    logger: createLogger("uploader"),
    ...options,
  });
  const [sourcePath, identity] = await writeSegment(folder.path);
  return {
    archive: folder.path,
    destination,
    request: { sourcePath, identity, expectedArchiveId: testArchiveId },
    async [Symbol.asyncDispose]() {
      destination[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** A program in place of the worker, as a bun script. */
const fakeWorker = (script: string) => [process.execPath, "-e", script];

/** Pids of our own child processes. */
async function children(): Promise<number[]> {
  const text = await readFile(`/proc/self/task/${process.pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}

async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !/\) Z /.test(stat);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await Bun.sleep(10);
}

test("one that shows no progress beside one that does is left longer, and not for ever", async () => {
  const stallMs = 1000;
  await using at = await setUp({
    stallMs,
    command: fakeWorker(`
      process.on("message", ({ id, kind }) => {
        if (kind === "put" && id === 2) setInterval(() => process.send({ kind: "progress", id, written: 1, total: 2 }), 20);
      });`),
  });
  const startedAtMs = performance.now();
  const still = at.destination.put(at.request);
  const moving = at.destination.put(at.request);
  const outcomes = await Promise.allSettled([still, moving]);
  expect(outcomes.map((outcome) => outcome.status === "rejected" && outcome.reason.code)).toEqual([
    "timeout",
    "timeout",
  ]);
  expect(performance.now() - startedAtMs).toBeGreaterThan(3 * stallMs);
  expect(at.destination.abandonedWorkers).toBe(1);
});

test("a worker that hangs is given up, counted and replaced", async () => {
  await using at = await setUp({
    stallMs: 300,
    command: fakeWorker("process.on('message', () => {}); process.on('SIGTERM', () => {})"),
  });
  await expect(at.destination.put(at.request)).rejects.toMatchObject({ code: "timeout" });
  expect(at.destination.abandonedWorkers).toBe(1);
  await expect(at.destination.put(at.request)).rejects.toMatchObject({ code: "timeout" });
  expect(at.destination.abandonedWorkers).toBe(2);
});

test("a stopped worker is given up, and the next one does the work", async () => {
  let stallMs = 60_000;
  await using at = await setUp({ stallMs: () => stallMs });
  expect(await at.destination.check()).toMatchObject({ ok: true });
  const [worker = 0] = (await children()).slice(-1);
  process.kill(worker, "SIGSTOP");
  stallMs = 500;
  await expect(at.destination.put(at.request)).rejects.toMatchObject({ code: "timeout" });
  await until(async () => !(await isRunning(worker)));
  stallMs = 60_000;
  expect(await at.destination.put(at.request)).toMatchObject({ alreadyThere: false });
  expect(at.destination.abandonedWorkers).toBe(1);
});

test("progress keeps a slow worker", async () => {
  const script = `process.on("message", async ({ id }) => {
    for (let written = 0; written <= 10; written++) {
      process.send({ kind: "progress", id, written, total: 10 });
      await Bun.sleep(300);
    }
    process.send({ kind: "failed", id, code: "io", message: "done", details: { errno: "ENOSPC" } });
  })`;
  await using at = await setUp({ stallMs: 2500, command: fakeWorker(script) });
  await expect(at.destination.put(at.request)).rejects.toMatchObject({
    code: "io",
    message: "done",
    details: { errno: "ENOSPC" },
  });
  expect(at.destination.abandonedWorkers).toBe(0);
});

test("a worker that dies fails what it was asked for, with its last words, and is replaced", async () => {
  const script = `console.error("out of luck"); process.on("message", () => process.exit(3))`;
  await using at = await setUp({ command: fakeWorker(script) });
  for (let round = 0; round < 2; round++) {
    await expect(at.destination.put(at.request)).rejects.toMatchObject({
      code: "internal",
      message: "the upload worker ended with 3",
      details: { stderr: expect.stringContaining("out of luck") },
    });
  }
  expect(at.destination.abandonedWorkers).toBe(0);
});

test("a worker with nothing to do ends, and another is started when there is", async () => {
  await using at = await setUp({ idleMs: 50 });
  const before = await children();
  await at.destination.check();
  await until(async () => (await children()).length === before.length);
  expect(await at.destination.put(at.request)).toMatchObject({ alreadyThere: false });
});

test("passes a cancel on, and waits for its answer", async () => {
  const script = `process.on("message", ({ kind, id }) => {
    if (kind === "put") process.send({ kind: "progress", id, written: 1, total: 2 });
    else process.send({ kind: "failed", id, code: "cancelled", message: "the upload was cancelled", details: {} });
  })`;
  await using at = await setUp({ command: fakeWorker(script) });
  const controller = new AbortController();
  const put = at.destination.put(at.request, {
    onProgress: () => controller.abort(),
    signal: controller.signal,
  });
  await expect(put).rejects.toMatchObject({ code: "cancelled" });
  expect(at.destination.abandonedWorkers).toBe(0);
});

test("the worker keeps to the limit, and is cancelled while it waits", async () => {
  await using at = await setUp({ maxBytesPerSecond: 1 });
  const controller = new AbortController();
  const written: number[] = [];
  const put = at.destination.put(at.request, {
    onProgress: (bytes) => {
      written.push(bytes);
      controller.abort();
    },
    signal: controller.signal,
  });
  await expect(put).rejects.toMatchObject({ code: "cancelled" });
  expect(written).toEqual([1]);
  expect(at.destination.abandonedWorkers).toBe(0);
});

test("check says why when there is no worker to be had", async () => {
  await using at = await setUp({ command: ["/nonexistent/livecam-edge"] });
  expect(await at.destination.check()).toEqual({
    ok: false,
    reason: expect.stringContaining("cannot start /nonexistent/livecam-edge"),
  });
  const destination: ArchiveDestination = at.destination;
  await expect(destination.put(at.request)).rejects.toMatchObject({ code: "unavailable" });
});

test("a worker ends when the edge that started it is killed", async () => {
  await using at = await setUp();
  const modulePath = join(import.meta.dir, "../../../src/edge/uploader/worker-destination.ts");
  const script = `import { WorkerDestination } from ${JSON.stringify(modulePath)};
    const destination = new WorkerDestination({ command: ${JSON.stringify(realWorker)}, stallMs: 60000, logger: {},
      destination: { type: "path", path: ${JSON.stringify(at.archive)} } });
    await destination.check();
    const children = await Bun.file("/proc/self/task/" + process.pid + "/children").text();
    console.log(children.trim());`;
  const edge = startChild({ argv: [process.execPath, "-e", script], stdout: "pipe" });
  const reader = edge.stdout.getReader();
  const worker = Number(new TextDecoder().decode((await reader.read()).value));
  expect(await isRunning(worker)).toBe(true);
  edge.kill("SIGKILL");
  await edge.exited;
  await until(async () => !(await isRunning(worker)));
});

test("archive-worker by hand says that it is not for hands", async () => {
  const child = startChild({ argv: realWorker });
  expect(await child.exited).toMatchObject({
    exitCode: 1,
    stderrTail: expect.stringContaining("not by hand"),
  });
});
