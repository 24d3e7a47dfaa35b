import { describe, expect, test } from "bun:test";
import frame from "../../../src/hub/ui/assets/frame.css" with { type: "text" };

// WCAG 2.2, success criteria 1.4.3 and 1.4.11, of the colours that the pages are made of.

const [light = "", dark = ""] = [...frame.matchAll(/:root \{([^}]*)\}/g)].map(([, block = ""]) => block);
const colorsIn = (block: string) =>
  new Map([...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name = "", hex = ""]) => [name, hex]));

/** Relative luminance. */
function luminanceOf(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const grounds = ["ground", "surface", "sunken"];
const pairs: [least: number, ink: string, paper: string][] = [
  ...grounds.flatMap((paper): [number, string, string][] => [
    [4.5, "text", paper],
    [4.5, "muted", paper],
  ]),
  ...["good", "warn", "bad", "accent"].map((ink): [number, string, string] => [4.5, ink, `${ink}-soft`]),
  ...["ground", "surface"].map((paper): [number, string, string] => [4.5, "accent", paper]),
  [4.5, "on-accent", "accent"],
  // Borders of fields and rings of the focus, bars of the timeline.
  ...["ground", "surface"].map((paper): [number, string, string] => [3, "field", paper]),
  ...["accent", "bad", "warn", "muted"].map((ink): [number, string, string] => [3, ink, "sunken"]),
];

describe.each([
  ["light", colorsIn(light)],
  ["dark", colorsIn(dark)],
])("in the %s theme", (_, colors) => {
  test.each(pairs)("at least %p to 1: %p on %p", (least, ink, paper) => {
    const [a = 0, b = 0] = [ink, paper]
      .map((name) => luminanceOf(colors.get(name) ?? ""))
      .sort((x, y) => y - x);
    expect((a + 0.05) / (b + 0.05)).toBeGreaterThanOrEqual(least);
  });
});
