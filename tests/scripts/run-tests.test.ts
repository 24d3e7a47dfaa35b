import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const scripts = resolve(import.meta.dir, "../../scripts");
const head = 'import { describe, expect, test, afterAll } from "bun:test";\n';
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "livecam-run-tests-"));
  await mkdir(join(root, "scripts"));
  for (const name of ["run-tests.ts", "test-files.ts", "junit-report.ts"])
    await cp(join(scripts, name), join(root, "scripts", name));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

/** Runs the runner over a tree that holds only these test files. */
function runOver(files: Record<string, string>, ...options: string[]) {
  return runWith({ CI: "true" }, files, ...options);
}

async function runWith(env: { CI: string }, files: Record<string, string>, ...options: string[]) {
  const child = await startOver(env, files, ...options);
  const [stdout, stderr, exitCode] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { exitCode, lastLine: stdout.trimEnd().split("\n").at(-1), stdout, stderr };
}

async function startOver(env: { CI: string }, files: Record<string, string>, ...options: string[]) {
  for (const [path, body] of Object.entries(files)) await Bun.write(join(root, "tests", path), head + body);
  return Bun.spawn([process.execPath, join(root, "scripts/run-tests.ts"), ...options], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...env },
  });
}

const passing = 'test("one", () => {});\ndescribe("in a suite", () => test("two", () => {}));\n';

describe("scripts/run-tests.ts", () => {
  test("counts what passed and ends with 0", async () => {
    const result = await runOver(
      { "common/a.test.ts": passing, "e2e/b.test.ts": passing },
      "--unit",
      "--e2e",
    );
    expect(result).toMatchObject({ exitCode: 0, lastLine: "4 passed, 0 failed" });
  });

  test("runs only the part asked for", async () => {
    const files = {
      "common/a.test.ts": passing,
      "e2e/b.test.ts": 'test("b", () => {});',
      "e2e/binaries.test.ts": 'test("c", () => { expect(1).toBe(2); });',
    };
    expect((await runOver(files, "--unit")).lastLine).toBe("2 passed, 0 failed");
    expect((await runOver(files, "--e2e")).lastLine).toBe("1 passed, 0 failed");
    expect(await runOver(files, "--binaries")).toMatchObject({ exitCode: 1, lastLine: "0 passed, 1 failed" });
    expect((await runOver(files, "--only", "e2e/b.")).lastLine).toBe("1 passed, 0 failed");
  });

  test("counts skipped tests and prints each with its reason", async () => {
    const body = `${passing}test.skip("needs root [not root]", () => {});\ntest.skip("bare <&>", () => {});\n`;
    const result = await runOver({ "common/a.test.ts": body }, "--unit");
    expect(result).toMatchObject({ exitCode: 0, lastLine: "2 passed, 0 failed, 2 skipped" });
    expect(result.stdout).toContain("skipped: tests/common/a.test.ts: needs root [not root]\n");
    expect(result.stdout).toContain("skipped: tests/common/a.test.ts: bare <&> [no reason given]\n");
  });

  test("that is told to end does so, without going on to the next part or counting", async () => {
    const started = join(root, "started");
    const never = `test("never ends", async () => { await Bun.write("${started}", ""); await Bun.sleep(1e6); });`;
    const files = { "common/a.test.ts": never, "e2e/b.test.ts": passing };
    const child = await startOver({ CI: "true" }, files, "--unit", "--e2e");
    while (!(await Bun.file(started).exists())) await Bun.sleep(20);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(1);
    expect(await child.stderr.text()).toContain("ended by SIGTERM: the tests are not whole");
    expect(await child.stdout.text()).not.toContain("passed");
  });

  const broken = {
    "a test that fails": 'test("bad", () => { expect(1).toBe(2); });',
    "a file that throws while it is loaded": 'throw new Error("at load");',
    "a hook that throws": 'test("x", () => {}); afterAll(() => { throw new Error("late"); });',
    "a rejection nobody handles": 'test("x", () => { void Promise.reject(new Error("lost")); });',
    "a process that is killed": 'test("dies", () => { process.kill(process.pid, "SIGKILL"); });',
    "a process that exits by itself": 'test("leaves", () => { process.exit(0); });',
    "a file without a test": "",
  };
  for (const [what, body] of Object.entries(broken)) {
    test(`fails for ${what}`, async () => {
      const result = await runOver({ "common/a.test.ts": passing, "common/b.test.ts": body }, "--unit");
      expect(result.exitCode).toBe(1);
      // It costs itself, and nothing of another file.
      expect(result.lastLine).toMatch(/^[2-9] passed, 1 failed$/);
    });
  }

  const atSecondTry = `
    const seen = Bun.file(import.meta.dir + "/seen");
    test("steady", () => {});
    test("unsteady", async () => {
      const wasHere = await seen.exists();
      await Bun.write(seen, "x");
      expect(wasHere).toBe(true);
    });`;

  test("in CI, counts and names what passes at the second try", async () => {
    const files = { "common/a.test.ts": passing, "common/b.test.ts": atSecondTry };
    const result = await runOver(files, "--unit");
    expect(result).toMatchObject({ exitCode: 0, lastLine: "4 passed, 0 failed" });
    expect(result.stdout).toContain("unsteady, passed at the second try: tests/common/b.test.ts: unsteady\n");
  });

  test("in CI, a file that dies is tried again, too", async () => {
    const body = `
      const seen = Bun.file(import.meta.dir + "/seen");
      test("dies", async () => {
        if (await seen.exists()) return;
        await Bun.write(seen, "x");
        process.kill(process.pid, "SIGKILL");
      });`;
    const result = await runOver({ "common/b.test.ts": body }, "--unit");
    expect(result).toMatchObject({ exitCode: 0, lastLine: "1 passed, 0 failed" });
    expect(result.stdout).toContain(
      "unsteady, passed at the second try: tests/common/b.test.ts: the test runner died (SIGKILL)\n",
    );
  });

  test("elsewhere, what fails has failed", async () => {
    const result = await runWith({ CI: "" }, { "common/b.test.ts": atSecondTry }, "--unit");
    expect(result).toMatchObject({ exitCode: 1, lastLine: "1 passed, 1 failed" });
    expect(result.stdout).toContain("failed: unit: tests/common/b.test.ts: unsteady\n");
  });

  test("what fails twice has failed, once", async () => {
    const bad = 'test("bad", () => { expect(1).toBe(2); });';
    const result = await runOver({ "common/a.test.ts": bad, "common/b.test.ts": atSecondTry }, "--unit");
    expect(result).toMatchObject({ exitCode: 1, lastLine: "2 passed, 1 failed" });
  });

  test("fails when nothing ran, or only skipped tests did", async () => {
    expect(await runOver({}, "--unit")).toMatchObject({ exitCode: 1, lastLine: "0 passed, 0 failed" });
    const skipped = { "common/a.test.ts": 'test.skip("x [y]", () => {});' };
    expect(await runOver(skipped, "--unit")).toMatchObject({
      exitCode: 1,
      lastLine: "0 passed, 0 failed, 1 skipped",
    });
  });

  test("refuses an option it does not know", async () => {
    const result = await runOver({}, "--fast");
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain("Usage:");
  });
});
