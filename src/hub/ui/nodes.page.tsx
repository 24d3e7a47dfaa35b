/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { NodeLinkState } from "../link/remote-nodes.ts";
import type { NodeInfo } from "../nodes/node-service.ts";
import { Badge, type Tone } from "./badge.tsx";
import { CameraActions } from "./camera-actions.tsx";
import { cameraTones } from "./cameras.page.tsx";
import { Layout } from "./layout.tsx";
import { NodeLink } from "./node-link.tsx";
import type { PageContext } from "./page-context.ts";
import { Ago } from "./time.tsx";

const nodeTones: Readonly<Record<NodeInfo["status"], Tone>> = {
  online: "good",
  late: "warn",
  offline: "bad",
  never_seen: "quiet",
};

/** The machines that record; a table, which becomes cards where there is no room for one. */
export const NodesPage: FC<{
  page: PageContext;
  nodes: readonly NodeInfo[];
  linkOf: (nodeId: string) => NodeLinkState;
}> = ({ page, nodes, linkOf }) => {
  const { t } = page;
  const columns = [
    t.node.name,
    t.node.state,
    t.node.cameras,
    t.node.lastHeartbeat,
    t.node.link,
    t.node.waiting,
    t.node.system,
    t.node.address,
    t.node.version,
  ];
  return (
    <Layout page={page} title={t.nodes} section="nodes" refreshSeconds={15}>
      <div class="heading">
        <h1>{t.nodes}</h1>
      </div>
      {nodes.length === 0 ? (
        <div class="empty">
          <h2>{t.node.none}</h2>
          <p>{t.node.noneHint}</p>
        </div>
      ) : (
        <div class="card table-card">
          <table>
            <thead>
              <tr>
                {columns.map((name) => (
                  <th scope="col">{name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {nodes.map((node) => (
                <NodeRow page={page} node={node} link={linkOf(node.nodeId)} columns={columns} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Layout>
  );
};

const NodeRow: FC<{
  page: PageContext;
  node: NodeInfo;
  link: NodeLinkState;
  columns: readonly string[];
}> = ({ page, node, link, columns }) => {
  const { t } = page;
  const cells = [
    <strong>{node.nodeId}</strong>,
    <Badge tone={nodeTones[node.status]} text={t.node.states[node.status]} />,
    <NodeCameras page={page} node={node} link={link} />,
    node.lastHeartbeatMs === null ? t.node.never : <Ago page={page} ms={node.lastHeartbeatMs} />,
    <NodeLink page={page} node={node} link={link} />,
    <Waiting page={page} node={node} />,
    systemText(page, node),
    <code>{node.ipAddress}</code>,
    node.softwareVersion,
  ];
  return (
    <tr>
      {cells.map((cell, index) => (
        <td data-label={columns[index]}>
          <div>{cell}</div>
        </td>
      ))}
    </tr>
  );
};

const NodeCameras: FC<{ page: PageContext; node: NodeInfo; link: NodeLinkState }> = ({
  page,
  node,
  link,
}) => {
  const { t } = page;
  const isHeard = node.status === "online" || node.status === "late";
  return (
    <ul class="plain">
      {node.cameraIds.map((cameraId) => {
        const status = node.cameras.find((camera) => camera.camera_id === cameraId);
        const state = isHeard && status ? status.state : "unknown";
        return (
          <li>
            <a href={`/cameras/${encodeURIComponent(cameraId)}`}>{cameraId}</a>
            <Badge tone={cameraTones[state]} text={t.camera.states[state]} />
            <CameraActions page={page} camera={{ cameraId, state }} link={link} />
          </li>
        );
      })}
    </ul>
  );
};

const Waiting: FC<{ page: PageContext; node: NodeInfo }> = ({ page, node }) => {
  const { t, format } = page;
  if (node.spool === null) return <>–</>;
  const { waiting_segments: segments, waiting_bytes: bytes, lost_segments: lost } = node.spool;
  return (
    <>
      {segments === 0
        ? t.node.nothingWaits
        : t.node.waitingOf(t.day.videoCount(segments, format.number(segments)), format.size(bytes))}
      {lost > 0 && (
        <>
          {" "}
          <Badge tone="bad" text={t.node.lost(format.number(lost))} />
        </>
      )}
    </>
  );
};

function systemText({ t, format }: PageContext, { systemInfo }: NodeInfo): string {
  if (systemInfo === null) return "–";
  const { cpu_usage: cpu, memory_total_bytes: total, memory_available_bytes: available } = systemInfo;
  const temperature = systemInfo.temperature_celsius;
  return [
    ...(cpu === null ? [] : [t.node.cpu(format.share(cpu))]),
    ...(total === 0 ? [] : [t.node.memory(format.share(1 - available / total))]),
    ...(temperature === null ? [] : [`${format.number(temperature)}\u00a0°C`]),
  ].join(", ");
}
