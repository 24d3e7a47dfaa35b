import { type Child, startChild } from "../../src/common/child-process.ts";

/**
 * Another process on a SQLite file. It has to be one: the locks of POSIX belong to a process, so two SQLite libraries
 * in one do not see each other's.
 */
export async function openElsewhere(
  path: string,
): Promise<{ run(sql: string): Promise<string> } & AsyncDisposable> {
  const script = `
    import { Database } from "bun:sqlite";
    const database = new Database(process.argv[1]);
    for await (const line of console) console.log(JSON.stringify(database.query(line).values()));`;
  const child: Child = startChild({
    argv: [process.execPath, "-e", script, path],
    stdin: "pipe",
    stdout: "pipe",
  });
  const reader = child.stdout.getReader();
  return {
    async run(sql) {
      child.stdin?.write(`${sql}\n`);
      await child.stdin?.flush();
      const { value } = await reader.read();
      return new TextDecoder().decode(value).trim();
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
