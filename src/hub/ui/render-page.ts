import type { JSX } from "hono/jsx/jsx-runtime";

/** A page as text. Everything that came from outside was escaped when it was put in. */
export function renderPage(element: JSX.Element): string {
  return `<!DOCTYPE html>${String(element)}`;
}
