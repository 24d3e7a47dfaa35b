/** @jsxImportSource hono/jsx */
import type { Child, FC } from "hono/jsx";
import { Icon } from "./icon.tsx";
import type { PageContext } from "./page-context.ts";

export type Section = "cameras" | "nodes" | "health" | "account";

interface LayoutProps {
  page: PageContext;
  title: string;
  section?: Section;
  /** Seconds after which the script asks for the page again; without script it stays as it is. */
  refreshSeconds?: number;
  children?: Child;
}

const sections = [
  { section: "cameras", href: "/" },
  { section: "nodes", href: "/nodes" },
  { section: "health", href: "/health" },
] as const;

/** The frame of every page. It holds no inline script and no inline style: the content security policy has none. */
export const Layout: FC<LayoutProps> = ({ page, title, section, refreshSeconds, children }) => {
  const { t, assets, person } = page;
  return (
    <html lang={page.language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · livecam`}</title>
        <link rel="icon" href={assets.icon.path} type="image/svg+xml" />
        <link rel="stylesheet" href={assets.style.path} />
        <script type="module" src={assets.script.path}></script>
      </head>
      <body>
        <a class="skip" href="#content">
          {t.skipToContent}
        </a>
        <header class="top">
          <div class="top-inner">
            <a class="brand" href="/">
              <img src={assets.icon.path} alt="" width="28" height="28" />
              <span>livecam</span>
            </a>
            {person && (
              <nav class="tabs" aria-label={t.mainNavigation}>
                {sections.map((item) => (
                  <a href={item.href} aria-current={item.section === section ? "page" : undefined}>
                    {t[item.section]}
                  </a>
                ))}
              </nav>
            )}
            {person && (
              <a
                class="account"
                href="/account"
                aria-current={section === "account" ? "page" : undefined}
                aria-label={`${t.account}: ${person.name}`}
              >
                <Icon name="person" />
                <span>{person.name}</span>
              </a>
            )}
          </div>
        </header>
        <p class="hub-away" role="status" data-hub-away hidden>
          {t.hubAway}
        </p>
        <main id="content" tabindex={-1} data-refresh={refreshSeconds}>
          {children}
        </main>
      </body>
    </html>
  );
};
