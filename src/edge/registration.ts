import { protocolVersion } from "../common/protocol/announce.ts";
import type { RegisterRequest } from "../common/protocol/node.ts";
import type { EdgeConfig } from "./config.ts";

export interface RegistrationParts {
  config: EdgeConfig;
  configVersion: string;
  softwareVersion: string;
  timeZone: string;
}

/** How a node introduces itself to its hub. Pure. */
export function registrationOf(parts: RegistrationParts): RegisterRequest {
  const { config, configVersion, softwareVersion, timeZone } = parts;
  return {
    protocol_version: protocolVersion,
    node_id: config.node_id,
    software_version: softwareVersion,
    time_zone: timeZone,
    config_version: configVersion,
    segment_seconds: config.recording.segment_seconds,
    cameras: config.cameras.map(({ id, name, source }) => ({
      camera_id: id,
      name: name ?? id,
      source: source.type,
    })),
  };
}
