import { resolver } from "hono-openapi";
import * as v from "valibot";
import type { Schema } from "./schema-fields.ts";

type Resolver = ReturnType<typeof resolver>;

/** The metadata of a list in a query: the schema of its entries, which the converter cannot see behind the text. */
export interface ListMetadata {
  itemOfList: v.GenericSchema;
}

/**
 * The JSON Schema of what a schema takes in, for hono-openapi. The converter stops at the first transformation of a
 * pipe and loses the description and the {@link ListMetadata} that stand behind it; here they are put back. A default
 * is written as what the text in the query stands for.
 */
export function describedSchema(schema: v.GenericSchema): Resolver {
  const base = resolverOf(schema);
  return {
    ...base,
    async toOpenAPISchema(options) {
      const schemaOf = async (item: v.GenericSchema) =>
        (await resolverOf(item).toOpenAPISchema(options)).schema as Schema;
      const result = await base.toOpenAPISchema(options);
      await addDescriptions(schema, result.schema as Schema, schemaOf);
      return result;
    },
  };
}

const resolverOf = (schema: v.GenericSchema) => resolver(schema, { options: { typeMode: "input" } });

async function addDescriptions(
  schema: v.GenericSchema,
  json: Schema,
  schemaOf: (item: v.GenericSchema) => Promise<Schema>,
): Promise<void> {
  const inner = unwrap(schema);
  const { itemOfList } = v.getMetadata(inner) as Partial<ListMetadata>;
  if (itemOfList) {
    delete json.anyOf;
    Object.assign(json, { type: "array", items: await schemaOf(itemOfList) });
  }
  if (json.type === "integer" && typeof json.default === "string") json.default = Number(json.default);
  const description = v.getDescription(inner);
  if (description !== undefined && json.description === undefined && json.$ref === undefined) {
    json.description = description;
  }
  if ("entries" in inner && json.properties) {
    for (const [name, entry] of Object.entries(inner.entries as Record<string, v.GenericSchema>)) {
      const property = json.properties[name];
      if (property) await addDescriptions(entry, property, schemaOf);
    }
  }
  if ("item" in inner && json.items)
    await addDescriptions(inner.item as v.GenericSchema, json.items, schemaOf);
}

/** What stands in `v.optional`. */
function unwrap(schema: v.GenericSchema): v.GenericSchema {
  return schema.type === "optional" && "wrapped" in schema
    ? unwrap(schema.wrapped as v.GenericSchema)
    : schema;
}
