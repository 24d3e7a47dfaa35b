/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { Problem } from "../../common/protocol/problem.ts";
import { Layout } from "./layout.tsx";
import type { PageContext } from "./page-context.ts";

export interface ErrorProps {
  page: PageContext;
  problem: Problem;
  requestId: string | undefined;
}

/** What somebody looked for who did not find it. */
function whatIsAt(address: string): "camera" | "edgeVideo" | "video" | "page" {
  if (/^\/cameras\/[^/]+\/on-edge\//.test(address)) return "edgeVideo";
  if (/^\/cameras\/[^/?]/.test(address)) return "camera";
  return address.startsWith("/videos/") ? "video" : "page";
}

/** What a person sees instead of a problem document: what it means for them, then what the hub says of it. */
export const ErrorPage: FC<ErrorProps> = ({ page, problem, requestId }) => {
  const { t } = page;
  const titles: Readonly<Record<number, string>> = t.error.titles;
  const hints: Readonly<Record<number, string>> = t.error.hints;
  const hint = problem.status === 404 ? t.error.notFound[whatIsAt(page.here)] : hints[problem.status];
  return (
    <Layout page={page} title={titles[problem.status] ?? t.error.other}>
      <div class="empty error">
        <p class="code">{problem.status}</p>
        <h1>{titles[problem.status] ?? t.error.other}</h1>
        {hint && <p>{hint}</p>}
        <p>
          <a class="button primary" href="/">
            {t.error.home}
          </a>
        </p>
        <details>
          <summary>{t.error.details}</summary>
          <div lang="en">
            <p>{problem.detail ?? problem.title}</p>
            {problem.issues && (
              <ul>
                {problem.issues.map(({ path, message }) => (
                  <li>
                    {path}: {message}
                  </li>
                ))}
              </ul>
            )}
          </div>
          {requestId !== undefined && <p>{t.error.request(requestId)}</p>}
        </details>
      </div>
    </Layout>
  );
};
