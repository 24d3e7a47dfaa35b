import { Hono } from "hono";
import * as v from "valibot";
import { NodeId, VideoId } from "../../common/ids.ts";
import { ConnectionReport, EdgeStatus, ReloadReport, UploadList } from "../../common/protocol/control.ts";
import { ConfigPush, NodeConfig } from "../../common/protocol/link-methods.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { askerOf } from "../http/asker.ts";
import { describe } from "../http/describe.ts";
import { upTo500 } from "../http/list-parameters.ts";
import { validJson, validParam, validQuery } from "../http/validate.ts";
import type { RemoteNodes } from "./remote-nodes.ts";

const node = v.object({ id: NodeId });
const upload = v.object({ id: NodeId, video: VideoId });
const done = { 204: { description: "Done." } };
const problems = [400, 404, 501, 503, 504];

/** What can be asked of a node while it is linked. */
export function createNodeCommandRoutes({ remote }: { remote: RemoteNodes }) {
  return new Hono<AppEnv>()
    .get(
      "/api/nodes/:id/status",
      allow("read"),
      describe({
        tag: "Nodes",
        summary: "A node as it is this moment",
        description: "Asked of the node itself; the list of nodes has what the last heartbeats told.",
        answer: EdgeStatus,
        problems,
      }),
      validParam(node),
      async (c) => c.json(await remote.status(c.req.valid("param").id, askerOf(c))),
    )
    .get(
      "/api/nodes/:id/uploads",
      allow("read"),
      describe({
        tag: "Nodes",
        summary: "What waits on the node to be archived, in the order it will be tried",
        answer: UploadList,
        problems,
      }),
      validParam(node),
      validQuery(v.strictObject({ limit: v.optional(upTo500) })),
      async (c) =>
        c.json(await remote.uploads(c.req.valid("param").id, c.req.valid("query").limit, askerOf(c))),
    )
    .post(
      "/api/nodes/:id/uploads/:video/cancel",
      allow("admin"),
      describe({
        tag: "Nodes",
        summary: "Interrupt an upload",
        description:
          "It waits behind all others, and at least a minute, unless it is retried. Nothing is lost.",
        also: done,
        problems,
      }),
      validParam(upload),
      async (c) => {
        const { id, video } = c.req.valid("param");
        await remote.cancelUpload(id, video, askerOf(c));
        return c.body(null, 204);
      },
    )
    .post(
      "/api/nodes/:id/uploads/:video/retry",
      allow("admin"),
      describe({
        tag: "Nodes",
        summary: "Take an upload that was interrupted or failed back into its place, and try now",
        also: done,
        problems,
      }),
      validParam(upload),
      async (c) => {
        const { id, video } = c.req.valid("param");
        await remote.retryUpload(id, video, askerOf(c));
        return c.body(null, 204);
      },
    )
    .post(
      "/api/nodes/:id/archive-check",
      allow("admin"),
      describe({
        tag: "Nodes",
        summary: "Whether the node reaches its archive",
        answer: ConnectionReport,
        problems,
      }),
      validParam(node),
      async (c) => c.json(await remote.checkArchive(c.req.valid("param").id, askerOf(c))),
    )
    .get(
      "/api/nodes/:id/config",
      allow("admin"),
      describe({
        tag: "Nodes",
        summary: "The config in force on the node",
        description:
          "The config file without its comments. It holds no secrets but says where they are; values in the addresses " +
          "of cameras are hidden, and left as they are when they come back hidden.",
        answer: NodeConfig,
        problems,
      }),
      validParam(node),
      async (c) => c.json(await remote.config(c.req.valid("param").id, askerOf(c))),
    )
    .put(
      "/api/nodes/:id/config",
      allow("admin"),
      describe({
        tag: "Nodes",
        summary: "Another config for the node",
        description:
          "Written over the config file on the node, which keeps the former beside it, and put in force: only what " +
          "changed is interrupted. Cameras, recording and uploads can be changed from here, the rest on the node. 400 " +
          "names every field that is refused, and 409 says that `expected_version` is not the config's any more; then " +
          "nothing was changed. The same again changes nothing.",
        answer: ReloadReport,
        problems: [...problems, 409, 413, 415],
      }),
      validParam(node),
      validJson(ConfigPush, { maxBytes: 512 * 1024 }),
      async (c) => {
        const push = c.req.valid("json");
        return c.json(await remote.applyConfig(c.req.valid("param").id, push, askerOf(c)));
      },
    )
    .post(
      "/api/nodes/:id/reload",
      allow("admin"),
      describe({
        tag: "Nodes",
        summary: "Have the node read its config file and its secrets again",
        answer: ReloadReport,
        problems,
      }),
      validParam(node),
      async (c) => c.json(await remote.reload(c.req.valid("param").id, askerOf(c))),
    );
}
