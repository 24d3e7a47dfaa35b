import { Hono } from "hono";
import * as v from "valibot";
import { formatWireTime } from "../../common/protocol/wire.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { describe } from "../http/describe.ts";
import { validQuery } from "../http/validate.ts";
import { type HealthService, type PartStatus, partStates } from "./health-service.ts";

const time = v.pipe(v.string(), v.isoTimestamp());
const Part = v.pipe(
  v.object({
    state: v.picklist(partStates),
    message: v.string(),
    figures: v.record(v.string(), v.union([v.number(), v.string(), v.null()])),
    checked_at: time,
  }),
  v.metadata({ ref: "Part" }),
);

const HealthJson = v.object({
  state: v.pipe(
    v.picklist(partStates),
    v.description("down: the catalog does not answer. degraded: anything else is not ok."),
  ),
  parts: v.object({ catalog: Part, archive: Part, nodes: Part, disk: Part }),
  software_version: v.string(),
  uptime_seconds: v.number(),
  checked_at: time,
});

const noParameters = v.strictObject({});

export function createHealthRoutes({ health }: { health: HealthService }) {
  return new Hono<AppEnv>()
    .get(
      "/api/health",
      allow("read"),
      describe({
        tag: "Health",
        summary: "The system and each of its parts",
        description:
          "The archive is looked at every 30 seconds in a process of its own, so a hung NAS delays nothing.",
        answer: HealthJson,
        also: { 503: { description: "The state is down.", schema: HealthJson } },
        problems: [400],
      }),
      validQuery(noParameters),
      async (c) => {
        const { state, parts, softwareVersion, uptimeSeconds, checkedAtMs } = await health.status();
        return c.json(
          {
            state,
            parts: {
              catalog: formatPart(parts.catalog),
              archive: formatPart(parts.archive),
              nodes: formatPart(parts.nodes),
              disk: formatPart(parts.disk),
            },
            software_version: softwareVersion,
            uptime_seconds: uptimeSeconds,
            checked_at: formatWireTime(checkedAtMs),
          },
          state === "down" ? 503 : 200,
        );
      },
    )
    .get(
      "/api/health/live",
      allow("open"),
      describe({
        tag: "Health",
        summary: "Whether the process answers",
        description: "For the supervisor of the container. Needs no credential and looks at nothing else.",
        answer: v.object({ live: v.literal(true) }),
        open: true,
      }),
      (c) => c.json({ live: true }),
    );
}

function formatPart({ state, message, figures, checkedAtMs }: PartStatus): v.InferInput<typeof Part> {
  return { state, message, figures, checked_at: formatWireTime(checkedAtMs) };
}
