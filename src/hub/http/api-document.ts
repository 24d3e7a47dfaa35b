import type { Hono } from "hono";
import { generateSpecs } from "hono-openapi";
import { version } from "../../common/version.ts";
import type { AppEnv } from "./app-env.ts";

export type ApiDocument = Awaited<ReturnType<typeof generateSpecs>>;

/** OpenAPI 3.1 of every described route. Made when it is first asked for: it takes a while and the routes stand still. */
export function createApiDocument(appOf: () => Hono<AppEnv>): () => Promise<ApiDocument> {
  let document: Promise<ApiDocument> | undefined;
  return () => {
    document ??= generateSpecs(appOf(), {
      documentation: {
        info: {
          title: "livecam hub",
          version: version.version,
          description:
            "Times are RFC 3339 in UTC with milliseconds. Errors are problem+json (RFC 9457) whose `issues` name the " +
            "fields. Keys are made by `livecam-hub key create`; people sign in at /login.",
        },
        tags: ["Videos", "Cameras", "Nodes", "Health", "Ingest", "API"].map((name) => ({ name })),
        components: {
          securitySchemes: {
            key: { type: "http", scheme: "bearer", description: "An API key, lck_…" },
            session: { type: "apiKey", in: "cookie", name: "livecam_session" },
          },
        },
        security: [{ key: [] }, { session: [] }],
      },
      // Our routes with an ending are no static files.
      excludeStaticFile: false,
      exclude: ["/api/openapi.json"],
      // Ours is problem+json and is described with each route.
      defaultValidationErrorResponse: false,
    } as Parameters<typeof generateSpecs>[1]);
    return document;
  };
}
