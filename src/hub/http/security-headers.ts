import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "./app-env.ts";

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  // hls.js hands the browser its media as a blob.
  "media-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * Headers of every answer. They are set on the response as it is: assigning a new one to `c.res` would turn a file
 * into a stream, and Bun sends files by `sendfile`.
 */
export function securityHeaders(options: { https: boolean }): MiddlewareHandler<AppEnv> {
  const fixed: [string, string][] = [
    ["content-security-policy", contentSecurityPolicy],
    ["x-content-type-options", "nosniff"],
    ["x-frame-options", "DENY"],
    // Not `no-referrer`: with it browsers send `Origin: null` with our own forms.
    ["referrer-policy", "same-origin"],
    ["cross-origin-resource-policy", "same-origin"],
    ["cross-origin-opener-policy", "same-origin"],
    ...(options.https ? ([["strict-transport-security", "max-age=31536000"]] as [string, string][]) : []),
  ];
  return async (c, next) => {
    await next();
    const { headers } = c.res;
    for (const [name, value] of fixed) headers.set(name, value);
    headers.set("x-request-id", c.var.requestId);
    if (!headers.has("cache-control")) headers.set("cache-control", "private, no-cache");
    // Hono drops the body of an answer to HEAD and Bun then writes `content-length: 0`.
    if (c.req.raw.method === "HEAD" && !headers.has("content-length") && c.res.body !== null) {
      headers.set("content-length", String((await c.res.clone().arrayBuffer()).byteLength));
    }
  };
}
