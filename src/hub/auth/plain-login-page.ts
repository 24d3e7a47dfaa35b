import { html } from "hono/html";
import type { RenderLoginPage } from "./login-page.ts";

/** Stands in until the pages have one. */
export const renderPlainLogin: RenderLoginPage = async (_c, { next, username, problem }) =>
  String(
    await html`<!doctype html>
      <title>livecam</title>
      <form method="post" action="/login">
        <p>${problem ?? ""}</p>
        <input type="hidden" name="next" value="${next}" />
        <label>User <input name="username" value="${username}" autocomplete="username" required /></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
        <button>Sign in</button>
      </form>`,
  );
