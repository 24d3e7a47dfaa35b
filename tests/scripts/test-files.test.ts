import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTestFile, sideBySide } from "../../scripts/test-files.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "livecam-test-files-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function run(body: string, { limitMinutes = 5, signal = new AbortController().signal } = {}) {
  await Bun.write(join(root, "a.test.ts"), `import { expect, test } from "bun:test";\n${body}`);
  return runTestFile("a.test.ts", { root, testLimitSeconds: 60, limitMinutes, signal });
}

/** A zombie has no command line any more. */
const isAlive = async (pid: number) =>
  (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")) !== "";

const steady = 'test("steady", () => {});';

describe("a test file", () => {
  test("tells what passed, and all that it wrote", async () => {
    const outcome = await run(`${steady}\nconsole.log("to stdout"); console.error("to stderr");`);
    expect(outcome).toMatchObject({ report: { passed: 1, failed: [] }, trouble: undefined, hung: false });
    expect(outcome.output).toContain("to stdout\nto stderr\n");
  });

  test("with a test that never ends loses that one alone, by its name", async () => {
    const { report } = await run(`test("never ends", () => Bun.sleep(1e8), 200);\n${steady}`);
    expect(report).toMatchObject({ passed: 1, failed: ["never ends"] });
  });

  test("with a loop that never ends is killed at its limit", async () => {
    const outcome = await run('test("spins", () => { for (;;); });', { limitMinutes: 1 / 60 });
    expect(outcome).toMatchObject({ hung: true, trouble: expect.stringContaining("still running after") });
  });

  test("that ends its whole process group ends nobody else", async () => {
    const outcome = await run(`process.kill(0, "SIGTERM");\n${steady}`);
    expect(outcome.trouble).toBe("the test runner died (SIGTERM)");
  });

  test("leaves nothing running", async () => {
    const script = "sleep 600 & echo $!";
    const { report } = await run(`test("leaves", async () => {
      const child = Bun.spawn(["sh", "-c", ${JSON.stringify(script)}], { stdout: "pipe" });
      const { value } = await child.stdout.getReader().read();
      await Bun.write(${JSON.stringify(join(root, "pid"))}, value);
      await child.exited;
    });`);
    expect(report).toMatchObject({ passed: 1, failed: [] });
    const pid = Number(await Bun.file(join(root, "pid")).text());
    expect(pid).toBeGreaterThan(0);
    while (await isAlive(pid)) await Bun.sleep(10);
  });

  test("ends when it is told to", async () => {
    const ending = new AbortController();
    const started = join(root, "started");
    const never = `test("never ends", async () => { await Bun.write("${started}", ""); await Bun.sleep(1e8); });`;
    const running = run(never, { signal: ending.signal });
    while (!(await Bun.file(started).exists())) await Bun.sleep(10);
    ending.abort();
    expect((await running).trouble).toBe("the test runner died (SIGTERM)");
  });
});

describe("side by side", () => {
  test("goes on in order with as many at once as it may", async () => {
    const begun: number[] = [];
    let now = 0;
    let most = 0;
    await sideBySide([0, 1, 2, 3, 4, 5, 6], 3, async (item) => {
      begun.push(item);
      most = Math.max(most, ++now);
      await Bun.sleep(1);
      now--;
    });
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(most).toBe(3);
  });

  test("an error of one is thrown when all have ended", async () => {
    const ended: number[] = [];
    const work = async (item: number) => {
      if (item === 0) throw new Error("the first");
      await Bun.sleep(1);
      ended.push(item);
    };
    await expect(sideBySide([0, 1, 2], 2, work)).rejects.toThrow("the first");
    expect(ended).toEqual([1, 2]);
  });
});
