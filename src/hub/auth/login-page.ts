import type { Context } from "hono";
import type { AppEnv } from "../http/app-env.ts";

/** Why the page is shown again. */
export type LoginProblem = "wrong_credentials" | "too_many_attempts" | "busy" | "other_site" | "bad_input";

export interface LoginPageModel {
  /** Local path to go on to, for the form's hidden field `next`. */
  next: string;
  /** What was typed, for the field `username`. */
  username: string;
  problem: LoginProblem | undefined;
  retryAfterSeconds: number | undefined;
}

/** The whole page. Its form posts `username`, `password` and `next` to /login, and /logout is a POST without fields. */
export type RenderLoginPage = (c: Context<AppEnv>, model: LoginPageModel) => string | Promise<string>;
