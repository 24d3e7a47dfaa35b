import { startChild } from "../../src/common/child-process.ts";
import { StreamSplitter } from "../../src/common/mp4/stream-splitter.ts";
import { formatLinkFrame } from "../../src/common/protocol/link-frame.ts";
import { fragmentedMp4Output } from "../../src/edge/camera/ffmpeg-arguments.ts";

/** What a camera with sound gives in real time, as the frames that a node sends of it. Ten pictures a second. */
export function startLiveCamera(
  cameraId: string,
  { gopSeconds, send }: { gopSeconds: number; send: (frame: Uint8Array<ArrayBuffer>) => void },
): AsyncDisposable {
  const gop = String(gopSeconds * 10);
  const child = startChild({
    argv: [
      ...["ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-loglevel", "warning"],
      ...["-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=10"],
      ...["-re", "-f", "lavfi", "-i", "sine=sample_rate=48000"],
      ...["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"],
      ...["-g", gop, "-keyint_min", gop, "-sc_threshold", "0", "-c:a", "aac", ...fragmentedMp4Output],
    ],
    stdout: "pipe",
  });
  const splitter = new StreamSplitter();
  const read = (async () => {
    for await (const chunk of child.stdout as ReadableStream<Uint8Array>) {
      for (const unit of splitter.push(chunk)) {
        if (unit.kind === "init") {
          const { codec: codecs, video, bytes } = unit.init;
          const header = {
            type: "live_init",
            camera_id: cameraId,
            codecs,
            width: video.width,
            height: video.height,
          } as const;
          send(formatLinkFrame({ header, payload: bytes }));
        } else {
          const { startsWithKeyframe: starts_with_keyframe, bytes } = unit.fragment;
          const header = { type: "live_fragment", camera_id: cameraId, starts_with_keyframe } as const;
          send(formatLinkFrame({ header, payload: bytes }));
        }
      }
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      await read.catch(() => undefined);
    },
  };
}
