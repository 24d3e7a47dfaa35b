/** Prometheus' own checker; undefined where it is not installed. */
export const promtool = Bun.which("promtool") ?? undefined;
