import type { MiddlewareHandler } from "hono";
import { AppError } from "../../common/errors.ts";
import type { AppEnv, Principal } from "../http/app-env.ts";
import type { Authenticator } from "./authenticator.ts";
import { isSameOrigin } from "./same-origin.ts";
import { sessionTokenOf } from "./session-cookie.ts";

/** The only paths that are served without a credential; everything else is refused before any route is looked up. */
const openPaths = [/^\/login$/, /^\/assets\/[A-Za-z0-9._-]+$/, /^\/api\/health\/live$/];
const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Sets `c.var.principal`. A credential in the Authorization header counts alone: a wrong one is not made good by a
 * cookie. Browsers without a session are sent to /login, everything else gets 401.
 */
export function authentication(options: {
  authenticator: Authenticator;
  publicOrigin: string | undefined;
}): MiddlewareHandler<AppEnv> {
  const { authenticator, publicOrigin } = options;

  const identify = async (request: Request): Promise<Principal> => {
    const principal = await principalOfRequest(authenticator, request);
    if (principal === undefined) return { kind: "anonymous" };
    if (request.headers.has("authorization")) return principal;
    if (!safeMethods.has(request.method) && !isSameOrigin(request, publicOrigin)) {
      throw new AppError("forbidden", "the request comes from another site");
    }
    return principal;
  };

  return async (c, next) => {
    const principal = await identify(c.req.raw);
    c.set("principal", principal);
    if (principal.kind === "anonymous" && !openPaths.some((path) => path.test(c.req.path))) {
      if (isPageRequest(c.req.raw, c.req.path)) {
        const url = new URL(c.req.url);
        const next = url.pathname + url.search;
        return c.redirect(next === "/" ? "/login" : `/login?next=${encodeURIComponent(next)}`, 303);
      }
      throw new AppError("unauthorized", "sign in, or send an API key as Authorization: Bearer lck_…");
    }
    await next();
  };
}

/** By its key or, without one, by its session; undefined for what is not valid, or not any more. */
export async function principalOfRequest(
  authenticator: Authenticator,
  request: Request,
): Promise<Principal | undefined> {
  const authorization = request.headers.get("authorization");
  if (authorization !== null) {
    const bearer = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization)?.[1];
    return bearer === undefined ? undefined : authenticator.principalOfKey(bearer);
  }
  const token = sessionTokenOf(request);
  return token === undefined ? undefined : authenticator.principalOfSession(token);
}

/** A browser that shows the answer to a form of our pages. */
export function isFormRequest(request: Request, path: string): boolean {
  const accept = request.headers.get("accept") ?? "";
  return request.method === "POST" && !path.startsWith("/api/") && accept.includes("text/html");
}

/** A browser that shows what comes; programs and scripts ask for other things than HTML. */
export function isPageRequest(request: Request, path: string): boolean {
  const forPeople = !path.startsWith("/api/") || path === "/api/docs";
  const accept = request.headers.get("accept") ?? "";
  return forPeople && /^(?:GET|HEAD)$/.test(request.method) && accept.includes("text/html");
}
