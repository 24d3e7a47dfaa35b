import type { Clock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import type { AlertService } from "../alerts/alert-service.ts";
import type { Catalog, NodeRow } from "../db/catalog.ts";
import { formatHeartbeat, parseHeartbeat } from "./heartbeat-record.ts";
import type { CameraOverview, NodeInfo, NodeService, NodeState } from "./node-service.ts";

export interface NodeServiceOptions {
  catalog: Catalog;
  alerts: Pick<AlertService, "told" | "listActive">;
  clock: Clock;
  heartbeatIntervalSeconds: number;
  /** The archive this hub's catalog belongs to, once it is known. */
  archiveId: () => string | null;
}

export function createNodeService(options: NodeServiceOptions): NodeService {
  const { catalog, alerts, clock, heartbeatIntervalSeconds, archiveId } = options;
  const answer = () => ({ archiveId: archiveId(), serverTimeMs: clock.wallMs() });

  const list = async (): Promise<NodeInfo[]> => {
    const [nodes, cameras] = [await catalog.listNodes(), await catalog.listCameras()];
    const alertsOf = Map.groupBy(await alerts.listActive(), ({ nodeId }) => nodeId);
    const camerasOf = Map.groupBy(cameras, ({ nodeId }) => nodeId);
    const now = clock.wallMs();
    return nodes.map((row) => ({
      ...nodeInfoOf(row),
      cameraIds: (camerasOf.get(row.nodeId) ?? []).map(({ cameraId }) => cameraId),
      alerts: alertsOf.get(row.nodeId) ?? [],
      status: nodeStateOf(row.lastHeartbeatMs, now, heartbeatIntervalSeconds),
    }));
  };

  const cameras = async (): Promise<CameraOverview[]> => {
    const nodes = new Map((await list()).map((node) => [node.nodeId, node]));
    const newest = new Map((await catalog.findNewestVideos()).map((video) => [video.cameraId, video]));
    return (await catalog.listCameras()).map(({ cameraId, nodeId, name, source }) => {
      const node = nodes.get(nodeId);
      const newestVideo = newest.get(cameraId);
      const status = node?.cameras.find((camera) => camera.camera_id === cameraId);
      const isHeard = node?.status === "online" || node?.status === "late";
      return {
        cameraId,
        name,
        nodeId,
        source,
        nodeStatus: node?.status ?? "never_seen",
        lastHeartbeatMs: node?.lastHeartbeatMs ?? null,
        // What a node said before it fell silent is no news.
        state: isHeard && status !== undefined ? status.state : "unknown",
        message: isHeard ? (status?.message ?? null) : null,
        pausedSinceMs: isHeard ? (status?.paused_since ?? null) : null,
        timeZone: node?.timeZone ?? newestVideo?.timeZone ?? "UTC",
        newestVideo,
      };
    });
  };

  /** Throws `conflict` for cameras that another node records now: two with one id would be one in every list. */
  const checkUntaken = async (nodeId: string, cameraIds: readonly string[]): Promise<void> => {
    const others = (await list()).filter((node) => node.nodeId !== nodeId && node.status === "online");
    const issues = cameraIds.flatMap((cameraId, i) => {
      const holder = others.find(
        (node) =>
          // What it registered, and has not given up since.
          node.cameraIds.includes(cameraId) && node.cameras.some(({ camera_id }) => camera_id === cameraId),
      );
      const message = `expected an id that no other node has: ${cameraId} is of ${holder?.nodeId}, which is online`;
      return holder ? [{ path: `cameras.${i}.camera_id`, message }] : [];
    });
    if (issues.length > 0) throw new AppError("conflict", "another node has this camera", { issues });
  };

  return {
    list,
    cameras,

    async find(nodeId) {
      return (await list()).find((node) => node.nodeId === nodeId) ?? notFound("node");
    },

    async findCamera(cameraId) {
      return (await cameras()).find((camera) => camera.cameraId === cameraId) ?? notFound("camera");
    },

    async register(request, ipAddress) {
      const nodeId = request.node_id;
      await checkUntaken(
        nodeId,
        request.cameras.map(({ camera_id }) => camera_id),
      );
      await catalog.saveNode(
        {
          nodeId,
          ipAddress,
          registeredAtMs: clock.wallMs(),
          softwareVersion: request.software_version,
          configVersion: request.config_version,
          timeZone: request.time_zone,
          segmentSeconds: request.segment_seconds,
        },
        request.cameras.map(({ camera_id, name, source }) => ({ cameraId: camera_id, nodeId, name, source })),
      );
      return { ...answer(), heartbeatIntervalSeconds };
    },

    async heartbeat(nodeId, beat, ipAddress) {
      const registered = await catalog.saveHeartbeat(nodeId, {
        atMs: clock.wallMs(),
        ipAddress,
        softwareVersion: beat.software_version,
        configVersion: beat.config_version,
        json: formatHeartbeat(beat),
      });
      if (registered && beat.alerts) await alerts.told(nodeId, beat.alerts);
      return { ...answer(), registered };
    },
  };
}

/** The rule of {@link NodeState}. A heartbeat from the future (the hub's clock was set back) counts as new. */
export function nodeStateOf(
  lastHeartbeatMs: number | null,
  nowMs: number,
  intervalSeconds: number,
): NodeState {
  if (lastHeartbeatMs === null) return "never_seen";
  const intervals = (nowMs - lastHeartbeatMs) / (intervalSeconds * 1000);
  if (intervals <= 3) return "online";
  return intervals <= 12 ? "late" : "offline";
}

function nodeInfoOf(row: NodeRow): Omit<NodeInfo, "cameraIds" | "alerts" | "status"> {
  const { lastHeartbeatJson, ...columns } = row;
  const beat = lastHeartbeatJson === null ? undefined : parseHeartbeat(lastHeartbeatJson);
  return {
    ...columns,
    systemInfo: beat?.system ?? null,
    spool: beat?.spool ?? null,
    uploads: beat?.uploads ?? null,
    cameras: beat?.cameras ?? [],
    errorCounts: beat?.error_counts ?? {},
    config: beat?.config ?? null,
    link: beat?.link ?? null,
  };
}

function notFound(what: string): never {
  throw new AppError("not_found", `there is no ${what} with this id`);
}
