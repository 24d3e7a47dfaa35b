import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { findFreePort, type ServerProcess, startServer } from "./server-process.ts";

/** nginx on a random port of the loopback that serves the files of a folder, set up for what it does best. */
export async function startNginx(options: {
  root: string;
  scratch: string;
  workers: number;
  signal: AbortSignal;
}): Promise<ServerProcess & { port: number }> {
  const port = await findFreePort();
  const prefix = join(options.scratch, `nginx-${port}`);
  await mkdir(prefix, { recursive: true });
  const config = join(prefix, "nginx.conf");
  await Bun.write(
    config,
    `${process.getuid?.() === 0 ? "user root;\n" : ""}daemon off;
worker_processes ${options.workers};
pid ${prefix}/nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  types { video/mp4 mp4; }
  sendfile on;
  tcp_nopush off;
  tcp_nodelay on;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  open_file_cache off;
  access_log off;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${prefix}/${name};`).join(" ")}
  server { listen 127.0.0.1:${port}; root ${options.root}; }
}
`,
  );
  const program = Bun.which("nginx") ?? "/usr/sbin/nginx";
  const server = await startServer({
    argv: [program, "-c", config, "-p", prefix, "-e", "stderr"],
    signal: options.signal,
    isReady: async () => (await fetch(`http://127.0.0.1:${port}/`)).status > 0,
  });
  return { ...server, port };
}
