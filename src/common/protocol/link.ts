import * as v from "valibot";
import { NodeId } from "../ids.ts";
import { NonNegativeInteger, PlainText, PositiveInteger, WireTime } from "./wire.ts";

/** The WebSocket between a node and its hub, message by message. docs/link-protocol.md tells it with examples. */

/** The highest version this release speaks; both ends use the lower one of theirs. */
export const linkVersion = 1;

/** Bytes of one message. A config and a list of uploads fit into a text, a picture of any camera into a binary one. */
export const linkLimits = { textBytes: 256 * 1024, binaryBytes: 8 * 1024 * 1024 } as const;

/** Of the 4000 to 4999 that RFC 6455, 7.4.2 leaves to applications. */
export const linkCloseCodes = {
  /** A newer connection of the same node took this one's place. */
  replaced: 4001,
  /** Too much was sent that makes no sense. */
  garbage: 4002,
  /** Too much was sent. */
  flood: 4003,
  /** The key is not, or no longer, good for this. */
  unauthorized: 4004,
  /** No hello, or one that this hub cannot go on from. */
  bad_hello: 4005,
  /** The node goes away: it stops, or is told another hub. */
  leaving: 4006,
} as const;

export const RequestId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,32}$/, "1 to 32 of A-Z a-z 0-9 _ -"));

/** The node's first message. */
export const Hello = v.object({
  type: v.literal("hello"),
  link_version: PositiveInteger,
  node_id: NodeId,
  software_version: PlainText(64),
  config_version: PlainText(64),
  /** What it can be asked: names of {@link linkMethods}, and such as a later release knows. */
  methods: v.pipe(v.array(PlainText(64)), v.maxLength(200)),
});
export type Hello = v.InferInput<typeof Hello>;

/** The hub's answer to it. */
export const Welcome = v.object({
  type: v.literal("welcome"),
  link_version: PositiveInteger,
  software_version: PlainText(64),
  server_time: WireTime,
  /** How often both ends ping; three times as long without a word means that the other is gone. */
  ping_seconds: v.pipe(v.number(), v.minValue(0.05), v.maxValue(300)),
});
export type Welcome = v.InferInput<typeof Welcome>;

/** The hub asks the node for something. Each request is answered once, by a response or by a binary message. */
export const Request = v.object({
  type: v.literal("request"),
  /** Of this connection; not used again while it is open. */
  id: RequestId,
  method: PlainText(64),
  params: v.optional(v.unknown()),
  /** After so long nobody waits for the answer. */
  deadline_ms: v.pipe(PositiveInteger, v.maxValue(600_000)),
});
export type Request = v.InferInput<typeof Request>;

/** RFC 9457 as in HTTP answers, bounded. */
export const LinkProblem = v.object({
  type: v.optional(v.literal("about:blank"), "about:blank"),
  title: v.pipe(v.string(), v.maxLength(200)),
  status: NonNegativeInteger,
  detail: v.optional(v.pipe(v.string(), v.maxLength(4000))),
  code: PlainText(64),
  issues: v.optional(
    v.pipe(
      v.array(
        v.object({
          path: v.pipe(v.string(), v.maxLength(500)),
          message: v.pipe(v.string(), v.maxLength(1000)),
          received: v.optional(v.pipe(v.string(), v.maxLength(500))),
        }),
      ),
      v.maxLength(500),
    ),
  ),
});
export type LinkProblem = v.InferInput<typeof LinkProblem>;

/** With either a result or the reason why there is none. */
export const Response = v.pipe(
  v.object({
    type: v.literal("response"),
    id: RequestId,
    result: v.optional(v.unknown()),
    problem: v.optional(LinkProblem),
  }),
  v.check(
    ({ result, problem }) => (result === undefined) !== (problem === undefined),
    "a result or a problem",
  ),
);
export type Response = v.InferInput<typeof Response>;

export const Ping = v.object({ type: v.literal("ping"), id: RequestId });
export const Pong = v.object({ type: v.literal("pong"), id: RequestId });

/** The answer to what could not be understood. It is itself never answered. */
export const LinkError = v.object({
  type: v.literal("error"),
  code: v.picklist(["malformed", "unknown_type", "unexpected"]),
  detail: v.pipe(v.string(), v.maxLength(500)),
});
export type LinkError = v.InferInput<typeof LinkError>;

/** What a hub may hear, by type. */
export const nodeMessages = { hello: Hello, response: Response, ping: Ping, pong: Pong, error: LinkError };
/** What a node may hear, by type. */
export const hubMessages = { welcome: Welcome, request: Request, ping: Ping, pong: Pong, error: LinkError };

type Schemas = Readonly<Record<string, v.GenericSchema>>;
export type LinkMessage<S extends Schemas> = { [Name in keyof S]: v.InferOutput<S[Name]> }[keyof S];
export type NodeMessage = LinkMessage<typeof nodeMessages>;
export type HubMessage = LinkMessage<typeof hubMessages>;

/** A text message, or the error to answer with. */
export function parseLinkMessage<S extends Schemas>(
  schemas: S,
  text: string,
): { ok: true; message: LinkMessage<S> } | { ok: false; error: LinkError } {
  const refused = (code: LinkError["code"], detail: string) =>
    ({ ok: false, error: { type: "error", code, detail: detail.slice(0, 500) } }) as const;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return refused("malformed", "the message is not JSON");
  }
  const type = typeof json === "object" && json !== null && "type" in json ? json.type : undefined;
  if (typeof type !== "string") return refused("malformed", "the message is not an object with a type");
  if (!Object.hasOwn(schemas, type)) {
    return refused(
      "unknown_type",
      `messages of the type ${JSON.stringify(type.slice(0, 64))} are not known here`,
    );
  }
  const parsed = v.safeParse(schemas[type] as S[keyof S], json);
  if (parsed.success) return { ok: true, message: parsed.output as LinkMessage<S> };
  const [issue] = parsed.issues;
  return refused("malformed", `${type}: ${v.getDotPath(issue) ?? ""}: ${issue.message}`);
}
