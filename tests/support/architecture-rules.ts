import { dirname, join, normalize } from "node:path/posix";

/** Path from the repository's root (`src/edge/spool/spool.ts`) to its text. */
export type SourceTree = ReadonlyMap<string, string>;

interface Module {
  path: string;
  /** Without comments and types, as Bun would run it; empty when there are only types. */
  code: string;
  /** Files of ours that it imports, for values and for types alike, and where the import was for types only. */
  imports: { path: string; typeOnly: boolean }[];
  /** Packages and built-in modules it imports values from. */
  packages: string[];
}

/** Answers with what is wrong, in words; nothing when the module keeps the rule. */
type Rule = (module: Module, modules: ReadonlyMap<string, Module>) => string[];

const area = (path: string) => path.split("/")[1] ?? "";
/** `src/edge/spool` for what lies in it; undefined for what lies above the stages, which composes them. */
const stage = (path: string) => /^src\/(?:edge|hub)\/[^/]+(?=\/)/.exec(path)?.[0];

/** What every stage of a binary may use, and that itself knows no stage. */
const isShared = (path: string) => path.startsWith("src/hub/http/");

/** A port: types and constants, nothing that does anything. That is all one stage may know of another. */
const isPort = (module: Module | undefined) =>
  module !== undefined && !/\bfunction\b|\bclass\b|=>|\bnew\b/.test(module.code);

const uses = (pattern: RegExp, allowed: RegExp, what: string): Rule => {
  return (module) => (pattern.test(module.code) && !allowed.test(module.path) ? [what] : []);
};

export const rules: Record<string, Rule> = {
  "src imports only src": ({ imports }) =>
    imports.filter(({ path }) => !path.startsWith("src/")).map(({ path }) => `imports ${path}`),

  "common imports nothing of ours": (module) => {
    if (area(module.path) !== "common") return [];
    return module.imports.filter(({ path }) => area(path) !== "common").map(({ path }) => `imports ${path}`);
  },

  // Not even types: a Pi and a hub run different releases.
  "edge and hub do not import each other": (module) => {
    const other = { edge: "hub", hub: "edge" }[area(module.path)];
    return module.imports.filter(({ path }) => area(path) === other).map(({ path }) => `imports ${path}`);
  },

  "a stage knows only ports of another": (module, modules) => {
    const own = stage(module.path);
    if (own === undefined) return [];
    return module.imports
      .filter(({ path }) => {
        const other = stage(path);
        return other !== undefined && other !== own && !isShared(path) && !isPort(modules.get(path));
      })
      .map(({ path }) => `imports ${path}, which is more than types and constants`);
  },

  "what stages share knows no stage": (module) => {
    if (!isShared(module.path)) return [];
    return module.imports
      .filter(({ path }) => stage(path) !== undefined && !isShared(path))
      .map(({ path }) => `imports ${path}`);
  },

  // Otherwise a stage could reach another one through the file that joins them.
  "a stage does not import what composes stages": (module, modules) => {
    if (stage(module.path) === undefined) return [];
    const composes = (path: string) =>
      /^src\/(?:edge|hub)\/[^/]+$/.test(path) &&
      (modules.get(path)?.imports ?? []).some((next) => !next.typeOnly && stage(next.path) !== undefined);
    return module.imports.filter(({ path }) => composes(path)).map(({ path }) => `imports ${path}`);
  },

  "routes do not touch the database": (module) => {
    if (!/\.routes\.tsx?$/.test(module.path)) return [];
    const ours = module.imports.filter(({ path, typeOnly }) => path.startsWith("src/hub/db/") && !typeOnly);
    const theirs = module.packages.filter((name) =>
      /^(?:drizzle-orm|@libsql|postgres|bun:sqlite)\b/.test(name),
    );
    return [...ours.map(({ path }) => path), ...theirs].map((name) => `imports ${name}`);
  },

  "pages know nothing of the database": (module) => {
    if (!/\.page\.tsx$/.test(module.path)) return [];
    const ours = module.imports.filter(({ path }) => path.startsWith("src/hub/db/"));
    const theirs = module.packages.filter((name) =>
      /^(?:drizzle-orm|@libsql|postgres|bun:sqlite)\b/.test(name),
    );
    return [...ours.map(({ path }) => path), ...theirs].map((name) => `imports ${name}`);
  },

  "environment and arguments are read at the entrance": uses(
    /\bprocess\s*\.\s*(?:env|argv)\b|\bBun\s*\.\s*(?:env|argv)\b|\bimport\.meta\.env\b/,
    /\/(?:main|config)\.ts$|^src\/common\/child-process\.ts$/,
    "reads process.env or argv outside of main.ts and config.ts",
  ),

  "one function starts child processes, and one starts threads": (module) => {
    if (module.path === "src/common/child-process.ts") return [];
    const started = /\bBun\s*\.\s*(?:spawn|spawnSync|\$)/.exec(module.code);
    const thread = module.path !== "src/common/thread.ts" && /\bnew Worker\b/.exec(module.code);
    return [
      ...(started ? [`uses ${started[0]}`] : []),
      ...(thread ? [`uses ${thread[0]}`] : []),
      ...module.packages
        .filter((name) => /^(?:node:)?child_process$/.test(name))
        .map((name) => `imports ${name}`),
    ];
  },

  "wall time comes from the clock": uses(
    /\bDate\s*\.\s*now\b|\bnew Date(?:\(\s*\)|(?!\s*\())|\bDate\(\)|\bTemporal\s*\.\s*Now\b/,
    /^src\/common\/clock\.ts$/,
    "asks the system for the time",
  ),

  "no barrels": ({ path }) => (/\/index\.[jt]sx?$/.test(path) ? ["is an index file"] : []),

  "names say what a file is for": ({ path }) => [
    ...(/(?:^|[/.-])(?:utils?|helpers?|managers?|misc)(?:[/.-]|$)/.test(path)
      ? ["has a name that says nothing"]
      : []),
    ...(/^(?:[a-z0-9]+(?:-[a-z0-9]+)*[/.])+tsx?$/.test(path) ? [] : ["is not in kebab-case"]),
  ],

  "no cycles": (module, modules) => {
    const cycle = findCycle(module.path, modules);
    // Told once, at the file that comes first.
    return cycle && module.path === cycle.toSorted()[0] ? [`imports itself: ${cycle.join(" -> ")}`] : [];
  },
};

/** The shortest way from a module through its imports back to itself. */
function findCycle(start: string, modules: ReadonlyMap<string, Module>): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let current = queue.shift(); current !== undefined; current = queue.shift()) {
    for (const { path } of modules.get(current)?.imports ?? []) {
      if (path === start) {
        const way = [current];
        for (let step = current; step !== start; way.unshift(step)) step = cameFrom.get(step) as string;
        return way;
      }
      if (cameFrom.has(path)) continue;
      cameFrom.set(path, current);
      queue.push(path);
    }
  }
  return undefined;
}

