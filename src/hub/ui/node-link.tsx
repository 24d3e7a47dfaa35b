/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { NodeLinkState } from "../link/remote-nodes.ts";
import type { NodeInfo } from "../nodes/node-service.ts";
import { Badge } from "./badge.tsx";
import type { PageContext } from "./page-context.ts";
import { Ago } from "./time.tsx";

/** Whether things can be asked of a node, and since when. */
export const NodeLink: FC<{ page: PageContext; node: NodeInfo; link: NodeLinkState }> = ({
  page,
  node,
  link,
}) => {
  const { t } = page;
  if (!link.isConnected && node.link?.enabled === false)
    return <Badge tone="quiet" text={t.node.linkStates.off} />;
  return (
    <>
      <Badge
        tone={link.isConnected ? "good" : "warn"}
        text={link.isConnected ? t.node.linkStates.connected : t.node.linkStates.disconnected}
      />
      {link.sinceMs !== undefined && (
        <span class="muted">
          {" "}
          <Ago page={page} ms={link.sinceMs} />
        </span>
      )}
    </>
  );
};
