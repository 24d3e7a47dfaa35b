/** As much of a JSON Schema as the description of our own API has. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  const?: unknown;
  pattern?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  anyOf?: Schema[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  default?: unknown;
  description?: string;
}

export interface Field {
  /** `resolution.width`, `videos[].camera_id` */
  path: string;
  type: string;
  required: boolean;
  description: string;
}

/** Every field of a body, flat, as a table shows it. */
export function fieldsOf(schema: Schema, components: Readonly<Record<string, Schema>>): Field[] {
  const fields: Field[] = [];
  const walk = (given: Schema, path: string, depth: number): void => {
    const current = resolve(given, components);
    if (current.type === "array" && current.items) {
      walk(current.items, `${path}[]`, depth + 1);
      return;
    }
    const inner = current.anyOf?.find((one) => resolve(one, components).properties !== undefined);
    const { properties, required = [] } = inner ? resolve(inner, components) : current;
    if (!properties || depth > 6) return;
    for (const [name, property] of Object.entries(properties)) {
      const own = path === "" ? name : `${path}.${name}`;
      const resolved = resolve(property, components);
      fields.push({
        path: own,
        type: typeOf(resolved, components),
        required: required.includes(name),
        description: property.description ?? resolved.description ?? "",
      });
      walk(resolved, own, depth + 1);
    }
  };
  walk(schema, "", 0);
  return fields;
}

/** `integer 1 to 500`, `"ok" | "down"`, `string or null`. */
export function typeOf(given: Schema, components: Readonly<Record<string, Schema>>): string {
  const schema = resolve(given, components);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf) return [...new Set(schema.anyOf.map((one) => typeOf(one, components)))].join(" or ");
  if (schema.type === "array")
    return `list of ${schema.items ? typeOf(schema.items, components) : "anything"}`;
  const name = [schema.type ?? "anything"].flat().join(" or ");
  return [name, schema.format === undefined ? "" : `(${schema.format})`, rangeOf(schema)]
    .filter(Boolean)
    .join(" ");
}

function rangeOf({ minimum, maximum, maxLength }: Schema): string {
  const isBound = (value: number | undefined) =>
    value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  if (isBound(minimum) && isBound(maximum)) return `${minimum} to ${maximum}`;
  if (isBound(minimum)) return `from ${minimum}`;
  if (isBound(maximum)) return `up to ${maximum}`;
  return maxLength === undefined ? "" : `up to ${maxLength} characters`;
}

function resolve(schema: Schema, components: Readonly<Record<string, Schema>>): Schema {
  const name = schema.$ref?.split("/").at(-1);
  return name === undefined ? schema : (components[name] ?? schema);
}
