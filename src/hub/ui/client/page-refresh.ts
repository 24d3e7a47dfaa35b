import { fetchThisPage } from "./fetch-page.ts";

// Pages that show the present stay current: `<main data-refresh="15">`, in seconds.

const seconds = Number(document.querySelector("main")?.dataset.refresh);

async function refresh(): Promise<void> {
  const main = document.querySelector("main");
  // Nothing is moved under the hands of a person.
  const isBusy = document.hidden || main?.matches(":focus-within") || !getSelection()?.isCollapsed;
  const page = isBusy ? undefined : await fetchThisPage();
  const found = page?.querySelector("main");
  if (found?.dataset.refresh) main?.replaceChildren(...found.childNodes);
  setTimeout(refresh, seconds * 1000);
}

if (seconds > 0) setTimeout(refresh, seconds * 1000);
