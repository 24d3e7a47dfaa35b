/** Where to go after the login: a path of this hub, whatever the address bar said. Everything else becomes `/`. */
export function localPathOf(value: string | undefined): string {
  if (value === undefined || value.length > 2000 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(value)) return "/";
  const url = URL.parse(value, "http://hub.invalid");
  if (url === null || url.origin !== "http://hub.invalid") return "/";
  const path = url.pathname + url.search;
  // Dot segments may have left two slashes in front.
  return path.startsWith("//") || path === "/login" || path.startsWith("/login?") ? "/" : path;
}
