import { expect, test } from "bun:test";
import { PartTurns } from "../../../src/edge/hub-link/part-turns.ts";

const never = new AbortController().signal;

test("parts go one after the other, and only when what was sent before has left", async () => {
  const wire = { behind: 200_000 };
  const turns = new PartTurns({ bufferedBytes: () => wire.behind });
  const read: string[] = [];
  const take = (name: string) =>
    turns.take(async () => {
      read.push(name);
      wire.behind = 200_000;
    }, never);
  const both = Promise.all([take("a"), take("b")]);
  for (let i = 0; i < 5; i++) await Bun.sleep(10);
  expect(read).toEqual([]);
  wire.behind = 100_000;
  while (read.length === 0) await Bun.sleep(1);
  await Bun.sleep(30);
  expect(read).toEqual(["a"]);
  wire.behind = 0;
  await both;
  expect(read).toEqual(["a", "b"]);
});

test("one that nobody waits for any more is not read, and one that fails holds up nobody", async () => {
  const turns = new PartTurns({ bufferedBytes: () => 1e6 });
  const gone = new AbortController();
  const waiting = turns.take(async () => "read", gone.signal);
  gone.abort();
  await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
  const free = new PartTurns({ bufferedBytes: () => 0 });
  await expect(free.take(() => Promise.reject(new Error("no disk")), never)).rejects.toThrow("no disk");
  expect(await free.take(async () => "read", never)).toBe("read");
});
