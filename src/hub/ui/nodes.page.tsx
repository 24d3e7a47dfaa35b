/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { NodeLinkState } from "../link/remote-nodes.ts";
import type { NodeInfo } from "../nodes/node-service.ts";
import { AlertList } from "./alert-list.tsx";
import { Badge, type Tone } from "./badge.tsx";
import { Layout } from "./layout.tsx";
import { NodeCameras } from "./node-cameras.tsx";
import { LastHeard, NodeFacts } from "./node-facts.tsx";
import type { PageContext } from "./page-context.ts";

const nodeTones: Readonly<Record<NodeInfo["status"], Tone>> = {
  online: "good",
  late: "warn",
  offline: "bad",
  never_seen: "quiet",
};

interface NodesPageProps {
  page: PageContext;
  nodes: readonly NodeInfo[];
  linkOf: (nodeId: string) => NodeLinkState;
}

/** The machines that record, one card each: what is wrong, its cameras, how it is. */
export const NodesPage: FC<NodesPageProps> = ({ page, nodes, linkOf }) => {
  const { t } = page;
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
        <ul class="nodes">
          {nodes.map((node) => (
            <NodeCard page={page} node={node} link={linkOf(node.nodeId)} />
          ))}
        </ul>
      )}
    </Layout>
  );
};

const NodeCard: FC<{ page: PageContext; node: NodeInfo; link: NodeLinkState }> = ({ page, node, link }) => (
  <li class="card node" id={node.nodeId}>
    <div class="node-head">
      <h2>{node.nodeId}</h2>
      <Badge tone={nodeTones[node.status]} text={page.t.node.states[node.status]} />
      <LastHeard page={page} node={node} />
    </div>
    <AlertList page={page} alerts={node.alerts} />
    <NodeCameras page={page} node={node} link={link} />
    <NodeFacts page={page} node={node} link={link} />
  </li>
);
