import type { CameraConfig } from "../config.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

/** What a camera was seen to deliver. */
export interface CameraFacts {
  /** Why it delivers nothing, where it does not. */
  error: string | undefined;
  /** How it was seen: by a capture of three seconds, or by the edge that runs and has the camera. */
  seenBy: "test capture" | "running edge";
  /** Zero where only the running edge knows. */
  fragments: number;
  fps: number | undefined;
  bitrateBps: number | undefined;
  picture: string;
  /** Nothing is recorded until somebody resumes it. */
  isPaused?: boolean;
  /** Media time that came per time that went by; undefined when too little came to tell. */
  pace: number | undefined;
}

const near = 0.9;

/** Whether a camera delivers what the config asks of it. Pure. */
export function checkCamera({ id, source }: CameraConfig, facts: CameraFacts): Finding {
  const check = `camera ${id}`;
  const { error, fps, pace, fragments } = facts;
  if (error !== undefined) return fail(check, error, adviceFor(source.type));
  if (facts.isPaused) {
    return warn(check, "paused: nothing is recorded", `when that is not wanted: livecam-edge resume ${id}`);
  }
  const rate = facts.bitrateBps === undefined ? "" : `, ${(facts.bitrateBps / 1e6).toFixed(2)} Mb/s`;
  const measured = fps === undefined ? "no rate yet" : `${fps.toFixed(1)} fps`;
  const counted = fragments === 0 ? "" : `, ${fragments} fragments`;
  const message = `${facts.picture}, ${measured}${rate} (${facts.seenBy}${counted})`;
  const asked = "fps" in source ? source.fps : undefined;
  if (fps !== undefined && asked !== undefined && fps < near * asked) {
    const advice =
      source.type === "v4l2"
        ? "a USB camera gives fewer in poor light and sizes it cannot do: v4l2-ctl --list-formats-ext"
        : "lower fps or size in the config";
    return warn(check, `${message}, and ${asked} fps are asked for`, advice);
  }
  if (pace !== undefined && pace < near && source.type !== "file") {
    const advice =
      "the machine or the way to the camera is too slow: lower fps, size or the number of cameras";
    return warn(check, `${message}, at ${Math.round(pace * 100)} % of real time`, advice);
  }
  return ok(check, message);
}

function adviceFor(type: CameraConfig["source"]["type"]): string {
  switch (type) {
    case "rpicam":
      return "rpicam-hello --list-cameras shows what is plugged in; only one program may use a camera at a time";
    case "v4l2":
      return "v4l2-ctl --list-devices shows what is plugged in; the user needs the group video";
    case "rtsp":
      return "try address, user and password with a player; look whether the camera sends H.264 or H.265";
    case "file":
      return "look whether the file is there, may be read, and holds H.264 or H.265";
    case "test":
      return "see what is said about ffmpeg";
  }
}
