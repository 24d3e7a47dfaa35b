import { describe, expect, test } from "bun:test";
import { BoundedTasks } from "../../../src/hub/playback/bounded-tasks.ts";

/** A task that ends when it is told to, and knows whether it was given up. */
function held() {
  const { promise, resolve } = Promise.withResolvers<string>();
  const started: AbortSignal[] = [];
  const task = (givenUp: AbortSignal) => {
    started.push(givenUp);
    givenUp.addEventListener("abort", () => resolve("too late"));
    return promise;
  };
  return { task, started, end: resolve };
}
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("those who ask for the same", () => {
  test("get the result of one task", async () => {
    const tasks = new BoundedTasks<string>({ concurrency: 1, queueLength: 1 });
    const { task, started, end } = held();
    const asker = new AbortController();
    const results = [
      tasks.run("a", task),
      ...Array.from({ length: 50 }, () => tasks.run("a", task, asker.signal)),
    ];
    end("done");
    expect(new Set(await Promise.all(results))).toEqual(new Set(["done"]));
    expect(started.length).toBe(1);
    expect([tasks.size, tasks.running, tasks.waiting]).toEqual([0, 0, 0]);
  });

  test("do not lose it when one of them gives up", async () => {
    const tasks = new BoundedTasks<string>({ concurrency: 1, queueLength: 1 });
    const { task, started, end } = held();
    const [first, second] = [new AbortController(), new AbortController()];
    const [gone, there] = [tasks.run("a", task, first.signal), tasks.run("a", task, second.signal)];
    first.abort();
    await expect(gone).rejects.toMatchObject({ code: "cancelled" });
    expect(started[0]?.aborted).toBe(false);
    end("done");
    expect(await there).toBe("done");
  });

  test("all give up: the task is aborted, and who asks then gets another", async () => {
    const tasks = new BoundedTasks<string>({ concurrency: 2, queueLength: 1 });
    const [old, fresh] = [held(), held()];
    const askers = [new AbortController(), new AbortController()];
    const results = askers.map(({ signal }) => tasks.run("a", old.task, signal));
    for (const asker of askers) asker.abort();
    const next = tasks.run("a", fresh.task);
    for (const result of results) await expect(result).rejects.toMatchObject({ code: "cancelled" });
    expect(old.started[0]?.aborted).toBe(true);
    fresh.end("fresh");
    expect(await next).toBe("fresh");
  });

  test("one who has gone already starts nothing", async () => {
    const tasks = new BoundedTasks<string>({ concurrency: 1, queueLength: 1 });
    const { task, started } = held();
    await expect(tasks.run("a", task, AbortSignal.abort())).rejects.toMatchObject({ code: "cancelled" });
    expect([started.length, tasks.size]).toEqual([0, 0]);
  });
});

describe("a full queue", () => {
  test("refuses more, and has room again when one who waits gives up", async () => {
    const tasks = new BoundedTasks<string>({ concurrency: 1, queueLength: 1 });
    const [running, waiting, next] = [held(), held(), held()];
    const first = tasks.run("a", running.task);
    const asker = new AbortController();
    const second = tasks.run("b", waiting.task, asker.signal);
    await expect(tasks.run("c", next.task)).rejects.toMatchObject({ code: "unavailable" });
    asker.abort();
    await expect(second).rejects.toMatchObject({ code: "cancelled" });
    const third = tasks.run("c", next.task);
    running.end("done");
    next.end("done");
    expect(await Promise.all([first, third])).toEqual(["done", "done"]);
    await settle();
    expect([waiting.started.length, tasks.size, tasks.running, tasks.waiting]).toEqual([0, 0, 0, 0]);
  });

  test("a place stays taken until the task that was given up has ended", async () => {
    const tasks = new BoundedTasks<string>({ concurrency: 1, queueLength: 1 });
    const { promise, resolve } = Promise.withResolvers<string>();
    const asker = new AbortController();
    const stubborn = tasks.run("a", () => promise, asker.signal);
    asker.abort();
    await expect(stubborn).rejects.toMatchObject({ code: "cancelled" });
    const next = held();
    const waiting = tasks.run("b", next.task);
    await settle();
    expect([next.started.length, tasks.running, tasks.waiting]).toEqual([0, 1, 1]);
    resolve("at last");
    next.end("done");
    expect(await waiting).toBe("done");
  });
});
