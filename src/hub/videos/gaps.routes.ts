import { Hono } from "hono";
import * as v from "valibot";
import { AppError } from "../../common/errors.ts";
import type { Catalog, GapQuery } from "../db/catalog.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { type CursorCodec, conditionsOf } from "../http/cursor.ts";
import { describe } from "../http/describe.ts";
import { validQuery } from "../http/validate.ts";
import { formatGap, GapPageJson } from "./gap-json.ts";
import { VideoListParameters } from "./video-queries.ts";

/** GET /api/gaps */
const GapListParameters = v.omit(VideoListParameters, ["status"]);

export function createGapRoutes(options: { gaps: Pick<Catalog, "findGaps">; cursors: CursorCodec }) {
  const { gaps, cursors } = options;
  return new Hono<AppEnv>().get(
    "/api/gaps",
    allow("read"),
    describe({
      tag: "Videos",
      summary: "List gaps",
      description:
        "Times for which a camera should have a video and has none, with the cause that its node told. A gap belongs " +
        "to a range when any part of it does; a long one is told in parts. One that footage fills altogether is left out, " +
        "so a page may have fewer than `limit`.",
      answer: GapPageJson,
      problems: [400],
    }),
    validQuery(GapListParameters),
    async (c) => {
      const { camera_id, from, to, order, limit, cursor } = c.req.valid("query");
      if (from !== undefined && to !== undefined && from >= to) {
        const issues = [{ path: "to", message: "expected a time after `from`" }];
        throw new AppError("invalid_input", "the range is empty", { issues });
      }
      // A video's cursor is none of these.
      const conditions = `gaps${conditionsOf(c.req.valid("query"))}`;
      const query: GapQuery = {
        ...(camera_id && { cameraIds: camera_id }),
        ...(from !== undefined && { fromMs: from }),
        ...(to !== undefined && { toMs: to }),
        ...(cursor !== undefined && { after: cursors.decode(cursor, conditions) }),
        ...{ order, limit: limit + 1 },
      };
      // One more than asked for tells whether there is another page.
      const found = await gaps.findGaps(query);
      const last = found.length > limit ? found[limit - 1] : undefined;
      return c.json({
        gaps: found
          .slice(0, limit)
          .filter(({ missing }) => missing.length > 0)
          .map(formatGap),
        next_cursor: last
          ? cursors.encode({ startTimeMs: last.fromMs, videoId: last.gapId }, conditions)
          : null,
      });
    },
  );
}
