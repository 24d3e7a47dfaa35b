import { describe, expect, test } from "bun:test";
import { keyAction, type PlayerKeys } from "../../../../src/hub/ui/client/player/player-keys.ts";
import { parseCues } from "../../../../src/hub/ui/client/player/preview-cues.ts";
import { qualitiesIn } from "../../../../src/hub/ui/client/player/qualities-in.ts";

test("cues of previews name a part of a picture beside them", () => {
  const text =
    "WEBVTT\n\n00:00:00.000 --> 00:00:10.000\npreviews.jpg#xywh=0,0,160,90\n\n" +
    "NOTE nothing\n\n00:00:10.000 --> 00:01:20.500\r\n/api/videos/x/previews.jpg#xywh=160,90,160,90\r\n\r\n" +
    "00:00:20.000 --> 00:00:30.000\nno picture\n";
  const found = parseCues(text, "/api/videos/x/previews.vtt");
  expect(found).toEqual([
    {
      ...{ fromSeconds: 0, toSeconds: 10, image: "/api/videos/x/previews.jpg" },
      ...{ x: 0, y: 0, width: 160, height: 90 },
    },
    {
      ...{ fromSeconds: 10, toSeconds: 80.5, image: "/api/videos/x/previews.jpg" },
      ...{ x: 160, y: 90, width: 160, height: 90 },
    },
  ]);
  expect(parseCues("", "/x")).toEqual([]);
  // Never another host's.
  expect(parseCues(text.replaceAll("previews.jpg", "//evil.test/p.jpg"), "/a")[0]?.image).toBe("/p.jpg");
});

test("qualities of a multivariant playlist, the recorded one first", () => {
  const line = (name: string) => `#EXT-X-STREAM-INF:BANDWIDTH=1,STABLE-VARIANT-ID="${name}"\nx.m3u8\n`;
  expect(qualitiesIn(`#EXTM3U\n${line("source")}${line("480p")}`)).toEqual(["source", "480p"]);
});

describe("keys", () => {
  const done: unknown[] = [];
  const keys = new Proxy({} as PlayerKeys, {
    get:
      (_, name) =>
      (...given: unknown[]) =>
        done.push([name, ...given]),
  });
  const press = (key: string, isShifted = false) => {
    done.length = 0;
    keyAction(key, isShifted, keys)?.();
    return done[0];
  };

  test("do what people of this trade expect", () => {
    expect(press(" ")).toEqual(["toggle"]);
    expect(press("K", true)).toEqual(["pause"]);
    expect([press("j"), press("l")]).toEqual([
      ["push", -1],
      ["push", 1],
    ]);
    expect([press(","), press(".")]).toEqual([
      ["step", -1],
      ["step", 1],
    ]);
    expect([press("ArrowLeft"), press("ArrowRight", true)]).toEqual([
      ["seekBy", -5_000],
      ["seekBy", 60_000],
    ]);
    // As a slider has them.
    expect([press("ArrowUp"), press("ArrowDown"), press("Home"), press("End")]).toEqual([
      ["seekBy", 5_000],
      ["seekBy", -5_000],
      ["seekTo", "from"],
      ["seekTo", "to"],
    ]);
    expect([press("i"), press("o")]).toEqual([
      ["mark", "from"],
      ["mark", "to"],
    ]);
  });

  test("leave all others alone", () => {
    for (const key of ["Tab", "Enter", "a", "constructor", "toString", ""])
      expect(press(key)).toBeUndefined();
  });
});
