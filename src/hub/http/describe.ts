import { describeRoute } from "hono-openapi";
import type * as v from "valibot";
import { Problem } from "../../common/protocol/problem.ts";
import { describedSchema } from "./described-schema.ts";

export type Tag = "Videos" | "Cameras" | "Nodes" | "Health" | "Ingest" | "API";

export interface RouteDescription {
  tag: Tag;
  summary: string;
  description?: string;
  /** Schema of the 200's JSON. */
  answer?: v.GenericSchema;
  /** Media type and words of a 200 that is not JSON. */
  content?: { mediaType: string; description: string };
  /** Other answers that are no problem: status to description, with the schema of their JSON. */
  also?: Readonly<Record<number, { description: string; schema?: v.GenericSchema }>>;
  /** Statuses of problem+json that this route has beside 401 and 403. */
  problems?: readonly number[];
  /** Needs no credential, so there is no 401 and 403. */
  open?: boolean;
}

type Responses = NonNullable<Parameters<typeof describeRoute>[0]["responses"]>;
type Content = Extract<Responses[string], { content?: unknown }>["content"];

const meaning: Readonly<Record<number, string>> = {
  400: "Something in the request is refused; `issues` names the fields.",
  401: "No valid credential.",
  403: "The credential is not for this.",
  404: "There is no such thing.",
  409: "Known with other content; nothing was changed.",
  412: "A condition of the request does not hold.",
  413: "The body is too large.",
  415: "The body is not application/json.",
  416: "No byte of the file is in the range.",
  426: "The connection is to be upgraded to a WebSocket.",
  501: "The node's release cannot do this.",
  503: "Not now; `Retry-After` says when to try again.",
  504: "The node did not answer in time; what was asked may have been done.",
};

/** A route in the OpenAPI document. */
export function describe(route: RouteDescription): ReturnType<typeof describeRoute> {
  const responses: Responses = {};
  if (route.answer) responses[200] = { description: "OK", content: json(route.answer) };
  if (route.content) {
    const schema = { type: "string", format: "binary" } as const;
    const { mediaType, description } = route.content;
    responses[200] = { description, content: { [mediaType]: { schema } } };
  }
  for (const [status, { description, schema }] of Object.entries(route.also ?? {})) {
    responses[status] = { description, ...(schema ? { content: json(schema) } : {}) };
  }
  for (const status of [...(route.open ? [] : [401, 403]), ...(route.problems ?? [])]) {
    responses[status] = {
      description: meaning[status] ?? "",
      content: json(Problem, "application/problem+json"),
    };
  }
  return describeRoute({
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    responses,
    ...(route.open ? { security: [] } : {}),
  });
}

function json(schema: v.GenericSchema, mediaType = "application/json"): NonNullable<Content> {
  return { [mediaType]: { schema: describedSchema(schema) } };
}
