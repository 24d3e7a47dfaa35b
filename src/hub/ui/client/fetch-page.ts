/** A page of this hub; undefined when it is not to be had: signed out, or gone. The browser may show that by itself. */
export async function fetchPage(url: string): Promise<Document | undefined> {
  const response = await ask(url);
  return isPage(response) ? parse(response) : undefined;
}

/** This page as it is now, to be asked for again and again: while the hub does not answer, the page says so. */
export async function fetchThisPage(): Promise<Document | undefined> {
  const response = await ask(location.href).catch(() => undefined);
  // 502 and the like: what stands before the hub.
  const isAway = response === undefined || response.status >= 500;
  for (const note of document.querySelectorAll<HTMLElement>("[data-hub-away]")) note.hidden = !isAway;
  return response && isPage(response) ? parse(response).catch(() => undefined) : undefined;
}

const ask = (url: string) => fetch(url, { headers: { accept: "text/html" } });

const isPage = (response: Response) => response.ok && !response.redirected;

async function parse(response: Response): Promise<Document> {
  return new DOMParser().parseFromString(await response.text(), "text/html");
}
