import { afterEach, describe, expect, test } from "bun:test";
import { runChild, selfCommand, startChild } from "../../src/common/child-process.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("child processes", () => {
  test("argv reaches the program as it is, no shell between", async () => {
    const exit = await runChild({ argv: ["printf", "%s|", "$(id)", "a b", "; ls"], timeoutMs: 10_000 });
    expect(text(exit.stdout)).toBe("$(id)|a b|; ls|");
    expect(exit.exitCode).toBe(0);
  });

  test("a program that is not there is a clear error", () => {
    expect(() => startChild({ argv: ["livecam-no-such-program"] })).toThrow(
      "cannot start livecam-no-such-program; is it installed and on PATH?",
    );
  });

  test("a flood on stderr neither blocks nor fills memory; lines come and the tail is kept", async () => {
    let lines = 0;
    const child = startChild({
      argv: ["sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo line $i >&2; i=$((i+1)); done; exit 3"],
      onStderrLine: () => lines++,
    });
    const exit = await child.exited;
    expect(exit.exitCode).toBe(3);
    expect(lines).toBe(20_000);
    expect(exit.stderrTail.length).toBeLessThanOrEqual(4096);
    expect(exit.stderrTail).toEndWith("line 19999\n");
  });

  test("one that ignores SIGINT is killed", async () => {
    const abort = new AbortController();
    const child = startChild({
      argv: ["sh", "-c", "trap '' INT; echo ready; while :; do sleep 0.05; done"],
      stdout: "pipe",
      signal: abort.signal,
      killAfterMs: 100,
    });
    const reader = child.stdout.getReader();
    expect(text((await reader.read()).value ?? new Uint8Array())).toBe("ready\n");
    abort.abort();
    expect((await child.exited).signal).toBe("SIGKILL");
    expect(isAlive(child.pid)).toBe(false);
  });

  test("a deadline ends a hanging command", async () => {
    await expect(runChild({ argv: ["sleep", "60"], timeoutMs: 100 })).rejects.toThrow(
      "did not end within 100 ms",
    );
  });

  test("endless output is cut off", async () => {
    await expect(runChild({ argv: ["yes"], timeoutMs: 30_000, maxOutputBytes: 1_000_000 })).rejects.toThrow(
      "wrote more than 1000000 bytes",
    );
  });

  test("stdin given as bytes arrives whole", async () => {
    const stdin = crypto.getRandomValues(new Uint8Array(60_000));
    const exit = await runChild({ argv: ["cat"], stdin, timeoutMs: 10_000 });
    expect(Buffer.compare(exit.stdout, stdin)).toBe(0);
  });
});

describe("the command that starts this program again", () => {
  afterEach(() => {
    delete process.env.LIVECAM_SELF_COMMAND;
  });

  test("is bun with the entry file, the binary itself, or what the environment says", () => {
    expect(selfCommand("/src/edge/main.ts")).toEqual([process.execPath, "/src/edge/main.ts"]);
    expect(selfCommand("/$bunfs/root/livecam-edge")).toEqual([process.execPath]);
    process.env.LIVECAM_SELF_COMMAND = '["qemu-aarch64-static","/bin/livecam-edge"]';
    expect(selfCommand("/src/edge/main.ts")).toEqual(["qemu-aarch64-static", "/bin/livecam-edge"]);
    process.env.LIVECAM_SELF_COMMAND = '"sh -c id"';
    expect(() => selfCommand("/src/edge/main.ts")).toThrow("must be a JSON array of strings");
  });
});
