import { describe, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { withLiteralAddon } from "../../scripts/embed-libsql-addon.ts";

const installed = await Bun.file(
  join(resolve(import.meta.dir, "../.."), "node_modules/libsql/index.js"),
).text();

describe("withLiteralAddon", () => {
  test("requires exactly the addon of the target in the installed libsql", () => {
    const source = withLiteralAddon(installed, "linux-arm64");
    const required = [...source.matchAll(/require\((.*?)\)/g)].map(([, name]) => name);
    expect(required).toEqual(['"@libsql/linux-arm64-gnu/index.node"', '"./auth"', '"./sqlite-error"']);
    expect(() => new Bun.Transpiler({ loader: "js" }).transformSync(source)).not.toThrow();
  });

  test.each([
    ["another import line", installed.replace('require("detect-libc")', 'require("detect-libc/v2")')],
    ["another function", installed.replace("function requireNative()", "function requireAddon()")],
    ["one more use of the removed imports", `${installed}\nconst again = currentTarget();\n`],
    ["nothing of libsql", "module.exports = 1;\n"],
  ])("refuses %s", (_, source) => {
    expect(() => withLiteralAddon(source, "linux-x64")).toThrow("libsql/index.js has changed");
  });
});
