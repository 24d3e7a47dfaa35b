import type { Clock } from "../common/clock.ts";
import { createLogger } from "../common/log.ts";
import { linkMethods } from "../common/protocol/link-methods.ts";
import { versionText } from "../common/version.ts";
import type { HubConfig } from "./config.ts";
import { createRemoteNodes } from "./link/linked-remote-nodes.ts";
import { NodeLinks } from "./link/node-links.ts";
import { LiveCameras } from "./live/live-cameras.ts";
import type { NodeService } from "./nodes/node-service.ts";

/** What goes over the links that the nodes open: what cameras see now, and what is asked of the nodes. */
export function openNodeAccess(parts: {
  config: Pick<HubConfig, "link_ping_seconds">;
  nodes: Pick<NodeService, "find" | "findCamera">;
  clock: Clock;
}) {
  const { config, nodes, clock } = parts;
  const links = new NodeLinks({
    softwareVersion: versionText,
    pingSeconds: config.link_ping_seconds,
    clock,
    logger: createLogger("link"),
  });
  const nodeOfCamera = async (cameraId: string) => (await nodes.findCamera(cameraId)).nodeId;
  const live = new LiveCameras({
    nodeOfCamera,
    watch: (nodeId, camera_id) => links.request(nodeId, "watch", { camera_id }, linkMethods.watch.deadlineMs),
    unwatch: (nodeId, camera_id) =>
      links.request(nodeId, "unwatch", { camera_id }, linkMethods.unwatch.deadlineMs),
    logger: createLogger("live"),
  });
  links.feed(live);
  const remote = createRemoteNodes({
    links,
    nodeOfCamera,
    checkNode: async (nodeId) => void (await nodes.find(nodeId)),
    logger: createLogger("remote"),
  });
  return { links, live, remote, nodeOfCamera };
}
