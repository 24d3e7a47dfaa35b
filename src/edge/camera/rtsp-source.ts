import { AppError } from "../../common/errors.ts";
import { Secret } from "../../common/secret.ts";
import type { SourceConfig } from "../config.ts";
import type { CapturePlan } from "./camera-source.ts";
import { copyVideo, encodeAudio, ffmpegStart, fragmentedMp4Output } from "./ffmpeg-arguments.ts";
import type { SourceProbe } from "./source-probe.ts";

type RtspSource = Extract<SourceConfig, { type: "rtsp" }>;

/**
 * ffmpeg takes an address only in argv, where `ps` shows its password (and a token in its query) to every user. So it
 * gets a script for its concat demuxer with one entry, the camera, on stdin. Needs ffmpeg 5.0, the first with the
 * script's `option`; from there on RTSP's `timeout` is in microseconds. Beyond RTSP and what carries it nothing may
 * be opened, wherever a server redirects to.
 */
export const rtspInput: readonly string[] = [
  ...["-protocol_whitelist", "pipe,rtsp,rtsps,rtp,tcp,udp,tls,crypto"],
  ...["-f", "concat", "-safe", "0", "-i", "pipe:0"],
];

/** The script for {@link rtspInput}. Throws `invalid_config` when the credentials are not `user:password`. */
export function rtspScript(source: RtspSource, credentials: Secret | undefined): Secret {
  const url = withCredentials(source.url, credentials);
  return new Secret(
    [
      "ffconcat version 1.0",
      `file '${url}'`,
      `option rtsp_transport ${source.transport}`,
      `option timeout ${source.timeout_seconds * 1_000_000}`,
      "",
    ].join("\n"),
  );
}

/** The stream of a network camera, copied. Its times are the camera's own, as RTP carries them. */
export function planRtspCapture(
  source: RtspSource,
  { probe, credentials }: { probe: SourceProbe; credentials: Secret | undefined },
): CapturePlan {
  const audio = source.audio === "auto" ? probe.audio : "none";
  return {
    stdin: rtspScript(source, credentials),
    commands: [
      {
        argv: [
          ...ffmpegStart,
          ...rtspInput,
          ...["-map", "0:V:0", ...copyVideo(probe.video)],
          ...(audio === "none" ? [] : ["-map", "0:a:0"]),
          ...{ none: [], copyable: ["-c:a", "copy"], other: encodeAudio }[audio],
          ...fragmentedMp4Output,
        ],
      },
    ],
  };
}

/** The address with user and password in it (RFC 3986 section 3.2.1), and nothing that would end the script's quotes. */
function withCredentials(url: string, credentials: Secret | undefined): string {
  const quotable = url.replace(/'/g, "%27").replace(/\\/g, "%5C");
  if (!credentials) return quotable;
  const text = credentials.reveal();
  const colon = text.indexOf(":");
  if (colon < 1) throw new AppError("invalid_config", "RTSP credentials must have the form user:password");
  const encode = (part: string) => encodeURIComponent(part).replace(/'/g, "%27");
  const userInfo = `${encode(text.slice(0, colon))}:${encode(text.slice(colon + 1))}`;
  return quotable.replace("://", `://${userInfo}@`);
}