const typeImport = /^\s*(?:import|export)\s+type\s[^;'"]*?\sfrom\s+["']([^"']+)["']/gm;
/** `import("./x.ts").Type` in a type; a call of import() for its value is found by the transpiler. */
const inlineTypeImport = /\bimport\(\s*["']([^"']+)["']\s*\)\s*\.\s*[A-Z]/g;

function readModule(path: string, text: string): Module {
  // The transpiler does not know the first line of programs.
  const source = text.replace(/^#!.*/, "");
  const transpiler = new Bun.Transpiler({ loader: path.endsWith("x") ? "tsx" : "ts", target: "bun" });
  const values = transpiler.scanImports(source).map((found) => found.path);
  const withoutBlocks = source.replace(/\/\*[\s\S]*?\*\//g, "");
  const types = [typeImport, inlineTypeImport].flatMap((pattern) =>
    [...withoutBlocks.matchAll(pattern)].map(([, specifier]) => specifier as string),
  );
  const resolve = (specifier: string) => normalize(join(dirname(path), specifier));
  const ours = (specifier: string) => specifier.startsWith(".");
  return {
    path,
    code: transpiler.transformSync(source).trim(),
    imports: [
      ...values.filter(ours).map((specifier) => ({ path: resolve(specifier), typeOnly: false })),
      ...types.filter(ours).map((specifier) => ({ path: resolve(specifier), typeOnly: true })),
    ],
    packages: values.filter((specifier) => !ours(specifier)),
  };
}

/** Every breach of a rule, as `path: what (rule)`. */
export function findBreaches(tree: SourceTree): string[] {
  const modules = new Map([...tree].map(([path, source]) => [path, readModule(path, source)]));
  return [...modules.values()].flatMap((module) =>
    Object.entries(rules).flatMap(([name, rule]) =>
      rule(module, modules).map((what) => `${module.path}: ${what} (${name})`),
    ),
  );
}
