import { AppError } from "../../common/errors.ts";
import type { Secret } from "../../common/secret.ts";
import type { SourceConfig } from "../config.ts";
import type { CapturePlan } from "./camera-source.ts";
import { planFileCapture } from "./file-source.ts";
import type { PiModel } from "./pi-model.ts";
import { planRpicamCapture } from "./rpicam-source.ts";
import { planRtspCapture } from "./rtsp-source.ts";
import type { SourceProbe } from "./source-probe.ts";
import { planTestCapture } from "./test-source.ts";
import { planV4l2Capture } from "./v4l2-source.ts";

export interface CaptureContext {
  cameraId: string;
  piModel: PiModel;
  credentials: Secret | undefined;
  /** Of file and RTSP sources, whose streams are copied as they are. */
  probe: SourceProbe | undefined;
}

/** What to run for a source. Pure. Throws `invalid_config` for settings that cannot work together. */
export function planCapture(source: SourceConfig, context: CaptureContext): CapturePlan {
  switch (source.type) {
    case "test":
      return planTestCapture(source, context.cameraId);
    case "file":
      return planFileCapture(source, probed(context));
    case "rtsp":
      return planRtspCapture(source, { probe: probed(context), credentials: context.credentials });
    case "v4l2":
      return planV4l2Capture(source);
    case "rpicam":
      return planRpicamCapture(source, context.piModel);
  }
}

function probed({ probe }: CaptureContext): SourceProbe {
  if (!probe) throw new AppError("internal", "a source that is copied was not looked at");
  return probe;
}
