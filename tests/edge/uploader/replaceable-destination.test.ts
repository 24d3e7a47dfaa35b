import { describe, expect, test } from "bun:test";
import { AppError, errorCodeOf } from "../../../src/common/errors.ts";
import type { PutOptions, PutRequest, PutResult } from "../../../src/edge/uploader/archive-destination.ts";
import {
  type Replaceable,
  ReplaceableDestination,
} from "../../../src/edge/uploader/replaceable-destination.ts";

const request = { sourcePath: "/spool/a" } as PutRequest;
const result = (filePath: string) => ({ filePath }) as PutResult;

/** A destination whose puts end when the test says so, or when they are cancelled. */
function fakeDestination(name: string, log: string[], { ignoresCancel = false } = {}) {
  const puts: PromiseWithResolvers<PutResult>[] = [];
  let isClosed = false;
  const destination: Replaceable = {
    abandonedWorkers: 1,
    put(_request: PutRequest, { signal }: PutOptions = {}) {
      if (isClosed) log.push(`${name} put after its end`);
      log.push(`${name} put`);
      const put = Promise.withResolvers<PutResult>();
      puts.push(put);
      signal?.addEventListener("abort", () => {
        log.push(`${name} cancelled`);
        if (ignoresCancel) return;
        // What was begun is removed first.
        setTimeout(() => {
          log.push(`${name} cleaned`);
          put.reject(new AppError("cancelled", "the upload was cancelled"));
        }, 20);
      });
      return put.promise;
    },
    check: async () => ({ ok: true, archiveId: name, freeBytes: undefined }),
    async [Symbol.asyncDispose]() {
      log.push(`${name} closed`);
      isClosed = true;
      // As a worker that is killed.
      for (const put of puts) put.reject(new AppError("cancelled", "the upload worker was stopped"));
    },
  };
  return { destination, puts };
}

describe("a destination that is replaced", () => {
  test("cancels what runs, is closed, and only then the new one is used", async () => {
    const log: string[] = [];
    const first = fakeDestination("first", log);
    const second = fakeDestination("second", log);
    await using both = new ReplaceableDestination(first.destination);
    const running = both.put(request).catch(errorCodeOf);
    await Bun.sleep(0);
    const replaced = both.replace(second.destination);
    const next = both.put(request);
    expect(await running).toBe("cancelled");
    await replaced;
    while (second.puts.length === 0) await Bun.sleep(1);
    second.puts[0]?.resolve(result("a"));
    expect(await next).toEqual(result("a"));
    expect(log).toEqual(["first put", "first cancelled", "first cleaned", "first closed", "second put"]);
    expect(await both.check()).toMatchObject({ archiveId: "second" });
    expect(both.abandonedWorkers).toBe(2);
  });

  test("is not waited for when it hangs, longer than its end takes", async () => {
    const log: string[] = [];
    const first = fakeDestination("first", log, { ignoresCancel: true });
    const second = fakeDestination("second", log);
    const both = new ReplaceableDestination(first.destination, { cancelMs: 10 });
    const running = both.put(request).catch(errorCodeOf);
    await Bun.sleep(0);
    await both.replace(second.destination);
    expect(await running).toBe("cancelled");
    expect(log).toEqual(["first put", "first cancelled", "first closed"]);
  });

  test("twice at once: the one in between is never used, and each is closed once", async () => {
    const log: string[] = [];
    const [first, second, third] = ["first", "second", "third"].map((name) => fakeDestination(name, log));
    const both = new ReplaceableDestination((first as { destination: Replaceable }).destination);
    const replacing = both.replace((second as { destination: Replaceable }).destination);
    const between = both.put(request).catch(errorCodeOf);
    await Promise.all([replacing, both.replace((third as { destination: Replaceable }).destination)]);
    expect(await between).toBe("cancelled");
    await both[Symbol.asyncDispose]();
    expect(log).toEqual(["first closed", "second closed", "third closed"]);
  });

  test("what was cancelled by its caller stays cancelled", async () => {
    const log: string[] = [];
    const { destination } = fakeDestination("first", log);
    await using both = new ReplaceableDestination(destination);
    const controller = new AbortController();
    const running = both.put(request, { signal: controller.signal }).catch(errorCodeOf);
    await Bun.sleep(0);
    controller.abort();
    expect(await running).toBe("cancelled");
  });
});
