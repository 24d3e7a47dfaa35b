/** A page of this hub; undefined when it is not to be had: signed out, or gone. The browser may show that by itself. */
export async function fetchPage(url: string): Promise<Document | undefined> {
  const response = await fetch(url, { headers: { accept: "text/html" } });
  if (!response.ok || response.redirected) return undefined;
  return new DOMParser().parseFromString(await response.text(), "text/html");
}
