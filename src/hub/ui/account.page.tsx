/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import { LanguageLinks } from "./language-links.tsx";
import { Layout } from "./layout.tsx";
import type { PageContext } from "./page-context.ts";

export const AccountPage: FC<{ page: PageContext }> = ({ page }) => {
  const { t, person } = page;
  return (
    <Layout page={page} title={t.account} section="account">
      <div class="heading">
        <h1>{t.account}</h1>
        {person && <p class="muted">{t.signedInAs(person.name)}</p>}
      </div>
      <section class="card account-card">
        <dl class="rows">
          <div>
            <dt>{t.accountPage.role}</dt>
            <dd>{person ? t.accountPage.roles[person.role] : "–"}</dd>
          </div>
          <div>
            <dt>{t.accountPage.language}</dt>
            <dd>
              <LanguageLinks page={page} hrefOf={(language) => `/language?to=${language}&next=/account`} />
            </dd>
          </div>
        </dl>
        <div class="actions">
          <form method="post" action="/logout">
            <button class="button" type="submit">
              {t.accountPage.signOut}
            </button>
          </form>
          <a href="/api/docs">{t.accountPage.apiDocs}</a>
        </div>
      </section>
    </Layout>
  );
};
