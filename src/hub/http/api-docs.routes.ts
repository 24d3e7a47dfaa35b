import { Hono } from "hono";
import { allow } from "./access.ts";
import styles from "./api-docs.css" with { type: "text" };
import type { ApiDocument } from "./api-document.ts";
import type { AppEnv } from "./app-env.ts";
import { describe } from "./describe.ts";

/** The API's description, for programs and for people. */
export function createApiDocRoutes(document: () => Promise<ApiDocument>) {
  return new Hono<AppEnv>()
    .get(
      "/api/openapi.json",
      allow("read"),
      describe({
        tag: "API",
        summary: "This description",
        content: { mediaType: "application/json", description: "OpenAPI 3.1" },
      }),
      async (c) => c.json(await document()),
    )
    .get("/api/docs", allow("read"), async (c) => {
      const { ApiDocsPage } = await import("./api-docs.page.tsx");
      return c.html(`<!doctype html>${ApiDocsPage({ document: await document() })}`);
    })
    .get("/api/docs.css", allow("read"), (c) =>
      c.body(styles, 200, { "content-type": "text/css; charset=utf-8" }),
    );
}
