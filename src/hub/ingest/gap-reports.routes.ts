import { Hono } from "hono";
import * as v from "valibot";
import type { Clock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import { NodeId } from "../../common/ids.ts";
import { GapReport, GapReportResponse } from "../../common/protocol/gap.ts";
import type { Catalog } from "../db/catalog.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { describe } from "../http/describe.ts";
import { checkSpeaksFor } from "../http/node-principal.ts";
import { validJson, validParam } from "../http/validate.ts";

/** 500 gaps with the longest text are less than half of it. */
const maxBytes = 1024 * 1024;

export function createGapReportRoutes(options: { catalog: Pick<Catalog, "saveGaps">; clock: Clock }) {
  const { catalog, clock } = options;
  return new Hono<AppEnv>().post(
    "/api/nodes/:id/gaps",
    allow("node"),
    describe({
      tag: "Ingest",
      summary: "A node tells what it could not record",
      description:
        "Idempotent: a gap whose id is known is left as it is. The answer is an acknowledgement of all of them: the " +
        "rows are on the hub's disk. Unknown fields are ignored.",
      answer: GapReportResponse,
      problems: [400, 413, 415, 503],
    }),
    validParam(v.object({ id: NodeId })),
    validJson(GapReport, { maxBytes }),
    async (c) => {
      const { id: nodeId } = c.req.valid("param");
      checkSpeaksFor(c.var.principal, nodeId);
      const { gaps } = c.req.valid("json");
      const issues = gaps.flatMap(({ from_time, to_time }, i) =>
        to_time > from_time
          ? []
          : [{ path: `gaps.${i}.to_time`, message: "expected a time after from_time" }],
      );
      if (issues.length > 0) throw new AppError("invalid_input", "the body is not valid", { issues });
      const rows = gaps.map((gap) => ({
        gapId: gap.gap_id,
        cameraId: gap.camera_id,
        nodeId,
        fromMs: gap.from_time,
        toMs: gap.to_time,
        cause: gap.cause,
        detail: gap.detail,
      }));
      const stored = await catalog.saveGaps(rows, clock.wallMs());
      return c.json({ stored, known: gaps.length - stored } satisfies GapReportResponse);
    },
  );
}
