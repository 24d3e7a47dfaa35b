import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type * as v from "valibot";
import { EdgeConfig } from "../../../src/edge/config.ts";
import { type ConfigEffect, configEffects, effectOf } from "../../../src/edge/reload/config-effects.ts";

/** Every setting of docs/configuration.md, the schema and the effects: none may say what another does not. */

const words: Record<ConfigEffect, string> = {
  at_once: "at once",
  next_segment: "next segment",
  next_upload: "next upload",
  camera: "camera",
  destination: "destination",
  hub: "hub",
  metrics: "metrics",
  restart: "restart",
};

interface Setting {
  /** Heading in the docs. */
  section: string;
  /** First cell in the docs. */
  name: string;
  /** With `*` for a camera's id. */
  path: string;
  default: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: schemas are walked as what they are made of
type Schema = any;

const none = Symbol("required");

/** The schema behind defaults. */
function unwrap(schema: Schema): { inner: Schema; default: unknown } {
  const isWrapper = schema.type === "optional" || schema.type === "nullable";
  if (!isWrapper) return { inner: schema, default: none };
  const { inner } = unwrap(schema.wrapped);
  return { inner, default: schema.default };
}

function settingsOf(schema: Schema, section: string, path: string): Setting[] {
  return Object.entries(schema.entries as Record<string, Schema>).flatMap(([key, entry]) => {
    const { inner, default: fallback } = unwrap(entry);
    const own = path === "" ? key : `${path}.${key}`;
    const setting = { section, name: key, path: own, default: fallback };
    if (inner.type === "literal") return [];
    if (inner.type === "array" && inner.item.entries) return settingsOf(inner.item, `\`${key}\``, `${own}.*`);
    if (inner.type === "variant") return [setting, ...variantSettings(inner, key, own)];
    if (inner.type === "strict_object") return settingsOf(inner, `\`${key}\``, own);
    return [setting];
  });
}

function variantSettings(variant: Schema, key: string, path: string): Setting[] {
  return (variant.options as Schema[]).flatMap((option) => {
    if (option.type === "variant") return variantSettings(option, key, path);
    const kinds = Object.entries(option.entries as Record<string, Schema>)
      .filter(([, entry]) => entry.type === "literal")
      .map(([name, entry]) => `\`${name}: ${entry.literal}\``);
    return settingsOf(option, `\`${key}\` with ${kinds.join(", ")}`, path);
  });
}

const settings = settingsOf(EdgeConfig as v.GenericSchema, "The node", "");

const text = await Bun.file(join(import.meta.dir, "../../../docs/configuration.md")).text();
const rows = text.split(/^#+ /m).flatMap((part) => {
  const [heading = ""] = part.split("\n");
  return [...part.matchAll(/^\| `(\w+)` \|(.*)\|$/gm)].map(([, name = "", rest = ""]) => {
    const cells = rest.split(" | ").map((cell) => cell.trim());
    return { section: heading, name, cells };
  });
});

const keyOf = ({ section, name }: { section: string; name: string }) => `${section}: ${name}`;

describe("docs/configuration.md", () => {
  test("has every setting of the schema, and no other", () => {
    expect(settings.length).toBeGreaterThan(60);
    expect(rows.map(keyOf).toSorted()).toEqual(settings.map(keyOf).toSorted());
    for (const { cells, ...row } of rows) expect([keyOf(row), cells.length]).toEqual([keyOf(row), 4]);
  });

  test("says their defaults", () => {
    for (const setting of settings) {
      const cell = rows.find((row) => keyOf(row) === keyOf(setting))?.cells[2]?.replaceAll("`", "");
      const isTold = !(
        setting.default === undefined ||
        setting.default === "" ||
        Array.isArray(setting.default)
      );
      if (setting.default === none) expect([keyOf(setting), cell]).toEqual([keyOf(setting), "required"]);
      else if (isTold) expect([keyOf(setting), cell]).toEqual([keyOf(setting), String(setting.default)]);
      else expect([keyOf(setting), cell]).not.toEqual([keyOf(setting), "required"]);
    }
  });

  test("says what a change takes, as it does", () => {
    for (const setting of settings) {
      const cell = rows.find((row) => keyOf(row) === keyOf(setting))?.cells[3];
      expect([keyOf(setting), cell]).toEqual([keyOf(setting), words[effectOf(setting.path)]]);
    }
  });

  test("explains every one of those words", () => {
    for (const word of Object.values(words)) expect(text).toContain(`\n| ${word} | `);
  });
});

test("every setting has an effect of its own or of what it is in, and every effect a setting", () => {
  for (const path of Object.keys(configEffects)) {
    const has = settings.some((setting) => setting.path === path || setting.path.startsWith(`${path}.`));
    expect([path, has]).toEqual([path, true]);
  }
  for (const { path } of settings) {
    const known = path.split(".").some((_, i, parts) => configEffects[parts.slice(0, i + 1).join(".")]);
    expect([path, known]).toEqual([path, true]);
  }
});
