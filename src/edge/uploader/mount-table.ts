import type { MountPlan } from "./mount-plan.ts";

export interface MountEntry {
  /** Folder of the file system that is mounted; `/` for all of it. */
  root: string;
  folder: string;
  type: string;
  source: string;
  /** Of the file system: `vers`, `sec`, `addr`; those without a value have an empty one. */
  options: ReadonlyMap<string, string>;
}

/** `/proc/self/mountinfo`, see proc_pid_mountinfo(5). Lines that are none are left out. */
export function parseMountInfo(text: string): MountEntry[] {
  return text.split("\n").flatMap((line): MountEntry[] => {
    const [mount = "", fileSystem = ""] = line.split(" - ", 2);
    const [, , , root, folder] = mount.split(" ");
    const [type, source, options] = fileSystem.split(" ");
    if (!root || !folder || !type || source === undefined || options === undefined) return [];
    return [
      {
        root: unescapeField(root),
        folder: unescapeField(folder),
        type,
        source: unescapeField(source),
        options: new Map(options.split(",").map(splitOption)),
      },
    ];
  });
}

/** What is mounted at exactly `folder`; of several, the one on top. */
export function mountAt(entries: readonly MountEntry[], folder: string): MountEntry | undefined {
  return entries.findLast((entry) => entry.folder === folder);
}

/** A kernel calls it by one of two names. */
export function isSmb({ type }: MountEntry): boolean {
  return type === "cifs" || type === "smb3";
}

/** Why the entry is not what was asked for; undefined when it is. */
export function differenceOf(entry: MountEntry, plan: MountPlan): string | undefined {
  const isRightType = plan.type === "cifs" ? isSmb(entry) : entry.type === plan.type;
  if (!isRightType) return `it is ${entry.type}, not ${plan.type}`;
  if (withoutEnd(entry.source) !== withoutEnd(plan.source))
    return `it is ${entry.source}, not ${plan.source}`;
  for (const [name, isRight] of Object.entries(plan.shown)) {
    const value = entry.options.get(name);
    if (value === undefined || !isRight(value)) return `its ${name} is ${value ?? "not told"}`;
  }
  return undefined;
}

/** Blank, tab, newline and backslash are written in octal. */
function unescapeField(field: string): string {
  const bytes = Buffer.from(field).toString("latin1");
  const plain = bytes.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(plain, "latin1").toString("utf8");
}

function splitOption(option: string): [name: string, value: string] {
  const end = option.indexOf("=");
  return end < 0 ? [option, ""] : [option.slice(0, end), option.slice(end + 1)];
}

function withoutEnd(source: string): string {
  return source.replace(/(?<=[^:])\/+$/, "");
}
