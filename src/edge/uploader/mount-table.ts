import type { MountEntry } from "../../common/mount-info.ts";
import type { MountPlan } from "./mount-plan.ts";

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

function withoutEnd(source: string): string {
  return source.replace(/(?<=[^:])\/+$/, "");
}
