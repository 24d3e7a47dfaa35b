import type { LogLevel } from "../common/log.ts";
import type { Cameras, ConfiguredCamera } from "./cameras.ts";
import type { CameraConfig, EdgeConfig } from "./config.ts";
import type { EdgeSecrets } from "./config-secrets.ts";
import type { Heartbeat } from "./hub-link/heartbeat.ts";
import type { HubClient } from "./hub-link/hub-client.ts";
import type { HubLink } from "./hub-link/hub-link.ts";
import type { LinkTarget } from "./hub-link/link-connection.ts";
import type { MetricsEndpoint } from "./metrics-endpoint.ts";
import type { ReloadPlan } from "./reload/plan-reload.ts";
import type { Replaceable, ReplaceableDestination } from "./uploader/replaceable-destination.ts";
import type { Uploader } from "./uploader/uploader.ts";

export interface ReloadTargets {
  cameras: Cameras;
  destination: ReplaceableDestination;
  openDestination: (config: EdgeConfig["upload"]["destination"]) => Replaceable;
  uploader: Uploader;
  hub: HubClient;
  heartbeat: Heartbeat;
  link: HubLink;
  metrics: MetricsEndpoint;
  setLogLevel: (level: LogLevel) => void;
}

/**
 * Brings the running node to what the plan says; settings that are asked for where they are used are in force already.
 * What only some of it needs, such as a camera, is let go before others may want it. Never rejects.
 */
export async function applyReload(
  { changes, cameras: changed, inForce, replacesDestination, reconnectsHub, reopensMetrics }: ReloadPlan,
  secrets: EdgeSecrets,
  targets: ReloadTargets,
): Promise<void> {
  const { cameras, destination, openDestination, uploader, hub, heartbeat, link, metrics, setLogLevel } =
    targets;
  setLogLevel(inForce.system.log_level);
  if (reconnectsHub) {
    hub.connectTo({ hubUrl: inForce.network.hub_url, apiKey: secrets.hubApiKey });
    link.connectTo(linkTargetOf(inForce, secrets));
  }
  if (reopensMetrics) await metrics.open(inForce.health, secrets.metricsToken);
  const replaced = replacesDestination && destination.replace(openDestination(inForce.upload.destination));
  await Promise.all(changed.removed.map((id) => cameras.remove(id)));
  await Promise.all(changed.restarted.map((config) => cameras.change(withCredentials(config, secrets))));
  cameras.start(changed.added.map((config) => withCredentials(config, secrets)));
  heartbeat.introduce();
  await replaced;
  if (changes.some(({ path }) => path.startsWith("upload."))) uploader.tryNow();
}

/** Undefined where the config wants no link. */
export function linkTargetOf({ network }: EdgeConfig, secrets: EdgeSecrets): LinkTarget | undefined {
  return network.link ? { hubUrl: network.hub_url, apiKey: secrets.hubApiKey } : undefined;
}

export function withCredentials(config: CameraConfig, secrets: EdgeSecrets): ConfiguredCamera {
  return { config, credentials: secrets.cameraCredentials.get(config.id) };
}
