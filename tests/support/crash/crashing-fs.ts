import type { FileHandle } from "node:fs/promises";
import * as real from "node:fs/promises";

/**
 * Stands in for `node:fs/promises` in a process that is to be killed (see crash-plugin.ts): every call that changes
 * something on a disk is a step, and right before step LIVECAM_CRASH_AT the process is killed. A write is killed in
 * its middle. At its end a process that was not killed can tell its {@link steps}. A step can {@link failStep} instead.
 */
export * from "node:fs/promises";

const crashAt = Number(process.env.LIVECAM_CRASH_AT ?? Number.POSITIVE_INFINITY);
export const steps: string[] = [];
let failing: { at: number; errno: string } | undefined;

/** So many steps from now, one ends with this error, a write in its middle; after that, or with undefined, none. */
export function failStep(after: number | undefined, errno = "EIO"): void {
  failing = after === undefined ? undefined : { at: steps.length + after, errno };
}

async function step(
  what: string,
  beforeDeath: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  steps.push(what);
  if (steps.length - 1 === failing?.at) {
    await beforeDeath();
    throw Object.assign(new Error(`${failing.errno}: ${what}`), { code: failing.errno });
  }
  if (steps.length - 1 !== crashAt) return;
  await beforeDeath();
  process.kill(process.pid, "SIGKILL");
  await new Promise(() => undefined);
}

type Call = (...args: never[]) => Promise<unknown>;

function asStep<C extends Call>(name: string, call: C): C {
  const stepped = async (...args: never[]) => {
    await step(
      `${name} ${args
        .filter((arg) => typeof arg === "string")
        .map(shortened)
        .join(" to ")}`,
    );
    return call(...args);
  };
  return stepped as unknown as C;
}

export const mkdir = asStep("mkdir", real.mkdir as Call) as typeof real.mkdir;
export const rename = asStep("rename", real.rename);
export const link = asStep("link", real.link);
export const unlink = asStep("unlink", real.unlink);
export const rm = asStep("rm", real.rm);

export const open: typeof real.open = async (path, flags, mode) => {
  const writes = typeof flags === "string" ? /[wa+]/.test(flags) : ((flags ?? 0) & 3) !== 0;
  if (writes) await step(`create ${shortened(String(path))}`);
  return steppedHandle(await real.open(path, flags, mode), shortened(String(path)));
};

function steppedHandle(handle: FileHandle, path: string): FileHandle {
  const stepped: Record<string, Call> = {
    async write(bytes: Uint8Array, offset: number, length: number, position: number) {
      await step(`write ${path}`, () => handle.write(bytes, offset, length >> 1, position));
      return handle.write(bytes, offset, length, position);
    },
    async writeFile(content: string) {
      await step(`write ${path}`, () => handle.writeFile(content.slice(0, content.length >> 1)));
      return handle.writeFile(content);
    },
    sync: async () => step(`sync ${path}`).then(() => handle.sync()),
    datasync: async () => step(`sync ${path}`).then(() => handle.datasync()),
    truncate: async (length: number) => step(`truncate ${path}`).then(() => handle.truncate(length)),
  } as Record<string, Call>;
  return new Proxy(handle, {
    get(target, name) {
      const own = typeof name === "string" ? stepped[name] : undefined;
      if (own) return own;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** The last two parts, ids and numbers left out, so that the steps of two runs have the same names. */
function shortened(path: string): string {
  const name = path.split("/").slice(-2).join("/");
  return name
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}/g, "ID")
    .replace(/ID\.[0-9a-f]+\.partial/, "ID.partial")
    .replace(/tmp-\d+/, "tmp")
    .replace(/^livecam-test-\w+\//, "")
    .replace(/^(?:fd\/)?\d+(?:\/|$)/, "videos/");
}
