import { expect, test } from "bun:test";
import { AppError } from "../../src/common/errors.ts";
import { watch } from "../../src/edge/cli-watch.ts";

/** Shows each of `looks` in turn, then ends. */
async function shown(looks: (string | Error)[], isTTY: boolean): Promise<string[]> {
  const written: string[] = [];
  const over = new AbortController();
  let count = 0;
  await watch({
    read: async () => {
      const look = looks[count++];
      if (count > looks.length) over.abort();
      if (look instanceof Error) throw look;
      return look ?? "after the end";
    },
    out: { isTTY, write: (text) => written.push(text) },
    everyMs: 1,
    signal: over.signal,
  });
  return written;
}

test("elsewhere than on a terminal one look follows the other", async () => {
  expect(await shown(["a\n", "b\n"], false)).toEqual(["a\n", "b\n"]);
});

test("on a terminal each look is drawn over the one before, line by line", async () => {
  const [cleared, first, second] = await shown(["long line\nmore\n", "x\n"], true);
  expect(cleared).toBe("\u001b[2J");
  expect(first).toBe("\u001b[Hlong line\u001b[K\nmore\u001b[K\n\u001b[J");
  expect(second).toBe("\u001b[Hx\u001b[K\n\u001b[J");
});

test("an edge that is away for a while is waited for", async () => {
  const away = new AppError("unavailable", "no livecam-edge answers");
  expect(await shown(["a\n", away, "b\n"], false)).toEqual(["a\n", "no livecam-edge answers\n", "b\n"]);
});
