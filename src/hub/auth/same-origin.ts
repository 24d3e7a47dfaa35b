/**
 * Whether a request that changes something comes from our own pages. `Origin` is sent by every browser with every
 * method but GET and HEAD; where it is missing, `Sec-Fetch-Site` may stand for it. `publicOrigin` is the hub's
 * address behind a proxy that rewrites Host.
 */
export function isSameOrigin(request: Request, publicOrigin: string | undefined): boolean {
  const origin = request.headers.get("origin");
  if (origin === null) return request.headers.get("sec-fetch-site") === "same-origin";
  if (publicOrigin !== undefined && origin === publicOrigin) return true;
  const from = URL.parse(origin);
  const host = request.headers.get("host");
  if (from === null || host === null || !/^https?:$/.test(from.protocol)) return false;
  // The scheme that a proxy in front of us speaks is not known here: the default port of either may be left out.
  const to = URL.parse(`${from.protocol}//${host}`);
  return to !== null && to.host === from.host;
}
