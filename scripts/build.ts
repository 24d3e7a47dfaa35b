import { mkdir, rename, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { embedClientScript } from "./embed-client-script.ts";
import { embedLibsqlAddon } from "./embed-libsql-addon.ts";

const root = resolve(import.meta.dir, "..");
export const binaries = ["edge", "hub"] as const;
export const targets = ["linux-x64", "linux-arm64"] as const;
export type Binary = (typeof binaries)[number];
export type Target = (typeof targets)[number];

const usage = `Usage: scripts/build [--binary edge|hub] [--target linux-x64|linux-arm64] [--out DIR] [--commit ID]

Compiles livecam-edge and livecam-hub, each one file with runtime, database addon, migrations and web pages inside,
to DIR/livecam-BINARY-TARGET (DIR is dist/) and writes DIR/SHA256SUMS. --binary and --target may be repeated;
without them all are built. --commit is for builds outside a git checkout.
`;

/** Short hash of the checkout, with "-dirty" when tracked files differ from it; "unknown" outside of git. */
async function currentCommit(): Promise<string> {
  if (Bun.which("git") === null) return "unknown";
  const git = Bun.spawn(
    ["git", "-C", root, "describe", "--always", "--dirty", "--exclude=*", "--abbrev=10"],
    {
      stdout: "pipe",
      stderr: "ignore",
    },
  );
  const text = (await git.stdout.text()).trim();
  return (await git.exited) === 0 && text !== "" ? text : "unknown";
}

/** Compiles one binary and answers with its path. Throws with Bun's messages when the sources do not bundle. */
export async function buildBinary(options: {
  binary: Binary;
  target: Target;
  outDir: string;
  commit?: string;
}): Promise<string> {
  const { binary, target } = options;
  const { version } = await Bun.file(join(root, "package.json")).json();
  const outfile = join(options.outDir, `livecam-${binary}-${target}`);
  const unfinished = `${outfile}.partial`;
  await mkdir(options.outDir, { recursive: true });

  const addon = embedLibsqlAddon(target);
  const script = await embedClientScript();
  try {
    await Bun.build({
      entrypoints: [join(root, "src", binary, "main.ts")],
      compile: {
        target: `bun-${target}`,
        outfile: unfinished,
        // A program that runs as a service must not take settings, or code to preload, from where it is started.
        autoloadDotenv: false,
        autoloadBunfig: false,
      },
      minify: { syntax: true, whitespace: true, identifiers: false },
      // Stack traces in the logs of users name our files and lines; the map lies inside the binary.
      sourcemap: "linked",
      // Parsed ahead of time for a quicker start; only ESM keeps top-level await.
      bytecode: true,
      format: "esm",
      define: {
        LIVECAM_BUILD_VERSION: JSON.stringify(version),
        LIVECAM_BUILD_COMMIT: JSON.stringify(options.commit ?? (await currentCommit())),
        "process.env.NODE_ENV": JSON.stringify("production"),
      },
      plugins: [addon.plugin, script.plugin],
    });
    if (binary === "hub" && !addon.wasEmbedded()) {
      throw new Error("libsql/index.js was not bundled: the hub's binary would have no database");
    }
    if (binary === "hub" && !script.wasEmbedded()) {
      throw new Error(
        "ui/bundled-client.ts was not bundled: the hub's binary would have no script for its pages",
      );
    }
    await rename(unfinished, outfile);
  } finally {
    for (const leftover of [unfinished, `${unfinished}.map`]) await rm(leftover, { force: true });
  }
  return outfile;
}

/** Writes the sums of every livecam binary in `dir`, as `sha256sum --check` reads them. */
async function writeSums(dir: string): Promise<void> {
  const names = [...new Bun.Glob("livecam-{edge,hub}-linux-{x64,arm64}").scanSync({ cwd: dir })].sort();
  const lines: string[] = [];
  for (const name of names) {
    const hash = new Bun.CryptoHasher("sha256");
    for await (const chunk of Bun.file(join(dir, name)).stream()) hash.update(chunk);
    lines.push(`${hash.digest("hex")}  ${name}\n`);
  }
  await Bun.write(join(dir, "SHA256SUMS"), lines.join(""));
}

function oneOf<T extends string>(
  option: string,
  allowed: readonly T[],
  given: string[] | undefined,
): readonly T[] {
  for (const value of given ?? []) {
    if (!(allowed as readonly string[]).includes(value)) {
      throw new TypeError(`${option} is one of ${allowed.join(", ")}, not "${value}"`);
    }
  }
  return given === undefined ? allowed : allowed.filter((value) => given.includes(value));
}

function parseOptions(argv: string[]) {
  const { values } = parseArgs({
    args: argv,
    options: {
      binary: { type: "string", multiple: true },
      target: { type: "string", multiple: true },
      out: { type: "string", default: join(root, "dist") },
      commit: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  return {
    help: values.help === true,
    binaries: oneOf("--binary", binaries, values.binary),
    targets: oneOf("--target", targets, values.target),
    outDir: resolve(values.out),
    commit: values.commit,
  };
}

async function main(): Promise<number> {
  let options: ReturnType<typeof parseOptions>;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  const commit = options.commit ?? (await currentCommit());
  // Paths in stack traces are relative to here.
  process.chdir(root);
  for (const binary of options.binaries) {
    for (const target of options.targets) {
      const startedAt = performance.now();
      const path = await buildBinary({ binary, target, outDir: options.outDir, commit });
      const megabytes = Bun.file(path).size / 1e6;
      const seconds = (performance.now() - startedAt) / 1000;
      console.log(`${basename(path).padEnd(26)} ${megabytes.toFixed(1)} MB  ${seconds.toFixed(1)} s`);
    }
  }
  await writeSums(options.outDir);
  console.log(`in ${options.outDir}, version and commit inside (${commit})`);
  return 0;
}

if (import.meta.main) process.exitCode = await main();
