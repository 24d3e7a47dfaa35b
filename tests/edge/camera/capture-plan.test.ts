import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { Secret } from "../../../src/common/secret.ts";
import { type CaptureContext, planCapture } from "../../../src/edge/camera/capture-plan.ts";
import { detectPiModel, piModelOf } from "../../../src/edge/camera/pi-model.ts";
import { CameraConfig } from "../../../src/edge/config.ts";

const output =
  "-map_metadata -1 -f mp4 -movflags frag_keyframe+empty_moov+delay_moov+default_base_moof+skip_trailer pipe:1";
const start = "ffmpeg -nostdin -hide_banner -nostats -loglevel warning";

function planOf(source: Record<string, unknown>, context: Partial<CaptureContext> = {}) {
  const parsed = v.parse(CameraConfig.entries.source, source);
  return planCapture(parsed, {
    ...{ cameraId: "cam01", piModel: "none", credentials: undefined, probe: undefined },
    ...context,
  });
}

const linesOf = (...args: Parameters<typeof planOf>) =>
  planOf(...args).commands.map(({ argv }) => argv.join(" "));

describe("a Pi camera", () => {
  const common =
    "rpicam-vid --nopreview --timeout 0 --verbose 0 --camera 0 --width 1920 --height 1080 --framerate 30";
  const mux = `${start} -analyzeduration 500000 -f mpegts -i pipe:0 -map 0:v:0 -c:v copy`;

  test("on a Pi 4 is encoded in hardware", () => {
    expect(linesOf({ type: "rpicam" }, { piModel: "pi4" })).toEqual([
      `${common} --rotation 0 --autofocus-mode default --codec libav --libav-format mpegts --libav-video-codec h264_v4l2m2m --bitrate 4000000 --intra 30 --output -`,
      `${mux} ${output}`,
    ]);
  });

  test("on a Pi 5 in software, as anywhere else", () => {
    for (const piModel of ["pi5", "none"] as const) {
      expect(linesOf({ type: "rpicam" }, { piModel })[0]).toBe(
        `${common} --rotation 0 --autofocus-mode default --codec libav --libav-format mpegts --libav-video-codec libx264 --bitrate 4000000 --intra 30 --output -`,
      );
    }
  });

  test("of a model that the config names is what the config says", () => {
    expect(linesOf({ type: "rpicam", model: "pi4" }, { piModel: "pi5" })[0]).toContain("h264_v4l2m2m");
    expect(linesOf({ type: "rpicam", model: "pi5" }, { piModel: "pi4" })[0]).toContain("libx264");
  });

  test("with everything", () => {
    const source = {
      ...{ type: "rpicam", camera: 1, width: 1280, height: 720, fps: 25, bitrate: 2_500_000 },
      ...{
        keyframe_seconds: 2,
        rotation: 180,
        autofocus: "continuous",
        tuning_file: "/usr/share/imx708.json",
      },
      ...{ extra_options: ["--denoise", "cdn_off", "--brightness", "-0.1"], audio_device: "hw:1,0" },
    };
    expect(linesOf(source, { piModel: "pi4" })).toEqual([
      "rpicam-vid --nopreview --timeout 0 --verbose 0 --camera 1 --width 1280 --height 720 --framerate 25 --rotation 180 --autofocus-mode continuous --tuning-file /usr/share/imx708.json --codec libav --libav-format mpegts --libav-video-codec h264_v4l2m2m --bitrate 2500000 --intra 50 --libav-audio --audio-codec aac --audio-bitrate 64000 --audio-source alsa --audio-device hw:1,0 --denoise cdn_off --brightness -0.1 --output -",
      `${mux} -map 0:a:0 -c:a copy -bsf:a aac_adtstoasc ${output}`,
    ]);
  });

  test.each([
    ["Raspberry Pi 5 Model B Rev 1.0\0", "pi5"],
    ["Raspberry Pi 500 Rev 1.0\0", "pi5"],
    ["Raspberry Pi Compute Module 5 Rev 1.0\0", "pi5"],
    ["Raspberry Pi 4 Model B Rev 1.4\0", "pi4"],
    ["Raspberry Pi 400 Rev 1.0\0", "pi4"],
    ["Raspberry Pi Compute Module 4 Rev 1.1\0", "pi4"],
    ["Raspberry Pi 3 Model B Plus Rev 1.3\0", "pi4"],
    ["Raspberry Pi Zero 2 W Rev 1.0\0", "pi4"],
    ["Raspberry Pi Model B Rev 2\0", "pi4"],
    ["Radxa ROCK 5B\0", "none"],
    ["", "none"],
  ] as const)("%j is %s", (text, model) => {
    expect(piModelOf(text)).toBe(model);
  });

  test("and a machine without a device tree is no Pi", async () => {
    expect(await detectPiModel("/nowhere/model")).toBe("none");
  });
});

describe("a USB camera", () => {
  test("that gives JPEGs is encoded", () => {
    expect(linesOf({ type: "v4l2", device: "/dev/video0" })).toEqual([
      `${start} -f v4l2 -thread_queue_size 64 -input_format mjpeg -framerate 30 -video_size 1280x720 -i /dev/video0 -map 0:v:0 -c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 30 -keyint_min 30 -sc_threshold 0 -b:v 4000000 -maxrate 4000000 -bufsize 4000000 -force_key_frames expr:gte(t,n_forced*1) ${output}`,
    ]);
  });

  test("that gives H.264 is copied, with sound beside it", () => {
    const source = {
      ...{ type: "v4l2", device: "/dev/v4l/by-id/usb-x-index0", input_format: "h264", audio_device: "hw:2" },
      ...{ width: 1920, height: 1080, fps: 15 },
    };
    expect(linesOf(source)).toEqual([
      `${start} -f v4l2 -thread_queue_size 64 -input_format h264 -framerate 15 -video_size 1920x1080 -i /dev/v4l/by-id/usb-x-index0 -f alsa -thread_queue_size 1024 -i hw:2 -map 0:v:0 -map 1:a:0 -c:v copy -c:a aac -b:a 64k -af aresample=async=1000 ${output}`,
    ]);
  });
});

