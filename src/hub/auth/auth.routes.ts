import type { Context } from "hono";
import { Hono } from "hono";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { readBody } from "../http/json-body.ts";
import { localPathOf } from "./local-path.ts";
import type { LoginPageModel, LoginProblem, RenderLoginPage } from "./login-page.ts";
import { isSameOrigin } from "./same-origin.ts";
import { sessionCookie, sessionTokenOf } from "./session-cookie.ts";
import type { SignIn } from "./sign-in.ts";

const maxFormBytes = 16 * 1024;

export interface AuthRoutesOptions {
  signIn: SignIn;
  renderLogin: RenderLoginPage;
  publicOrigin: string | undefined;
}

/** Login and logout of people, as forms that work without script. */
export function createAuthRoutes({ signIn, renderLogin, publicOrigin }: AuthRoutesOptions) {
  const isHttps = (c: Context<AppEnv>) => (publicOrigin ?? c.req.url).startsWith("https://");

  const page = async (c: Context<AppEnv>, status: number, model: Partial<LoginPageModel>) => {
    const retryAfterSeconds = model.retryAfterSeconds;
    const html = await renderLogin(c, {
      next: "/",
      username: "",
      problem: undefined,
      ...model,
      retryAfterSeconds,
    });
    return new Response(html, {
      status,
      headers: {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
      },
    });
  };

  return new Hono<AppEnv>()
    .get("/login", allow("open"), async (c): Promise<Response> => {
      const next = localPathOf(new URL(c.req.url).searchParams.get("next") ?? undefined);
      if (c.var.principal.kind === "person") return c.redirect(next, 303);
      return page(c, 200, { next });
    })
    .post("/login", allow("open"), async (c) => {
      // Signing somebody in to another's account from a foreign site is an attack too. Programs send no Origin.
      if (c.req.raw.headers.has("origin") && !isSameOrigin(c.req.raw, publicOrigin)) {
        return page(c, 403, { problem: "other_site" });
      }
      const form = await readForm(c.req.raw);
      if (form === undefined) return page(c, 400, { problem: "bad_input" });
      const { username, password } = form;
      const next = localPathOf(form.next);
      const outcome = await signIn.signIn(username, password, c.env.addressOf(c.req.raw) ?? "");
      if (outcome.result !== "signed_in") {
        const problem: LoginProblem = outcome.result;
        const retryAfterSeconds =
          outcome.result === "too_many_attempts" ? outcome.retryAfterSeconds : undefined;
        const status = { wrong_credentials: 401, too_many_attempts: 429, busy: 503 }[outcome.result];
        return page(c, status, { next, username: username.slice(0, 64), problem, retryAfterSeconds });
      }
      const before = sessionTokenOf(c.req.raw);
      if (before !== undefined) await signIn.signOut(before);
      const { token, maxAgeSeconds } = outcome;
      return new Response(null, {
        status: 303,
        headers: {
          location: next,
          "cache-control": "no-store",
          "set-cookie": sessionCookie(token, { maxAgeSeconds, https: isHttps(c) }),
        },
      });
    })
    .post("/logout", allow("page"), async (c) => {
      const token = sessionTokenOf(c.req.raw);
      if (token !== undefined) await signIn.signOut(token);
      return new Response(null, {
        status: 303,
        headers: {
          location: "/login",
          "cache-control": "no-store",
          "set-cookie": sessionCookie(undefined, { maxAgeSeconds: 0, https: isHttps(c) }),
        },
      });
    });
}

/** The fields of the login form; undefined when it is not that form, each field once. */
async function readForm(
  request: Request,
): Promise<{ username: string; password: string; next: string | undefined } | undefined> {
  const mediaType = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/x-www-form-urlencoded") return undefined;
  const body = await readBody(request, maxFormBytes);
  if (body instanceof Response) return undefined;
  const fields = new URLSearchParams(new TextDecoder().decode(body));
  const one = (name: string) => {
    const values = fields.getAll(name);
    return values.length === 1 ? values[0] : undefined;
  };
  const [username, password] = [one("username"), one("password")];
  if (username === undefined || password === undefined) return undefined;
  return { username, password, next: one("next") };
}
