import { Hono } from "hono";
import * as v from "valibot";
import { NodeId } from "../../common/ids.ts";
import {
  HeartbeatRequest,
  HeartbeatResponse,
  RegisterRequest,
  RegisterResponse,
} from "../../common/protocol/node.ts";
import { formatWireTime } from "../../common/protocol/wire.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { describe } from "../http/describe.ts";
import { checkSpeaksFor } from "../http/node-principal.ts";
import { validJson, validParam, validQuery } from "../http/validate.ts";
import type { NodeLinkState } from "../link/remote-nodes.ts";
import { CameraListJson, formatCamera, formatNode, NodeListJson } from "./node-json.ts";
import type { NodeService } from "./node-service.ts";

const maxBytes = 256 * 1024;
const noParameters = v.strictObject({});

export interface NodeRoutesOptions {
  nodes: NodeService;
  linkOf: (nodeId: string) => NodeLinkState;
}

export function createNodeRoutes({ nodes, linkOf }: NodeRoutesOptions) {
  return new Hono<AppEnv>()
    .get(
      "/api/nodes/status",
      allow("read"),
      describe({ tag: "Nodes", summary: "Every node", answer: NodeListJson, problems: [400] }),
      validQuery(noParameters),
      async (c) =>
        c.json({ nodes: (await nodes.list()).map((node) => formatNode(node, linkOf(node.nodeId))) }),
    )
    .get(
      "/api/cameras",
      allow("read"),
      describe({ tag: "Cameras", summary: "Every camera", answer: CameraListJson, problems: [400] }),
      validQuery(noParameters),
      async (c) => c.json({ cameras: (await nodes.cameras()).map(formatCamera) }),
    )
    .post(
      "/api/nodes/register",
      allow("node"),
      describe({
        tag: "Nodes",
        summary: "A node introduces itself",
        description:
          "At its start, and whenever a heartbeat is answered with `registered: false`. Idempotent. A camera moves to " +
          "the node that registers it last, but not from one that is online and has it: 409.",
        answer: RegisterResponse,
        problems: [400, 409, 413, 415],
      }),
      validJson(RegisterRequest, { maxBytes }),
      async (c) => {
        const request = c.req.valid("json");
        checkSpeaksFor(c.var.principal, request.node_id);
        const answer = await nodes.register(request, addressOf(c));
        return c.json({
          node_id: request.node_id,
          archive_id: answer.archiveId,
          heartbeat_interval_seconds: answer.heartbeatIntervalSeconds,
          server_time: formatWireTime(answer.serverTimeMs),
        } satisfies v.InferInput<typeof RegisterResponse>);
      },
    )
    .post(
      "/api/nodes/:id/heartbeat",
      allow("node"),
      describe({
        tag: "Nodes",
        summary: "A node tells how it is",
        description: "Idempotent; the last one counts.",
        answer: HeartbeatResponse,
        problems: [400, 413, 415],
      }),
      validParam(v.object({ id: NodeId })),
      validJson(HeartbeatRequest, { maxBytes }),
      async (c) => {
        const { id } = c.req.valid("param");
        checkSpeaksFor(c.var.principal, id);
        const answer = await nodes.heartbeat(id, c.req.valid("json"), addressOf(c));
        return c.json({
          registered: answer.registered,
          archive_id: answer.archiveId,
          server_time: formatWireTime(answer.serverTimeMs),
        } satisfies v.InferInput<typeof HeartbeatResponse>);
      },
    );
}

/** The socket's other end; what a proxy says of it is not believed. */
function addressOf(c: import("hono").Context<AppEnv>): string {
  return c.env.addressOf(c.req.raw) ?? "";
}
