import { expect, test } from "bun:test";
import { StreamSplitter } from "../../../src/common/mp4/stream-splitter.ts";
import { fragmentedMp4Output } from "../../../src/edge/camera/ffmpeg-arguments.ts";
import { pictureOf } from "../../../src/edge/camera/snapshot.ts";
import { ffmpeg, type SourceKind, sourceFile } from "../../support/source-files.ts";

async function unitsOf(kind: SourceKind) {
  const bytes = await ffmpeg(["-i", await sourceFile(kind), "-c", "copy", ...fragmentedMp4Output]);
  const units = new StreamSplitter().push(bytes);
  const fragments = units.flatMap((unit) => (unit.kind === "fragment" ? [unit.fragment] : []));
  const init = units.flatMap((unit) => (unit.kind === "init" ? [unit.init] : []))[0];
  if (!init) throw new Error("no init segment");
  return { init, fragments };
}

const grey = (input: string[], stdin?: Uint8Array) =>
  ffmpeg([...input, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"], stdin);

test.each(["h264", "h264-b-frames-aac", "h265"] as const)(
  "a JPEG of %s is the first picture of the fragment, wherever in the stream that is",
  async (kind) => {
    const { init, fragments } = await unitsOf(kind);
    for (const index of [0, 17]) {
      const fragment = fragments[index];
      if (!fragment) throw new Error("too short");
      const jpeg = await pictureOf(init, fragment);
      const taken = await grey(["-f", "jpeg_pipe", "-i", "pipe:0"], jpeg);
      const wanted = await grey(["-ss", String(index), "-i", await sourceFile(kind)]);
      expect(taken.byteLength).toBe(160 * 120);
      const difference = taken.reduce((sum, value, i) => sum + Math.abs(value - (wanted[i] ?? 0)), 0);
      // Full-range JPEG against video range, and its losses; another second of the picture is far further off.
      expect(difference / taken.byteLength).toBeLessThan(12);
    }
  },
  60_000,
);

test("a damaged fragment is no picture, and says so", async () => {
  const { init, fragments } = await unitsOf("h264");
  const damaged = { ...fragments[0], bytes: new Uint8Array(5000) } as (typeof fragments)[0];
  await expect(pictureOf(init, damaged)).rejects.toMatchObject({ code: "unavailable" });
}, 60_000);
