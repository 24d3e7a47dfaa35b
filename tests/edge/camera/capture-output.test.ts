import { expect, test } from "bun:test";
import { startChild } from "../../../src/common/child-process.ts";
import { CaptureOutput } from "../../../src/edge/camera/capture-output.ts";
import { openKernelPipe } from "../../../src/edge/camera/kernel-pipe.ts";
import { growPipe } from "../../../src/edge/camera/pipe-size.ts";

test("a megabyte waits for one read, and the program that wrote it has ended long before", async () => {
  const output = await CaptureOutput.open();
  output.grow();
  const child = startChild({ argv: ["head", "-c", "1048576", "/dev/zero"], stdout: output.writeEnd });
  output.closeWriteEnd();
  expect((await child.exited).exitCode).toBe(0);
  const target = new Uint8Array(2_000_000);
  expect(output.read(target)).toBe(1_048_576);
  expect(output.read(target)).toBe(0);
  output.close();
});

test("reading never waits: nothing yet, then the end", async () => {
  const output = await CaptureOutput.open();
  const child = startChild({ argv: ["cat"], stdin: "pipe", stdout: output.writeEnd });
  output.closeWriteEnd();
  const target = new Uint8Array(100);
  expect(output.read(target)).toBeUndefined();
  child.stdin?.write("hello");
  await child.stdin?.flush();
  let size: number | undefined;
  while (size === undefined) {
    await Bun.sleep(5);
    size = output.read(target);
  }
  expect(new TextDecoder().decode(target.subarray(0, size))).toBe("hello");
  await child.stdin?.end();
  await child.exited;
  expect(output.read(target)).toBe(0);
  output.close();
  // Whoever still looks finds the end.
  expect(output.read(target)).toBe(0);
  output.close();
});

test("a pipe that may not grow stays as it is", async () => {
  const { readEnd, writeEnd } = await openKernelPipe();
  try {
    expect(growPipe(readEnd, 2 ** 30)).toBe(false);
    expect(growPipe(readEnd, 131_072)).toBe(true);
    expect(growPipe(9_999, 131_072)).toBe(false);
  } finally {
    const { closeSync } = await import("node:fs");
    closeSync(readEnd);
    closeSync(writeEnd);
  }
});
