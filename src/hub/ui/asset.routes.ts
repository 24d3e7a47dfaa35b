import { Hono } from "hono";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import type { Asset, Assets } from "./assets.ts";

/** Style, script and icon, under addresses that change with their content and so may be kept for ever. */
export function createAssetRoutes(assets: Assets) {
  const files = new Map(Object.values(assets).map((asset: Asset) => [asset.path, asset]));
  const known = new Map<Asset, Promise<{ plain: Buffer; gzipped: Uint8Array }>>();
  /** Packed when first asked for: the hub starts without. */
  const bodiesOf = (asset: Asset) => {
    let bodies = known.get(asset);
    if (bodies === undefined) {
      bodies = asset.text().then((text) => ({ plain: Buffer.from(text), gzipped: Bun.gzipSync(text) }));
      known.set(asset, bodies);
    }
    return bodies;
  };
  const routes = new Hono<AppEnv>();
  // Browsers ask for it where a page names no icon: the description of the API, a video opened alone.
  routes.get("/favicon.ico", allow("page"), (c) => c.redirect(assets.icon.path, 302));
  return routes.get("/assets/:file", allow("open"), async (c) => {
    const asset = files.get(c.req.path);
    if (!asset) return c.notFound();
    const gzip = /\bgzip\b/.test(c.req.header("accept-encoding") ?? "");
    const { plain, gzipped } = await bodiesOf(asset);
    const body = gzip ? gzipped : plain;
    return new Response(c.req.method === "HEAD" ? null : body, {
      headers: {
        "Content-Type": asset.contentType,
        "Content-Length": String(body.length),
        "Cache-Control": "public, max-age=31536000, immutable",
        Vary: "Accept-Encoding",
        ...(gzip ? { "Content-Encoding": "gzip" } : {}),
      },
    });
  });
}
