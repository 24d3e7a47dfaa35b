import { resolver } from "hono-openapi";
import * as v from "valibot";
import type { Schema } from "./schema-fields.ts";

type Resolver = ReturnType<typeof resolver>;

/**
 * The JSON Schema of what a schema takes in, for hono-openapi. The converter stops at the first transformation of a
 * pipe and loses the description that stands behind it; here it is put back.
 */
export function describedSchema(schema: v.GenericSchema): Resolver {
  const base = resolver(schema, { options: { typeMode: "input" } });
  return {
    ...base,
    async toOpenAPISchema(options) {
      const result = await base.toOpenAPISchema(options);
      addDescriptions(schema, result.schema as Schema);
      return result;
    },
  };
}

function addDescriptions(schema: v.GenericSchema, json: Schema): void {
  const inner = unwrap(schema);
  const description = v.getDescription(inner);
  if (description !== undefined && json.description === undefined && json.$ref === undefined) {
    json.description = description;
  }
  if ("entries" in inner && json.properties) {
    for (const [name, entry] of Object.entries(inner.entries as Record<string, v.GenericSchema>)) {
      const property = json.properties[name];
      if (property) addDescriptions(entry, property);
    }
  }
  if ("item" in inner && json.items) addDescriptions(inner.item as v.GenericSchema, json.items);
}

/** What stands in `v.optional`. */
function unwrap(schema: v.GenericSchema): v.GenericSchema {
  return schema.type === "optional" && "wrapped" in schema
    ? unwrap(schema.wrapped as v.GenericSchema)
    : schema;
}
