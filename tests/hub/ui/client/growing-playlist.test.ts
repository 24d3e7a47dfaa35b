import { expect, test } from "bun:test";
import fc from "fast-check";
import { GrowingPlaylist } from "../../../../src/hub/ui/client/player/growing-playlist.ts";

const startMs = Date.parse("2025-09-23T06:30:00Z");
const iso = (ms: number) => new Date(ms).toISOString();

/** A segment of so many fragments of a second and 100 bytes, told in parts of six, as the hub tells it. */
function segment(
  name: string,
  first: number,
  seconds: number,
  more: { isNew?: boolean; front?: number } = {},
) {
  const lines = [
    ...(more.isNew ? ["#EXT-X-DISCONTINUITY"] : []),
    ...(more.isNew || first === 0 ? [`#EXT-X-MAP:URI="/${name}",BYTERANGE="50@0"`] : []),
    `#EXT-X-PROGRAM-DATE-TIME:${iso(startMs + first * 1000)}`,
  ];
  for (let at = 0; at < seconds; at += 6) {
    const length = Math.min(6, seconds - at);
    lines.push(
      `#EXTINF:${length.toFixed(6)},`,
      `#EXT-X-BYTERANGE:${length * 100}@${(more.front ?? 50) + at * 100}`,
    );
    lines.push(`/${name}`);
  }
  return lines;
}

function told(...segments: string[][]): string {
  const head = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:6", "#EXT-X-PLAYLIST-TYPE:VOD"];
  return `${[...head, ...segments.flat(), "#EXT-X-ENDLIST"].join("\n")}\n`;
}

const rangesOf = (text: string) =>
  [...text.matchAll(/BYTERANGE:(\d+)@(\d+)\n(\S+)/g)].map(
    ([, size, offset, uri]) => `${uri} ${offset}+${size}`,
  );
const secondsOf = (text: string) =>
  [...text.matchAll(/EXTINF:([\d.]+)/g)].reduce((sum, [, seconds]) => sum + Number(seconds), 0);

test("grows by what is new, also of the part that was the last", () => {
  const playlist = new GrowingPlaylist();
  const first = playlist.next(told(segment("a", 0, 8)));
  expect(first).toContain("#EXT-X-PLAYLIST-TYPE:EVENT\n");
  expect(first).not.toContain("ENDLIST");
  expect(rangesOf(first)).toEqual(["/a 50+600", "/a 650+200"]);
  const second = playlist.next(told(segment("a", 0, 15), segment("b", 15, 2)));
  expect(second.startsWith(first)).toBe(true);
  expect(rangesOf(second)).toEqual(["/a 50+600", "/a 650+200", "/a 850+400", "/a 1250+300", "/b 50+200"]);
  expect(second).toContain(`#EXT-X-PROGRAM-DATE-TIME:${iso(startMs + 15_000)}\n`);
  expect(secondsOf(second)).toBeCloseTo(17, 3);
});

test("a new run is one in what is appended, too", () => {
  const playlist = new GrowingPlaylist();
  playlist.next(told(segment("a", 0, 6)));
  const text = playlist.next(told(segment("a", 0, 6), segment("b", 20, 3, { isNew: true })));
  expect(text.match(/#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="\/b"/g)).toHaveLength(1);
});

test("what is archived meanwhile, came late, or is gone for a while changes nothing of what was told", () => {
  const playlist = new GrowingPlaylist();
  const before = playlist.next(told(segment("a", 0, 12), segment("b", 12, 4)));
  // The node is away; a segment from before comes into the archive.
  expect(playlist.next(told(segment("archived-a", 0, 12, { front: 900 })))).toBe(before);
  expect(playlist.next(told(segment("late", -30, 20), segment("a", 0, 12)))).toBe(before);
  const after = playlist.next(
    told(segment("late", -30, 20), segment("archived-a", 0, 12, { front: 900 }), segment("b", 12, 9)),
  );
  expect(after.startsWith(before)).toBe(true);
  expect(rangesOf(after).slice(3)).toEqual(["/b 450+200", "/b 650+300"]);
});

test("half of a part under another address is not guessed", () => {
  const playlist = new GrowingPlaylist();
  const before = playlist.next(told(segment("a", 0, 8)));
  expect(playlist.next(told(segment("archived-a", 0, 12, { front: 900 }), segment("b", 12, 6)))).toBe(before);
});

test("however it is told, no second and no byte is there twice or missing", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 20 }), (steps) => {
      const playlist = new GrowingPlaylist();
      let seconds = 1;
      let text = playlist.next(told(segment("a", 0, seconds)));
      for (const step of steps) {
        seconds += step;
        const next = playlist.next(told(segment("a", 0, seconds)));
        expect(next.startsWith(text)).toBe(true);
        text = next;
      }
      expect(secondsOf(text)).toBeCloseTo(seconds, 3);
      let end = 50;
      for (const [, size, offset] of text.matchAll(/BYTERANGE:(\d+)@(\d+)\n\/a/g)) {
        expect(Number(offset)).toBe(end);
        end += Number(size);
      }
      expect(end).toBe(50 + seconds * 100);
    }),
  );
});
