import { join } from "node:path";

/** Compiles a few lines with the options of scripts/build: what no program of this runtime can be quicker than. */
export async function compileProgram(folder: string, name: string, source: string): Promise<string> {
  const entry = join(folder, `${name}.ts`);
  const outfile = join(folder, name);
  await Bun.write(entry, source);
  await Bun.build({
    entrypoints: [entry],
    compile: { outfile, autoloadDotenv: false, autoloadBunfig: false },
    minify: { syntax: true, whitespace: true },
    bytecode: true,
    format: "esm",
  });
  return outfile;
}
