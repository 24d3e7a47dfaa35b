import { describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { runChild } from "../../src/common/child-process.ts";
import { formatConfigError, loadConfigFile, parseConfig } from "../../src/common/config-file.ts";
import { AppError } from "../../src/common/errors.ts";
import { readSecret, Secret, SecretSource } from "../../src/common/secret.ts";

const Schema = v.strictObject({
  name: v.pipe(v.string(), v.minLength(3)),
  width: v.pipe(v.number(), v.minValue(16, "at least 16 pixels")),
  key: SecretSource,
  cameras: v.array(v.strictObject({ kind: v.picklist(["test", "file"]) })),
});

function refusal(text: string, format: "yaml" | "json" = "yaml"): AppError {
  try {
    parseConfig(text, format, Schema, "edge.yaml");
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("was accepted");
}

describe("config files", () => {
  test("name every error at once, with path, expectation and value", () => {
    const error = refusal(
      "name: ab\nwidth: 3\nkey: hunter2\ncameras:\n  - kind: mirror\n    colour: red\nwidht: 5\n",
    );
    expect(error.code).toBe("invalid_config");
    expect(formatConfigError(error).split("\n")).toEqual([
      "edge.yaml is not valid",
      '  name: expected at least 3 characters, got "ab"',
      "  width: expected at least 16 pixels, got 3",
      expect.stringContaining("  key: expected { env: NAME } or { file: PATH }"),
      '  cameras.0.kind: expected ("test" | "file"), got "mirror"',
      "  cameras.0.colour: not a known field; remove it or check its spelling",
      "  widht: not a known field; remove it or check its spelling",
    ]);
  });

  test("name every unknown key, not the first alone", () => {
    const error = refusal(
      "name: abc\nwidth: 16\nb: 1\nconstructor: 2\na: 3\ncameras:\n  - {kind: test, x: 1, y: 2}\n  - {z: 1}\n",
    );
    expect(error.issues.map(({ path }) => path).sort()).toEqual(
      ["a", "b", "cameras.0.x", "cameras.0.y", "cameras.1.kind", "cameras.1.z", "constructor", "key"].sort(),
    );
  });

  test("a secret written where its source belongs is not repeated", () => {
    expect(formatConfigError(refusal("name: abc\nwidth: 16\nkey: hunter2\ncameras: []\n"))).not.toContain(
      "hunter2",
    );
  });

  test("neither is a password in an address", () => {
    const text = "name: abc\nwidth: rtsp://admin:hunter2@10.0.0.1/\nkey: { env: KEY }\ncameras: []\n";
    const [issue] = refusal(text).issues;
    expect(issue?.received).toBe('"rtsp://[user and password]@10.0.0.1/"');
  });

  test("missing fields are named", () => {
    expect(refusal("").issues.map((issue) => issue.path)).toEqual(["name", "width", "key", "cameras"]);
  });

  test("a syntax error tells line and column", () => {
    expect(formatConfigError(refusal("name: [\nwidth: 3\n"))).toMatch(/line \d+, column \d+/);
    expect(formatConfigError(refusal("{", "json"))).toContain("not valid JSON");
  });

  test("a YAML bomb is refused, not expanded", () => {
    const bomb = ["a: &a [x,x,x,x,x,x,x,x,x]"];
    for (let i = 0; i < 12; i++) {
      const previous = String.fromCharCode(97 + i);
      bomb.push(
        `${String.fromCharCode(98 + i)}: &${String.fromCharCode(98 + i)} [${Array(9).fill(`*${previous}`).join(",")}]`,
      );
    }
    expect(refusal(bomb.join("\n")).code).toBe("invalid_config");
  });

  test("a file without an end is refused, a pipe is read", async () => {
    await expect(loadConfigFile("/dev/zero", Schema)).rejects.toMatchObject({
      code: "invalid_config",
      cause: { message: expect.stringContaining("longer than") },
    });
    await expect(readSecret({ file: "/dev/zero" }, {})).rejects.toThrow("cannot read the secret file");
    const folder = await mkdtemp(join(tmpdir(), "livecam-config-"));
    try {
      const pipe = join(folder, "edge.yaml");
      await runChild({ argv: ["mkfifo", pipe], timeoutMs: 10_000 });
      const loaded = loadConfigFile(pipe, Schema);
      await writeFile(pipe, "name: abc\nwidth: 16\nkey: { env: KEY }\ncameras: []\n");
      expect(await loaded).toMatchObject({ name: "abc", width: 16 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("a file that cannot be read says which", async () => {
    await expect(loadConfigFile("/nonexistent/edge.yaml", Schema)).rejects.toThrow("/nonexistent/edge.yaml");
  });
});

describe("secrets", () => {
  test("come from the environment or a file, and show themselves to nobody", async () => {
    const folder = await mkdtemp(join(tmpdir(), "livecam-secret-"));
    try {
      await writeFile(join(folder, "key"), "hunter2\n");
      await writeFile(join(folder, "empty"), "\n");
      const fromFile = await readSecret({ file: join(folder, "key") }, {});
      const fromEnv = await readSecret({ env: "KEY" }, { KEY: "hunter2" });
      for (const secret of [fromFile, fromEnv]) {
        expect(secret.reveal()).toBe("hunter2");
        expect(`${secret} ${JSON.stringify({ secret })} ${Bun.inspect({ secret })}`).not.toContain("hunter2");
      }
      await expect(readSecret({ file: join(folder, "empty") }, {})).rejects.toThrow("is empty");
      await expect(readSecret({ file: join(folder, "none") }, {})).rejects.toThrow(
        "cannot read the secret file",
      );
      await expect(readSecret({ env: "KEY" }, {})).rejects.toThrow("KEY is not set");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("a Secret in an error's details stays hidden", () => {
    const error = new AppError("internal", "x", { details: { key: new Secret("hunter2") } });
    expect(`${JSON.stringify(error.details)} ${Bun.inspect(error.details)}`).not.toContain("hunter2");
  });
});
