import { expect, test } from "bun:test";
import { Turns } from "../../src/hub/turns.ts";

test("are so many at a time, in order; who leaves makes room, and too many are refused", async () => {
  const turns = new Turns({ atOnce: 1, most: 2, refusal: "too many" });
  const first = Promise.withResolvers<void>();
  const done: string[] = [];
  const take = (name: string, signal?: AbortSignal) => turns.take(async () => void done.push(name), signal);
  const holding = turns.take(() => first.promise);
  const gone = new AbortController();
  const leaving = take("leaving", gone.signal);
  const waiting = take("waiting");
  await expect(take("too many")).rejects.toMatchObject({ code: "unavailable" });
  gone.abort();
  await expect(leaving).rejects.toMatchObject({ code: "cancelled" });
  const last = take("last");
  first.resolve();
  await Promise.all([holding, waiting, last]);
  expect(done).toEqual(["waiting", "last"]);
  expect(turns.isIdle).toBe(true);
  await expect(turns.take(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await turns.take(async () => 1)).toBe(1);
});

test("one that waited too long is refused, and the next is not held up", async () => {
  const turns = new Turns({ atOnce: 1, most: 2, maxWaitMs: 20, refusal: "too many" });
  const holding = await turns.acquire();
  await expect(turns.acquire()).rejects.toMatchObject({ code: "unavailable", message: "too many" });
  holding[Symbol.dispose]();
  using _next = await turns.acquire();
});
