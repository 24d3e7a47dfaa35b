import { describe, expect, test } from "bun:test";
import { copyFile, mkdir } from "node:fs/promises";
import { Secret } from "../../../src/common/secret.ts";
import { type CapturePlanner, createCapturePlanner } from "../../../src/edge/camera/capture-planner.ts";
import { sourceProbeOf } from "../../../src/edge/camera/source-probe.ts";
import { cameraBench } from "../../support/camera-bench.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";
import { ffmpeg, type SourceKind, sourceFile } from "../../support/source-files.ts";

const signal = new AbortController().signal;
const planFile = (path: string, afterSilence = false) =>
  filePlanner(path).plan({ settings: {}, afterSilence, signal });

function filePlanner(path: string): CapturePlanner {
  return createCapturePlanner({
    cameraId: "cam01",
    source: { type: "file", path, audio: "auto" },
    piModel: "none",
  });
}

const codecsOf = (argv: readonly string[] = []) =>
  ["-c:v", "-c:a", "-tag:v"].map((option) =>
    argv.includes(option) ? argv[argv.indexOf(option) + 1] : undefined,
  );

describe("a file is looked at", () => {
  test.each<[SourceKind, (string | undefined)[]]>([
    ["h264", ["copy", undefined, undefined]],
    ["h264-b-frames-aac", ["copy", "copy", undefined]],
    ["h264-pcm", ["copy", "aac", undefined]],
    ["h265", ["copy", undefined, "hvc1"]],
  ])(
    "%s",
    async (kind, expected) => {
      const plan = await planFile(await sourceFile(kind));
      expect(codecsOf(plan.commands[0]?.argv)).toEqual(expected);
    },
    60_000,
  );

  test.each<[SourceKind, string]>([
    ["mpeg2", "the source's video is mpeg2video; H.264 or H.265 is needed"],
    ["sound-only", "the source has no video"],
  ])(
    "%s is refused",
    async (kind, message) => {
      const rejected = expect(planFile(await sourceFile(kind))).rejects;
      await rejected.toMatchObject({ code: "unavailable", message });
    },
    60_000,
  );

  test("nothing there, a folder, an empty file, text, a cut-off MP4: refused with the reason", async () => {
    await using folder = await temporaryFolder();
    const whole = await Bun.file(await sourceFile("h264")).bytes();
    await Bun.write(`${folder.path}/empty.mp4`, "");
    await Bun.write(`${folder.path}/text.mp4`, "this is not a video ".repeat(1000));
    await Bun.write(`${folder.path}/cut.mp4`, whole.subarray(0, whole.length / 2));
    await mkdir(`${folder.path}/folder.mp4`);
    const messages: string[] = [];
    for (const name of ["missing", "folder", "empty", "text", "cut"]) {
      const error = await planFile(`${folder.path}/${name}.mp4`).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "unavailable" });
      messages.push((error as Error).message);
    }
    expect(messages[0]).toContain("No such file or directory");
    expect(messages.every((message) => message.length < 400 && !message.includes("\n"))).toBe(true);
  }, 60_000);

  test("a playlist that is called .mp4 opens nothing", async () => {
    await using folder = await temporaryFolder();
    let requests = 0;
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => {
        requests++;
        return new Response("secret");
      },
    });
    const url = `http://127.0.0.1:${server.port}/x.ts`;
    const path = await sourceFile("h264");
    const hostile = {
      "hls.mp4": `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n${url}\n#EXT-X-ENDLIST\n`,
      "local.mp4": `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n${path}\n#EXT-X-ENDLIST\n`,
      "concat.mp4": `ffconcat version 1.0\nfile '${path}'\n`,
      "dash.mp4": `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><BaseURL>${url}</BaseURL></Period></MPD>`,
      "sdp.mp4": "v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    };
    try {
      for (const [name, content] of Object.entries(hostile)) {
        await Bun.write(`${folder.path}/${name}`, content);
        const error = await planFile(`${folder.path}/${name}`).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: "unavailable" });
      }
    } finally {
      await server.stop(true);
    }
    expect(requests).toBe(0);
  }, 60_000);

  test("odd names are names", async () => {
    await using folder = await temporaryFolder();
    const names = ["%03d.mp4", "a b'c\".mp4", "-i.mp4", "http:x.mp4", "한국어.mp4", "x?y=z#w.mp4"];
    await Promise.all(
      names.map(async (name) => {
        await copyFile(await sourceFile("h264"), `${folder.path}/${name}`);
        await using bench = cameraBench(await planFile(`${folder.path}/${name}`));
        bench.camera.start();
        await bench.seen.until((runs) => (runs[0]?.fragments.length ?? 0) >= 1);
      }),
    );
  }, 60_000);

  test("a cancelled look ends at once", async () => {
    const plan = filePlanner(await sourceFile("h264")).plan({
      settings: {},
      afterSilence: false,
      signal: AbortSignal.abort(),
    });
    await expect(plan).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("a file in a loop", () => {
  test("goes on in time, with the same pictures in every round", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/short.mp4`;
    await ffmpeg(["-i", await sourceFile("h264-b-frames-aac"), "-t", "2.4", "-c", "copy", path]);
    const plan = await planFile(path);
    await using bench = cameraBench(plan);
    bench.camera.start();
    await bench.seen.until((runs) => (runs[0]?.fragments.length ?? 0) >= 8);
    await bench.camera.stop();
    const [run] = bench.seen.runs;
    const video = run?.fragments.filter(({ hasVideo }) => hasVideo) ?? [];
    for (const [i, fragment] of video.entries()) {
      const before = video[i - 1];
      if (before) expect(fragment.videoDecodeTime).toBe(before.videoDecodeTime + before.videoDurationTicks);
    }
    // Three fragments a round: 1 s, 1 s, 0.4 s.
    const frames = video.map(({ tracks }) => tracks.find(({ trackId }) => trackId === 1)?.sampleCount);
    expect(frames.slice(0, 6)).toEqual([25, 25, frames[2], 25, 25, frames[2]]);
    expect(bench.seen.errors).toEqual([]);
  }, 60_000);
});

describe("a planner", () => {
  const rtsp = {
    type: "rtsp",
    url: "rtsp://h/x",
    transport: "tcp",
    timeout_seconds: 1,
    audio: "auto",
  } as const;

  test("refuses at once what can never work", () => {
    const options = { cameraId: "cam01", piModel: "none" } as const;
    const credentials = new Secret("no-colon");
    expect(() => createCapturePlanner({ ...options, source: rtsp, credentials })).toThrow("user:password");
  });

  test("says that a network camera or a file cannot be set from here", async () => {
    const planner = createCapturePlanner({ cameraId: "cam01", source: rtsp, piModel: "none" });
    expect(() => planner.check({ fps: 5 })).toThrow("cannot be changed here");
    expect(() => planner.check({})).not.toThrow();
    const file = filePlanner("/x.mp4");
    expect(() => file.check({ bitrateBps: 1_000_000 })).toThrow("cannot be changed here");
  });

  test("leaves the sound out after a run of silence, and tries it again the next time", async () => {
    const planner = filePlanner(await sourceFile("h264-b-frames-aac"));
    const hasSound = async (afterSilence: boolean) => {
      const plan = await planner.plan({ settings: {}, afterSilence, signal });
      return plan.commands[0]?.argv.includes("0:a:0");
    };
    expect([await hasSound(false), await hasSound(true), await hasSound(true), await hasSound(true)]).toEqual(
      [...[true, false, true, false]],
    );
    expect(await hasSound(false)).toBe(true);
  }, 60_000);
});

test.each([
  ['{"streams":[{"codec_type":"video","codec_name":"h264"}]}', { video: "h264", audio: "none" }],
  [
    '{"streams":[{"codec_type":"audio","codec_name":"aac"},{"codec_type":"video","codec_name":"hevc"}]}',
    { video: "h265", audio: "other" },
  ],
  [
    '{"streams":[{"codec_type":"video","codec_name":"png","disposition":{"attached_pic":1}},{"codec_type":"video","codec_name":"h264"},{"codec_type":"audio","codec_name":"aac","extradata_size":2}]}',
    { video: "h264", audio: "copyable" },
  ],
] as const)("ffprobe's %s", (json, expected) => {
  expect(sourceProbeOf(json)).toEqual(expected);
});
