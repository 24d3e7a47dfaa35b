import { Hono } from "hono";
import * as v from "valibot";
import { AppError } from "../../common/errors.ts";
import { NodeId } from "../../common/ids.ts";
import { allow } from "../http/access.ts";
import type { AppEnv, Principal } from "../http/app-env.ts";
import { describe } from "../http/describe.ts";
import { checkSpeaksFor } from "../http/node-principal.ts";
import { upgradeRequired } from "../http/upgrade-required.ts";
import { validParam } from "../http/validate.ts";
import type { SocketEvents } from "../http/web-socket.ts";

export interface LinkRoutesOptions {
  links: {
    /** Throws `unavailable`. */
    accept(nodeId: string, isAllowed: () => Promise<boolean>): SocketEvents;
    forget(events: SocketEvents): void;
  };
  /** Who a key is of; undefined for one that is not good any more. */
  principalOfKey: (key: string) => Promise<Principal | undefined>;
}

/** Where nodes open their link: a WebSocket that stays. */
export function createLinkRoutes({ links, principalOfKey }: LinkRoutesOptions) {
  return new Hono<AppEnv>().get(
    "/api/nodes/:id/link",
    allow("node"),
    describe({
      tag: "Nodes",
      summary: "A node's link",
      description:
        "A WebSocket on which the hub asks and the node answers; docs/link-protocol.md. A second one of the same node " +
        "takes the place of the first.",
      problems: [400, 426, 503],
      also: { 101: { description: "Switching to WebSocket." } },
    }),
    validParam(v.object({ id: NodeId })),
    (c) => {
      const { id } = c.req.valid("param");
      if (c.req.header("upgrade")?.toLowerCase() !== "websocket") return upgradeRequired();
      checkSpeaksFor(c.var.principal, id);
      // Browsers send one with every WebSocket, programs none: what has one runs in somebody's page.
      if (c.req.raw.headers.has("origin")) {
        throw new AppError("forbidden", "the link is for nodes, not for browsers");
      }
      const key = c.req.header("authorization")?.replace(/^Bearer +/i, "") ?? "";
      const events = links.accept(id, async () => {
        const principal = await principalOfKey(key);
        return principal?.kind === "node" && (principal.nodeId === undefined || principal.nodeId === id);
      });
      if (c.env.upgrade(c.req.raw, events)) return new Response(null);
      links.forget(events);
      return upgradeRequired();
    },
  );
}
