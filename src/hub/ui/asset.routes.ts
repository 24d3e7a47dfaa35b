import { Hono } from "hono";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import type { Assets } from "./assets.ts";

/** Style, script and icon, under addresses that change with their content and so may be kept for ever. */
export function createAssetRoutes(assets: Assets) {
  const files = new Map(
    Object.values(assets).map((asset) => [asset.path, { ...asset, gzipped: Bun.gzipSync(asset.text) }]),
  );
  const routes = new Hono<AppEnv>();
  // Browsers ask for it where a page names no icon: the description of the API, a video opened alone.
  routes.get("/favicon.ico", allow("page"), (c) => c.redirect(assets.icon.path, 302));
  return routes.get("/assets/:file", allow("open"), (c) => {
    const file = files.get(c.req.path);
    if (!file) return c.notFound();
    const gzip = /\bgzip\b/.test(c.req.header("accept-encoding") ?? "");
    const body = gzip ? file.gzipped : Buffer.from(file.text);
    return new Response(c.req.method === "HEAD" ? null : body, {
      headers: {
        "Content-Type": file.contentType,
        "Content-Length": String(body.length),
        "Cache-Control": "public, max-age=31536000, immutable",
        Vary: "Accept-Encoding",
        ...(gzip ? { "Content-Encoding": "gzip" } : {}),
      },
    });
  });
}
