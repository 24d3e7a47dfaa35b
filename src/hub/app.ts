import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { type Clock, systemClock } from "../common/clock.ts";
import { AppError } from "../common/errors.ts";
import { errorFields, type Logger } from "../common/log.ts";
import type { Problem } from "../common/protocol/problem.ts";
import { authentication, isFormRequest, isPageRequest } from "./auth/authentication.ts";
import type { Authenticator } from "./auth/authenticator.ts";
import { createApiDocRoutes } from "./http/api-docs.routes.ts";
import { createApiDocument } from "./http/api-document.ts";
import type { AppEnv } from "./http/app-env.ts";
import type { RenderErrorPage } from "./http/error-page.ts";
import { createMethodLookup, type KnownRoute, knownRoutesOf } from "./http/known-routes.ts";
import { problemOf, problemOfError, problemResponse } from "./http/problem-response.ts";
import { requestLog } from "./http/request-log.ts";
import { securityHeaders } from "./http/security-headers.ts";

export interface AppParts {
  logger: Logger;
  clock?: Clock;
  authenticator: Authenticator;
  /** `https://cams.example.org`, where it is known; cookies and HSTS depend on it. */
  publicOrigin: string | undefined;
  /** Sub-apps whose routes have their whole path and `allow(…)` as their first handler. */
  routes: readonly Hono<AppEnv>[];
  renderError?: RenderErrorPage;
  onAnswered?: Parameters<typeof requestLog>[0]["onAnswered"];
}

/** Everything the hub answers over HTTP. Throws when a route has no access rule. */
export function createApp(parts: AppParts): { app: Hono<AppEnv>; routes: readonly KnownRoute[] } {
  const { logger, clock = systemClock, authenticator, publicOrigin, renderError } = parts;
  const app = new Hono<AppEnv>();

  app.use(requestLog({ logger, clock, onAnswered: parts.onAnswered }));
  app.use(securityHeaders({ https: publicOrigin?.startsWith("https://") ?? false }));
  app.use(authentication({ authenticator, publicOrigin }));
  // `/api/videos/search` is no video of that name.
  app.use(async (c, next) => {
    const methods = methodsOf.ofLiteral(c.req.path);
    return methods === undefined || methods.includes(c.req.raw.method) ? next() : otherMethod(c, methods);
  });
  for (const routes of parts.routes) app.route("/", routes);
  app.route("/", createApiDocRoutes(createApiDocument(() => app)));

  const routes = knownRoutesOf(app);
  const methodsOf = createMethodLookup(routes);

  const answer = async (
    c: import("hono").Context<AppEnv>,
    problem: Problem,
    headers?: Record<string, string>,
  ) => {
    const isForPeople = isPageRequest(c.req.raw, c.req.path) || isFormRequest(c.req.raw, c.req.path);
    if (renderError === undefined || !isForPeople) return problemResponse(problem, headers);
    return c.html(await renderError(c, problem), problem.status as 400, headers);
  };

  /** To a method that the path does not take, and to OPTIONS. */
  const otherMethod = (c: import("hono").Context<AppEnv>, methods: readonly string[]) => {
    const allow = methods.join(", ");
    if (c.req.raw.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
    const detail = `this path takes ${allow}`;
    return answer(c, problemOf({ status: 405, code: "method_not_allowed", detail }), { allow });
  };

  app.notFound((c) => {
    const { method } = c.req.raw;
    const methods = methodsOf.of(c.req.path);
    // One that the path takes was there, and found nothing; OPTIONS is answered here.
    if (methods.length === 0 || (method !== "OPTIONS" && methods.includes(method))) {
      return answer(
        c,
        problemOf({ status: 404, code: "not_found", detail: "there is nothing under this path" }),
      );
    }
    return otherMethod(c, methods);
  });

  app.onError((error, c) => {
    // Only Hono itself throws these, for requests it cannot read.
    const known =
      error instanceof HTTPException
        ? new AppError("invalid_input", "malformed request", { cause: error })
        : error;
    const problem = problemOfError(known, c.var.requestId);
    if (problem.status >= 500) {
      // The others are no fault of the hub's, and come with every request while something is away, or too much is asked.
      const level = problem.status === 500 ? "error" : "warn";
      logger[level]("request failed", {
        request_id: c.var.requestId,
        path: c.req.path,
        ...errorFields(known),
      });
    }
    return answer(c, problem);
  });

  return { app, routes };
}
