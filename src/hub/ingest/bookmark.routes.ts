import { Hono } from "hono";
import * as v from "valibot";
import { NodeId } from "../../common/ids.ts";
import { BookmarkRequest, BookmarkResponse } from "../../common/protocol/bookmark.ts";
import type { Catalog } from "../db/catalog.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { describe } from "../http/describe.ts";
import { checkSpeaksFor } from "../http/node-principal.ts";
import { validJson, validParam } from "../http/validate.ts";

const maxBytes = 4096;

export function createBookmarkRoutes(options: { catalog: Pick<Catalog, "findBookmark" | "moveBookmark"> }) {
  const { catalog } = options;
  const session = crypto.randomUUID();
  return new Hono<AppEnv>().post(
    "/api/nodes/:id/bookmark",
    allow("node"),
    describe({
      tag: "Ingest",
      summary: "A node asks for its bookmark in the catalog, or moves it",
      description:
        "By it a node notices that the catalog was restored from an older one, and announces again what it lacks. " +
        "`move` puts `to` in the place of `from` (null: of none); it does nothing where something else stands there, " +
        "or when `session` is not that of the hub since its last start. The answer says what stands there now. " +
        "Idempotent.",
      answer: BookmarkResponse,
      problems: [400, 413, 415, 503],
    }),
    validParam(v.object({ id: NodeId })),
    validJson(BookmarkRequest, { maxBytes }),
    async (c) => {
      const { id: nodeId } = c.req.valid("param");
      checkSpeaksFor(c.var.principal, nodeId);
      const { move } = c.req.valid("json");
      const bookmark =
        move?.session === session
          ? await catalog.moveBookmark(nodeId, move)
          : await catalog.findBookmark(nodeId);
      return c.json({ session, bookmark } satisfies BookmarkResponse);
    },
  );
}
