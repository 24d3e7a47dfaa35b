import type { BunPlugin } from "bun";

/** What libsql does at run time to find its addon: a `require` of a computed name, which no bundler can follow. */
const loaderImports = [
  'const { load, currentTarget } = require("@neon-rs/load");\n',
  'const { familySync, GLIBC, MUSL } = require("detect-libc");\n',
];
const loader = /function requireNative\(\) \{\n[\s\S]*?\n\}\n/;

/**
 * The source of `libsql/index.js` with the addon of one target required by name, so that it ends up inside the
 * binary. Throws when the source is not the one this was written for: the binary would build, and then fail at its
 * first query, but only where there is no node_modules to be found.
 */
export function withLiteralAddon(source: string, target: string): string {
  let result = source;
  for (const line of loaderImports) {
    if (!result.includes(line)) throw new Error(`libsql/index.js has changed: no line ${line.trim()}`);
    result = result.replace(line, "");
  }
  if (!loader.test(result)) throw new Error("libsql/index.js has changed: no function requireNative");
  result = result.replace(
    loader,
    `function requireNative() {\n  return require("@libsql/${target}-gnu/index.node");\n}\n`,
  );
  const leftover = /\b(?:load|currentTarget|familySync|GLIBC|MUSL)\b\s*\(/.exec(result);
  if (leftover) throw new Error(`libsql/index.js has changed: ${leftover[0]}…) is still called`);
  return result;
}

export function embedLibsqlAddon(target: string): { plugin: BunPlugin; wasEmbedded: () => boolean } {
  let embedded = false;
  const plugin: BunPlugin = {
    name: "embed-libsql-addon",
    setup(build) {
      build.onLoad({ filter: /[\\/]libsql[\\/]index\.js$/ }, async ({ path }) => {
        const contents = withLiteralAddon(await Bun.file(path).text(), target);
        embedded = true;
        return { contents, loader: "js" };
      });
    },
  };
  return { plugin, wasEmbedded: () => embedded };
}
