const cookieName = "livecam_session";

/** The session token of a request; undefined when there is none or more than one. */
export function sessionTokenOf(request: Request): string | undefined {
  const header = request.headers.get("cookie");
  if (header === null) return undefined;
  const found = header
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part.startsWith(`${cookieName}=`));
  return found.length === 1 ? found[0]?.slice(cookieName.length + 1) : undefined;
}

/** RFC 6265. `token` undefined removes it. */
export function sessionCookie(
  token: string | undefined,
  options: { maxAgeSeconds: number; https: boolean },
): string {
  return [
    `${cookieName}=${token ?? ""}`,
    "Path=/",
    "HttpOnly",
    "SameSite=Lax",
    `Max-Age=${token === undefined ? 0 : options.maxAgeSeconds}`,
    ...(options.https ? ["Secure"] : []),
  ].join("; ");
}
