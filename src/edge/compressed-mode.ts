import { errorFields, type Logger } from "../common/log.ts";
import type { CaptureSettings } from "./camera/camera-source.ts";
import type { CameraUnit } from "./camera-unit.ts";
import type { CameraConfig, SourceConfig } from "./config.ts";

/** Of a camera's bits and pictures, what it is asked for while the disk fills. */
const share = 0.5;
const leastBitrateBps = 100_000;

/**
 * What to ask a camera for while the disk fills, and what to ask it for again later. Undefined for one whose stream is
 * taken as it comes.
 */
export function compressedSettingsOf(
  source: SourceConfig,
): { compressed: CaptureSettings; usual: CaptureSettings } | undefined {
  if (source.type === "file" || source.type === "rtsp") return undefined;
  if (source.type === "v4l2" && source.input_format === "h264") return undefined;
  const { bitrate, fps } = source;
  return {
    compressed: {
      bitrateBps: Math.min(bitrate, Math.max(leastBitrateBps, Math.floor(bitrate * share))),
      fps: Math.min(fps, Math.max(1, fps * share)),
    },
    usual: { bitrateBps: bitrate, fps },
  };
}

/** Puts the cameras that can into compressed mode, or back. Never rejects. */
export async function setCompressed(
  isCompressed: boolean,
  cameras: readonly Pick<CameraUnit, "id" | "configure">[],
  configs: readonly Pick<CameraConfig, "id" | "source">[],
  logger: Logger,
): Promise<void> {
  const sourceOf = new Map(configs.map(({ id, source }) => [id, source]));
  for (const camera of cameras) {
    const source = sourceOf.get(camera.id);
    const settings = source && compressedSettingsOf(source);
    if (!settings) continue;
    try {
      await camera.configure(isCompressed ? settings.compressed : settings.usual);
    } catch (error) {
      logger.error("a camera could not be asked for another bitrate", {
        camera_id: camera.id,
        ...errorFields(error),
      });
    }
  }
}
