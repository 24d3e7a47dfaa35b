import { Hono } from "hono";
import * as v from "valibot";
import { CameraId, NodeId } from "../../common/ids.ts";
import { AlertSeverity } from "../../common/protocol/alert.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { type CursorCodec, conditionsOf } from "../http/cursor.ts";
import { describe } from "../http/describe.ts";
import { cursor, limit, listOf, order } from "../http/list-parameters.ts";
import { validQuery } from "../http/validate.ts";
import { AlertPageJson, formatAlert } from "./alert-json.ts";
import type { AlertService } from "./alert-service.ts";

const maxListed = 64;
const repeated = "One or more, repeated or separated by commas.";

/** GET /api/alerts */
const AlertListParameters = v.strictObject({
  state: v.pipe(
    v.optional(v.picklist(["active", "cleared", "all"]), "active"),
    v.description("active: those that go on. cleared: those that are over."),
  ),
  node_id: v.optional(v.pipe(listOf(NodeId, maxListed), v.description(repeated))),
  camera_id: v.optional(v.pipe(listOf(CameraId, maxListed), v.description(repeated))),
  severity: v.optional(v.pipe(listOf(AlertSeverity, AlertSeverity.options.length), v.description(repeated))),
  order,
  limit,
  cursor: v.optional(cursor),
});

export function createAlertRoutes({ alerts, cursors }: { alerts: AlertService; cursors: CursorCodec }) {
  return new Hono<AppEnv>().get(
    "/api/alerts",
    allow("read"),
    describe({
      tag: "Health",
      summary: "What is wrong with nodes and cameras, and what was",
      description:
        "Nodes tell it within seconds; that a node is silent the hub notices itself (`node_offline`). By when it was " +
        "raised. What comes and goes while a node cannot reach the hub is one alert with a count.",
      answer: AlertPageJson,
      problems: [400],
    }),
    validQuery(AlertListParameters),
    async (c) => {
      const { state, node_id, camera_id, severity, order, limit, cursor } = c.req.valid("query");
      // A cursor of another list is none of these.
      const conditions = `alerts${conditionsOf(c.req.valid("query"))}`;
      const page = await alerts.find({
        ...(state !== "all" && { isActive: state === "active" }),
        ...(node_id && { nodeIds: node_id }),
        ...(camera_id && { cameraIds: camera_id }),
        ...(severity && { severities: severity }),
        ...(cursor !== undefined && { after: cursors.decode(cursor, conditions) }),
        ...{ order, limit },
      });
      return c.json({
        alerts: page.alerts.map(formatAlert),
        next_cursor: page.next ? cursors.encode(page.next, conditions) : null,
      });
    },
  );
}
