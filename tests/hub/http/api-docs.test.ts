import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { videoStatuses } from "../../../src/hub/db/catalog.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";

interface Operation {
  operationId: string;
  summary?: string;
  parameters?: {
    name: string;
    in: string;
    required?: boolean;
    description?: string;
    schema: { type?: string };
  }[];
  requestBody?: { content: Record<string, unknown> };
  responses: Record<string, { content?: Record<string, { schema?: object }> }>;
}

let hub: TestHub;
let document: {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: object };
};
beforeAll(async () => {
  hub = await openTestHub();
  document = (await (await hub.get("/api/openapi.json")).json()) as typeof document;
});
afterAll(() => hub[Symbol.asyncDispose]());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );

const requiredQueries: Record<string, readonly string[]> = {
  "clip.mp4": ["from", "to"],
  "hls.m3u8": ["from"],
  "master.m3u8": ["from"],
  "on-edge": ["from", "to"],
  timeline: ["from", "to"],
  "evidence.zip": ["camera_id", "from", "to"],
  "clips.zip": ["camera_id", "from", "to"],
};

describe("the API's description", () => {
  test("has every route of the API that is data, and nothing that is not there", () => {
    const described = operations().map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    const routes = hub.hub.routes
      .filter(({ path }) => path.startsWith("/api/") && !/\/(?:docs|docs\.css|openapi\.json)$/.test(path))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    expect(described.sort()).toEqual([...new Set(routes)].sort());
    expect(described).toContain("GET /api/videos/{id}/stream");
  });

  test("says what lists, numbers and times in a query are, as schemas that a program can go by", () => {
    const parameters = document.paths["/api/videos"]?.get?.parameters ?? [];
    const schemaOf = (name: string) => parameters.find((parameter) => parameter.name === name)?.schema;
    expect(schemaOf("camera_id")).toMatchObject({ type: "array", items: { type: "string", maxLength: 32 } });
    expect(schemaOf("camera_id")).not.toHaveProperty("anyOf");
    expect(schemaOf("status")).toMatchObject({ type: "array", items: { enum: [...videoStatuses] } });
    expect(schemaOf("limit")).toEqual({ type: "integer", minimum: 1, maximum: 500, default: 50 } as object);
    expect(schemaOf("from")).toMatchObject({ type: "string", format: "date-time" });
    const uploads = document.paths["/api/nodes/{id}/uploads"]?.get?.parameters ?? [];
    expect(uploads.find(({ name }) => name === "limit")?.schema).toMatchObject({
      type: "integer",
      maximum: 500,
    });
  });

  test("says for each what it takes, answers and refuses", () => {
    expect(document.openapi).toBe("3.1.0");
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, method, operation } of operations()) {
      const name = `${method} ${path}`;
      expect([name, (operation.summary ?? "").length > 5]).toEqual([name, true]);
      const statuses = Object.keys(operation.responses);
      expect([name, statuses.some((status) => /^101$|^2|^3/.test(status))]).toEqual([name, true]);
      expect([name, statuses.includes("401")]).toEqual([name, path !== "/api/health/live"]);
      // What is only to be done has nothing to say.
      const isVerb = /\/(?:pause|resume|fetch|cancel|retry|archive-check|reload)$/.test(path);
      if (method === "post" && !isVerb) {
        expect(Object.keys(operation.requestBody?.content ?? {})).toEqual(["application/json"]);
      }
      for (const parameter of operation.parameters ?? []) {
        // Nothing but a camera's range has to be said in a query; a playlist may be without an end.
        const mustBeSaid = requiredQueries[path.slice(path.lastIndexOf("/") + 1)] ?? [];
        const isRequired = parameter.in === "path" || mustBeSaid.includes(parameter.name);
        expect([name, parameter.name, parameter.required ?? false]).toEqual([
          name,
          parameter.name,
          isRequired,
        ]);
      }
    }
  });

  test("keeps descriptions and types that stand behind a transformation", () => {
    const parameters = document.paths["/api/videos"]?.get?.parameters ?? [];
    const parameter = (name: string) => parameters.find((one) => one.name === name);
    expect(parameter("camera_id")?.description).toContain("commas");
    expect(parameter("from")?.description).toContain("RFC 3339");
    expect(parameter("limit")?.schema).toMatchObject({ type: "integer", minimum: 1, maximum: 500 });
  });

  test("references only what is there", () => {
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      expect(document.components.schemas).toHaveProperty(name ?? "");
    }
    expect(text).toContain("#/components/schemas/Video");
  });
});

describe("the page", () => {
  test("names every route and field, without script or inline style", async () => {
    const response = await hub.get("/api/docs");
    expect(response.headers.get("content-type")).toBe("text/html; charset=UTF-8");
    const html = await response.text();
    for (const { path } of operations()) expect(html).toContain(path);
    expect(html).toContain("recorded_sha256");
    expect(html).toContain("time_of_day.from");
    expect(html).not.toMatch(/<script|style=|<style|javascript:/i);
    expect(html.match(/href="#([^"]+)"/g)?.length).toBe(operations().length);
    const styles = await hub.get("/api/docs.css");
    expect(styles.headers.get("content-type")).toContain("text/css");
  });

  test("sends people who are not signed in to the login, and back", async () => {
    const response = await hub.get("/api/docs", { accept: "text/html" });
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe("/login?next=%2Fapi%2Fdocs");
  });
});
