import type { Hono } from "hono";
import { TrieRouter } from "hono/router/trie-router";
import { findTargetHandler } from "hono/utils/handler";
import { AppError } from "../../common/errors.ts";
import { type Access, accessOf } from "./access.ts";
import type { AppEnv } from "./app-env.ts";

export interface KnownRoute {
  method: string;
  /** As Hono writes it, `/api/videos/:id`. */
  path: string;
  access: Access;
}

/**
 * Every route of the app with who may use it. Throws `internal` when a route has no {@link allow}: an app in which
 * somebody forgot it must not start.
 */
export function knownRoutesOf(app: Hono<AppEnv>): KnownRoute[] {
  const routes = new Map<string, KnownRoute | undefined>();
  for (const { method, path, handler } of app.routes) {
    // Middleware of the whole app answers nothing by itself.
    if (method === "ALL" && path === "/*") continue;
    const access = accessOf(handler) ?? accessOf(findTargetHandler(handler));
    const key = `${method} ${path}`;
    if (access !== undefined) routes.set(key, { method, path, access });
    else if (!routes.has(key)) routes.set(key, undefined);
  }
  const forgotten = [...routes].filter(([, route]) => route === undefined).map(([key]) => key);
  if (forgotten.length > 0) {
    throw new AppError("internal", `routes without allow(…): ${forgotten.join(", ")}`);
  }
  return [...routes.values()].filter((route) => route !== undefined);
}

export interface MethodLookup {
  /** For 405 and its `Allow` (RFC 9110, 15.5.6). Empty: no such path. */
  of(path: string): readonly string[];
  /** Undefined for a path that no route spells out; the others are not also what a route with a parameter takes. */
  ofLiteral(path: string): readonly string[] | undefined;
}

export function createMethodLookup(routes: readonly KnownRoute[]): MethodLookup {
  const router = new TrieRouter<string>();
  const methods = [...new Set(routes.map(({ method }) => method))];
  for (const { method, path } of routes) router.add(method, path, method);
  const literal = new Map(
    [...Map.groupBy(routes, ({ path }) => path)]
      .filter(([path]) => !/[:*{]/.test(path))
      .map(([path, own]) => [path, allowed(own.map(({ method }) => method))]),
  );
  return {
    of: (path) =>
      literal.get(path) ?? allowed(methods.filter((method) => router.match(method, path)[0].length > 0)),
    ofLiteral: (path) => literal.get(path),
  };
}

function allowed(found: readonly string[]): readonly string[] {
  if (found.length === 0) return [];
  return [...found, ...(found.includes("GET") ? ["HEAD"] : []), "OPTIONS"].sort();
}
