/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import { type Language, languages, stringsOf } from "./language.ts";
import type { PageContext } from "./page-context.ts";

/** Every language under its own name. */
export const LanguageLinks: FC<{ page: PageContext; hrefOf(language: Language): string }> = ({
  page,
  hrefOf,
}) => (
  <ul class="languages" aria-label={page.t.accountPage.language}>
    {languages.map((language) => (
      <li>
        <a
          href={hrefOf(language)}
          lang={language}
          hreflang={language}
          aria-current={language === page.language ? "true" : undefined}
        >
          {stringsOf[language].languageName}
        </a>
      </li>
    ))}
  </ul>
);
