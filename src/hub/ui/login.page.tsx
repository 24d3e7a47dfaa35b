/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { LoginPageModel } from "../auth/login-page.ts";
import { Icon } from "./icon.tsx";
import { LanguageLinks } from "./language-links.tsx";
import { Layout } from "./layout.tsx";
import type { PageContext } from "./page-context.ts";

export interface LoginProps {
  page: PageContext;
  model: LoginPageModel;
  /** Where to go after the login. */
  goTo: string;
  /** Where the form is sent; it keeps the language chosen on this page. */
  action: string;
}

export const LoginPage: FC<LoginProps> = ({ page, model, goTo, action }) => {
  const { t, format } = page;
  const { problem, retryAfterSeconds } = model;
  return (
    <Layout page={page} title={t.login.title}>
      <form class="card login" method="post" action={action}>
        <h1>{t.login.title}</h1>
        {problem && (
          <p class="notice" role="alert" id="problem">
            <Icon name="warning" />
            <span>
              {t.login.problems[problem]}
              {retryAfterSeconds !== undefined &&
                ` ${t.login.retryAfter(format.duration(retryAfterSeconds * 1000))}`}
            </span>
          </p>
        )}
        <label>
          <span>{t.login.username}</span>
          <input
            name="username"
            value={model.username}
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
            maxlength={64}
            autofocus={model.username === ""}
            aria-describedby={problem && "problem"}
          />
        </label>
        <label>
          <span>{t.login.password}</span>
          <input
            name="password"
            type="password"
            autocomplete="current-password"
            required
            maxlength={1024}
            autofocus={model.username !== ""}
            aria-describedby={problem && "problem"}
          />
        </label>
        <input type="hidden" name="next" value={goTo} />
        <button class="button primary" type="submit">
          {t.login.submit}
        </button>
      </form>
      <LanguageLinks
        page={page}
        hrefOf={(language) => `/login?lang=${language}&next=${encodeURIComponent(model.next)}`}
      />
    </Layout>
  );
};
