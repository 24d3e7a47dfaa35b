import type { MiddlewareHandler } from "hono";
import { AppError } from "../../common/errors.ts";
import type { AppEnv, Principal } from "./app-env.ts";

/**
 * Who may use a route. `open`: anybody (and then the path must be in `openPaths` of the authentication too).
 * `read`: people and client keys. `page`: people. `admin`: people who are administrators. `node`: keys of edges.
 */
export type Access = "open" | "read" | "page" | "admin" | "node";

const allowed: Record<Access, (principal: Principal) => boolean> = {
  open: () => true,
  read: ({ kind }) => kind === "client" || kind === "person",
  page: ({ kind }) => kind === "person",
  admin: (principal) => principal.kind === "person" && principal.role === "admin",
  node: ({ kind }) => kind === "node",
};

const accessOfMiddleware = new WeakMap<object, Access>();

/** First handler of every route: `app.get("/api/videos", allow("read"), …)`. The hub does not start when one lacks it. */
export function allow(access: Access): MiddlewareHandler<AppEnv> {
  const middleware: MiddlewareHandler<AppEnv> = async (c, next) => {
    if (!allowed[access](c.var.principal)) {
      throw new AppError("forbidden", `this is not for ${nameOf(c.var.principal)}`);
    }
    await next();
  };
  accessOfMiddleware.set(middleware, access);
  return middleware;
}

/** The access a handler grants, if it was made by {@link allow}. */
export function accessOf(handler: object): Access | undefined {
  return accessOfMiddleware.get(handler);
}

function nameOf(principal: Principal): string {
  switch (principal.kind) {
    case "anonymous":
      return "requests without a credential";
    case "node":
      return "the key of a node";
    case "client":
      return "the key of a client";
    case "person":
      return `people with the role ${principal.role}`;
  }
}
