import type { Context } from "hono";
import type { Problem } from "../../common/protocol/problem.ts";
import type { AppEnv } from "./app-env.ts";

/** The page a browser sees instead of problem+json. */
export type RenderErrorPage = (c: Context<AppEnv>, problem: Problem) => string | Promise<string>;
