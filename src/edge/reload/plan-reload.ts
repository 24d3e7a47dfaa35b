import { isDeepStrictEqual } from "node:util";
import type { CameraConfig, EdgeConfig } from "../config.ts";
import { type ConfigEffect, effectOf } from "./config-effects.ts";

export interface ConfigChange {
  /** `upload.order`; a camera stands by its id: `cameras.cam01.source.fps`. */
  path: string;
  effect: ConfigEffect;
}

/** How to come from one config to another while the edge runs. */
export interface ReloadPlan {
  /** Every setting that differs, and every secret whose content does; nothing when there is nothing to do. */
  changes: ConfigChange[];
  cameras: { added: CameraConfig[]; removed: string[]; restarted: CameraConfig[] };
  replacesDestination: boolean;
  reconnectsHub: boolean;
  reopensMetrics: boolean;
  /** Settings that stay as they were until the edge is started again. */
  needsRestart: string[];
  /** What is in force then: the new config, but for what needs a restart. */
  inForce: EdgeConfig;
}

export interface ReloadFacts {
  /** What is in force. */
  before: EdgeConfig;
  next: EdgeConfig;
  /** Paths of the secrets whose content differs, though the place where they are may be the same. */
  changedSecrets: readonly string[];
}

/** Pure. */
export function planReload({ before, next, changedSecrets }: ReloadFacts): ReloadPlan {
  const paths = new Set([...differences(before, next), ...changedSecrets]);
  const changes = [...paths].map((path) => ({ path, effect: effectOf(path) }));
  const has = (effect: ConfigEffect) => changes.some((change) => change.effect === effect);
  const needsRestart = changes.filter(({ effect }) => effect === "restart").map(({ path }) => path);
  const idsBefore = new Set(before.cameras.map(({ id }) => id));
  const ids = new Set(next.cameras.map(({ id }) => id));
  const restarts = (id: string) =>
    changes.some(({ path, effect }) => effect === "camera" && path.startsWith(`cameras.${id}.`));
  return {
    changes,
    cameras: {
      added: next.cameras.filter(({ id }) => !idsBefore.has(id)),
      removed: before.cameras.filter(({ id }) => !ids.has(id)).map(({ id }) => id),
      restarted: next.cameras.filter(({ id }) => idsBefore.has(id) && restarts(id)),
    },
    replacesDestination: has("destination"),
    reconnectsHub: has("hub"),
    reopensMetrics: has("metrics"),
    needsRestart,
    inForce: withValuesOf(before, next, needsRestart),
  };
}

/** Paths of the settings that differ. */
export function differences(before: EdgeConfig, next: EdgeConfig): string[] {
  const { cameras: camerasBefore, ...restBefore } = before;
  const { cameras: camerasNext, ...restNext } = next;
  const byId = (cameras: readonly CameraConfig[]) =>
    Object.fromEntries(cameras.map((camera) => [camera.id, camera]));
  const isReordered = !isDeepStrictEqual(
    idsInBoth(camerasBefore, camerasNext),
    idsInBoth(camerasNext, camerasBefore),
  );
  return [
    ...objectDifferences(byId(camerasBefore), byId(camerasNext), "cameras."),
    ...(isReordered ? ["cameras"] : []),
    ...objectDifferences(restBefore, restNext, ""),
  ];
}

function idsInBoth(cameras: readonly CameraConfig[], others: readonly CameraConfig[]): string[] {
  return cameras.map(({ id }) => id).filter((id) => others.some((other) => other.id === id));
}

type PlainObject = Record<string, unknown>;

function objectDifferences(before: PlainObject, next: PlainObject, prefix: string): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(next)]);
  return [...keys].flatMap((key) => valueDifferences(before[key], next[key], `${prefix}${key}`));
}

function valueDifferences(before: unknown, next: unknown, path: string): string[] {
  if (isDeepStrictEqual(before, next)) return [];
  if (!isPlainObject(before) || !isPlainObject(next)) return [path];
  // Of another kind altogether: what is in it cannot be compared.
  if (before.type !== next.type || before.mode !== next.mode) return [path];
  return objectDifferences(before, next, `${path}.`);
}

function isPlainObject(value: unknown): value is PlainObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `next`, with what `before` has at these paths. No camera is in them. */
function withValuesOf(before: EdgeConfig, next: EdgeConfig, paths: readonly string[]): EdgeConfig {
  const merged = structuredClone(next);
  for (const path of paths) {
    const keys = path.split(".");
    const last = keys.pop() as string;
    let from: PlainObject | undefined = before;
    let to: PlainObject = merged;
    for (const key of keys) {
      from = isPlainObject(from?.[key]) ? from[key] : undefined;
      if (!isPlainObject(to[key])) to[key] = {};
      to = to[key] as PlainObject;
    }
    if (from && Object.hasOwn(from, last)) to[last] = structuredClone(from[last]);
    else delete to[last];
  }
  return merged;
}
