import type { MiddlewareHandler } from "hono";
import { uniqueSymbol } from "hono-openapi";
import type * as v from "valibot";
import { AppError } from "../../common/errors.ts";
import { checkInput } from "../../common/input-issues.ts";
import type { AppEnv } from "./app-env.ts";
import { describedSchema } from "./described-schema.ts";
import { readJsonBody } from "./json-body.ts";

type Validated<Target extends string, S extends v.GenericSchema> = MiddlewareHandler<
  AppEnv,
  string,
  { in: Record<Target, v.InferInput<S>>; out: Record<Target, v.InferOutput<S>> }
>;

/**
 * The query string. A parameter given twice is a list, which a schema for one value refuses; with `v.strictObject`
 * unknown parameters are refused by name. Then `c.req.valid("query")`.
 */
export function validQuery<S extends v.GenericSchema>(schema: S): Validated<"query", S> {
  return validator("query", schema, (c) => {
    // Not c.req.queries(): it stumbles over `constructor` and `__proto__`.
    const values = new Map<string, string | string[]>();
    const start = c.req.url.indexOf("?");
    if (start !== -1) {
      for (const [name, value] of new URLSearchParams(c.req.url.slice(start + 1))) {
        const known = values.get(name);
        values.set(name, known === undefined ? value : [known, value].flat());
      }
    }
    return Object.fromEntries(values);
  });
}

/** The parameters in the path, decoded. Then `c.req.valid("param")`. */
export function validParam<S extends v.GenericSchema>(schema: S): Validated<"param", S> {
  return validator("param", schema, (c) => c.req.param());
}

/** A JSON body of at most `maxBytes`. Then `c.req.valid("json")`. */
export function validJson<S extends v.GenericSchema>(
  schema: S,
  options: { maxBytes: number },
): Validated<"json", S> {
  return validator("json", schema, (c) => readJsonBody(c.req.raw, options.maxBytes));
}

function validator<Target extends "query" | "param" | "json", S extends v.GenericSchema>(
  target: Target,
  schema: S,
  read: (c: import("hono").Context<AppEnv>) => unknown,
): Validated<Target, S> {
  const middleware: Validated<Target, S> = async (c, next) => {
    const input = await read(c);
    if (input instanceof Response) return input;
    const checked = checkInput(schema, input);
    if (!checked.ok) throw new AppError("invalid_input", describe[target], { issues: checked.issues });
    c.req.addValidatedData(target, checked.output as object);
    await next();
  };
  // How hono-openapi finds the schema of a route.
  return Object.assign(middleware, {
    [uniqueSymbol]: { target, ...describedSchema(schema) },
  });
}

const describe = {
  query: "the query is not valid",
  param: "the path is not valid",
  json: "the body is not valid",
};
