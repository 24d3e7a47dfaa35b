import { expect, test } from "bun:test";
import { AppError, errorCodeOf } from "../../../../src/common/errors.ts";
import { CircuitBreaker } from "../../../../src/hub/playback/workers/circuit-breaker.ts";

function setUp() {
  let nowMs = 0;
  let calls = 0;
  const breaker = new CircuitBreaker({ clock: { monotonicMs: () => nowMs }, retryMs: 100 });
  const run = (result: Promise<string>) =>
    breaker.run(
      () => {
        calls++;
        return result;
      },
      (error) => errorCodeOf(error) === "timeout",
    );
  return {
    run,
    calls: () => calls,
    pass: (ms: number) => {
      nowMs += ms;
    },
    good: () => run(Promise.resolve("good")),
    hung: () => run(Promise.reject(new AppError("timeout", "hung"))),
  };
}
const refused = { code: "unavailable", message: "the archive does not answer" };

test("after a call that hung nobody is let through, then one at a time", async () => {
  const { good, hung, run, calls, pass } = setUp();
  expect(await good()).toBe("good");
  await expect(hung()).rejects.toMatchObject({ code: "timeout" });
  pass(99);
  await expect(good()).rejects.toMatchObject(refused);
  expect(calls()).toBe(2);
  pass(1);
  const trial = Promise.withResolvers<string>();
  const tried = run(trial.promise);
  await expect(good()).rejects.toMatchObject(refused);
  trial.resolve("good");
  expect(await tried).toBe("good");
  expect(await good()).toBe("good");
  expect(calls()).toBe(4);
});

test("a trial that hangs begins the wait anew", async () => {
  const { good, hung, pass } = setUp();
  await expect(hung()).rejects.toMatchObject({ code: "timeout" });
  pass(100);
  await expect(hung()).rejects.toMatchObject({ code: "timeout" });
  pass(99);
  await expect(good()).rejects.toMatchObject(refused);
  pass(1);
  expect(await good()).toBe("good");
});

test("an error that is an answer shows that something answers", async () => {
  const { good, hung, run, pass } = setUp();
  const missing = () => run(Promise.reject(new AppError("not_found", "gone")));
  await expect(missing()).rejects.toMatchObject({ code: "not_found" });
  expect(await good()).toBe("good");
  await expect(hung()).rejects.toMatchObject({ code: "timeout" });
  pass(100);
  await expect(missing()).rejects.toMatchObject({ code: "not_found" });
  expect(await good()).toBe("good");
});

test("a call from before that ends well late does not let everybody through at once", async () => {
  const { good, hung, run } = setUp();
  const slow = Promise.withResolvers<string>();
  const early = run(slow.promise);
  await expect(hung()).rejects.toMatchObject({ code: "timeout" });
  slow.resolve("good");
  expect(await early).toBe("good");
  await expect(good()).rejects.toMatchObject(refused);
});
