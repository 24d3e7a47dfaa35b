import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runToEnd, Service, ServiceEnded } from "../../scripts/service.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "livecam-service-"));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const shell = (script: string) => new Service("thing", ["sh", "-c", script], join(dir, "thing.log"));

/** Resolves once the log holds `text`. */
async function logged(text: string): Promise<string> {
  for (;;) {
    const file = Bun.file(join(dir, "thing.log"));
    const log = (await file.exists()) ? await file.text() : "";
    if (log.includes(text)) return log;
    await Bun.sleep(10);
  }
}

const isAlive = (pid: number) => {
  try {
    // A zombie still takes signals; it has no command line any more.
    return readFileSync(`/proc/${pid}/cmdline`).length > 0;
  } catch {
    return false;
  }
};

describe("Service", () => {
  test("tells of a program that ends by itself, with the end of its log", async () => {
    const service = shell("echo starting; echo no such camera >&2; exit 3");
    const error = await service.endedByItself.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ServiceEnded);
    expect((error as Error).message).toMatch(/^the thing ended by itself \(exit code 3\)/);
    expect((error as Error).message).toContain("no such camera");
  });

  test("stop lets the program end by itself", async () => {
    const service = shell('trap "echo closed; exit 0" TERM; echo ready; while :; do sleep 0.05; done');
    await logged("ready");
    expect(await service.stop(30_000)).toBe(true);
    await logged("closed");
  });

  test("stop ends what does not listen, and what it started", async () => {
    const service = shell('trap "" TERM; sleep 600 & echo "pid $!"; while :; do sleep 0.05; done');
    const child = Number(/pid (\d+)/.exec(await logged("pid "))?.[1]);
    expect(isAlive(child)).toBe(true);
    expect(await service.stop(100)).toBe(false);
    while (isAlive(child)) await Bun.sleep(10);
  });

  test("a program that was stopped is no surprise", async () => {
    const service = shell("echo ready; exec sleep 600");
    await logged("ready");
    await service.stop(30_000);
    const first = await Promise.race([service.endedByItself, Bun.sleep(50).then(() => "nothing")]);
    expect(first).toBe("nothing");
  });

  test("ends when the script that started it is killed", async () => {
    const script = `
      import { Service } from ${JSON.stringify(join(import.meta.dir, "../../scripts/service.ts"))};
      new Service("thing", ["sh", "-c", "echo pid $$; exec sleep 600"], process.argv[2]);
      setInterval(() => {}, 1000);
    `;
    await Bun.write(join(dir, "script.ts"), script);
    const child = Bun.spawn([process.execPath, join(dir, "script.ts"), join(dir, "thing.log")], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const pid = Number(/pid (\d+)/.exec(await logged("pid "))?.[1]);
    expect(isAlive(pid)).toBe(true);
    child.kill("SIGKILL");
    while (isAlive(pid)) await Bun.sleep(10);
  });
});

describe("runToEnd", () => {
  test("answers with what was printed, and throws with what went wrong", async () => {
    expect(await runToEnd(["cat"], "secret")).toBe("secret");
    await expect(runToEnd(["sh", "-c", "echo broken >&2; exit 2"])).rejects.toThrow("exit code 2:\nbroken");
  });
});
