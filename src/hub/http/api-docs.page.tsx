import type { ApiDocument } from "./api-document.ts";
import { fieldsOf, type Schema, typeOf } from "./schema-fields.ts";

interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema: Schema }[];
  requestBody?: { content?: Record<string, { schema: Schema }> };
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: Schema }> }>;
}

type Components = Readonly<Record<string, Schema>>;

/** The OpenAPI document for people: one page, no script. */
export function ApiDocsPage({ document }: { document: ApiDocument }) {
  const components = (document.components?.schemas ?? {}) as Components;
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(([method, operation]) => ({
      path,
      method,
      operation,
    })),
  );
  const byTag = Map.groupBy(operations, ({ operation }) => operation.tags?.[0] ?? "Other");
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{document.info.title} API</title>
        <link rel="stylesheet" href="/api/docs.css" />
      </head>
      <body>
        <main>
          <p>
            <a href="/">livecam</a>
          </p>
          <h1>{document.info.title} API</h1>
          <p>
            <Prose text={document.info.description} />
          </p>
          <p>
            Version {document.info.version}. For programs: <a href="/api/openapi.json">openapi.json</a>
          </p>
          <nav aria-label="Contents">
            {[...byTag].map(([tag, list]) => (
              <section>
                <h2>{tag}</h2>
                <ul>
                  {list.map(({ path, method, operation }) => (
                    <li>
                      <a href={`#${operation.operationId}`}>
                        <code>
                          {method.toUpperCase()} {path}
                        </code>
                      </a>{" "}
                      {operation.summary}
                    </li>
                  ))}
                </ul>
              </section>
            ))}
          </nav>
          {operations.map((entry) => (
            <OperationSection {...entry} components={components} />
          ))}
        </main>
      </body>
    </html>
  );
}

function OperationSection(props: {
  path: string;
  method: string;
  operation: Operation;
  components: Components;
}) {
  const { path, method, operation, components } = props;
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  return (
    <article id={operation.operationId ?? ""}>
      <h3>
        <code>
          {method.toUpperCase()} {path}
        </code>
      </h3>
      <p>
        <strong>{operation.summary}.</strong> <Prose text={operation.description} />
      </p>
      {operation.parameters && operation.parameters.length > 0 && (
        <Fields
          title="Parameters"
          fields={operation.parameters.map(({ name, required = false, description = "", schema }) => ({
            path: name,
            type: typeOf(schema, components),
            required,
            description: description || (schema.description ?? ""),
          }))}
        />
      )}
      {body && <Fields title="Body" fields={fieldsOf(body, components)} />}
      {Object.entries(operation.responses ?? {}).map(([status, response]) => {
        const schema = response.content?.["application/json"]?.schema;
        const fields = schema ? fieldsOf(schema, components) : [];
        return fields.length === 0 ? (
          <p>
            <code>{status}</code> <Prose text={response.description} />
          </p>
        ) : (
          <details>
            <summary>
              <code>{status}</code> <Prose text={response.description} />
            </summary>
            <Fields title={`Answer ${status}`} fields={fields} />
          </details>
        );
      })}
    </article>
  );
}

/** Text of a description: what stands in backticks is code. */
function Prose({ text }: { text: string | undefined }) {
  return <>{text?.split("`").map((part, i) => (i % 2 === 1 ? <code>{part}</code> : part))}</>;
}

function Fields({ title, fields }: { title: string; fields: ReturnType<typeof fieldsOf> }) {
  return (
    <div class="scroll" tabindex={0}>
      <table>
        <caption>{title}</caption>
        <tbody>
          {fields.map(({ path, type, required, description }) => (
            <tr>
              <th scope="row">
                <code>{path}</code>
              </th>
              <td>{required ? "required" : ""}</td>
              <td>{type}</td>
              <td>
                <Prose text={description} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