describe("a network camera", () => {
  const input = `${start} -protocol_whitelist pipe,rtsp,rtsps,rtp,tcp,udp,tls,crypto -f concat -safe 0 -i pipe:0`;
  const source = { type: "rtsp", url: "rtsp://10.0.0.7:554/h264?channel=1" };

  test("is copied, and its address stands nowhere but on stdin", () => {
    const plan = planOf(source, {
      probe: { video: "h264", audio: "copyable" },
      credentials: new Secret("admin:p@ss'w/o:rd %"),
    });
    expect(plan.commands.map(({ argv }) => argv.join(" "))).toEqual([
      `${input} -map 0:V:0 -c:v copy -map 0:a:0 -c:a copy ${output}`,
    ]);
    expect(plan.stdin?.reveal()).toBe(
      "ffconcat version 1.0\nfile 'rtsp://admin:p%40ss%27w%2Fo%3Ard%20%25@10.0.0.7:554/h264?channel=1'\noption rtsp_transport tcp\noption timeout 10000000\n",
    );
    expect(JSON.stringify(plan)).not.toContain("p%40ss");
    expect(Bun.inspect(plan)).not.toContain("p%40ss");
  });

  test("of H.265 is marked for Apple's players; other sound becomes AAC; or there is none", () => {
    expect(linesOf(source, { probe: { video: "h265", audio: "other" } })).toEqual([
      `${input} -map 0:V:0 -c:v copy -tag:v hvc1 -map 0:a:0 -c:a aac -b:a 64k -af aresample=async=1000 ${output}`,
    ]);
    for (const [audio, wanted] of [
      ["none", "auto"],
      ["copyable", "off"],
    ] as const) {
      expect(linesOf({ ...source, audio: wanted }, { probe: { video: "h264", audio } })).toEqual([
        `${input} -map 0:V:0 -c:v copy ${output}`,
      ]);
    }
  });

  test("cannot put lines of its own into the script", () => {
    const url = "rtsp://10.0.0.7/a'b\\c";
    const plan = planOf({ ...source, url }, { probe: { video: "h264", audio: "none" } });
    expect(plan.stdin?.reveal().split("\n")[1]).toBe("file 'rtsp://10.0.0.7/a%27b%5Cc'");
    for (const bad of [
      "rtsp://h/a\nfile x",
      "http://h/x",
      "file:///etc/passwd",
      "rtsp://u:p@h/",
      "rtsp:///x",
    ]) {
      expect(() => planOf({ ...source, url: bad })).toThrow();
    }
  });

  test("has credentials of the form user:password", () => {
    for (const text of ["admin", ":x", ""]) {
      const plan = () =>
        planOf(source, { probe: { video: "h264", audio: "none" }, credentials: new Secret(text) });
      expect(plan).toThrow("user:password");
    }
  });
});

describe("a file", () => {
  test("is read over and over in real time, and as a file only", () => {
    expect(
      linesOf({ type: "file", path: "/data/x.mp4" }, { probe: { video: "h264", audio: "copyable" } }),
    ).toEqual([
      `${start} -stream_loop -1 -protocol_whitelist file -format_whitelist mov,matroska,mpegts,mpeg,avi,flv -i file:/data/x.mp4 -map 0:V:0 -c:v copy -map 0:a:0 -c:a copy ${output}`,
    ]);
  });
});

describe("the test picture", () => {
  test("has an even size, a fixed GOP and one thread", () => {
    const [line = ""] = linesOf({ type: "test", width: 641, height: 361, fps: 12.5, keyframe_seconds: 2 });
    expect(line).toContain("color=c=0x14202b:s=640x360:r=12.5,");
    expect(line).toContain(
      "-preset ultrafast -tune zerolatency -pix_fmt yuv420p -g 25 -keyint_min 25 -sc_threshold 0",
    );
    expect(line).toContain("-threads:v 1");
    expect(line).not.toContain("sine");
    expect(line.endsWith(output)).toBe(true);
  });

  test("in H.265, with a tone", () => {
    const [line = ""] = linesOf({ type: "test", codec: "h265", tone: true });
    expect(line).toContain("-c:v libx265 -preset ultrafast");
    expect(line).toContain("keyint=30:min-keyint=30:scenecut=0:open-gop=0");
    expect(line).toContain("-tag:v hvc1");
    // Of several inputs ffmpeg reads ahead: the picture would be ten frames old.
    expect(line.match(/ -i /g)?.length).toBe(1);
    expect(line).toContain("-map 0:a:0");
  });
});

test("ffmpeg is never asked for a shell, and never reads a terminal", () => {
  const probe = { video: "h264", audio: "none" } as const;
  const sources = [
    { type: "test" },
    { type: "rpicam" },
    { type: "v4l2", device: "/dev/video0" },
    { type: "file", path: "/x" },
    { type: "rtsp", url: "rtsp://h/x" },
  ];
  for (const source of sources) {
    const { commands } = planOf(source, { probe });
    expect(commands.at(-1)?.argv.slice(0, 6).join(" ")).toBe(start);
    expect(commands.at(-1)?.argv.at(-1)).toBe("pipe:1");
  }
});
