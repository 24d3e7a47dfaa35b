import { wholeBody } from "../../../src/hub/http/whole-body.ts";

declare const self: Worker;

/** A thread that answers, after it had to wait for something, with as many bytes as the path says. Tells its port. */
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const length = Number(new URL(request.url).pathname.slice(1));
    const bytes = Uint8Array.from({ length }, (_, i) => i % 251);
    await Bun.sleep(1);
    return new Response(wholeBody(bytes), {
      headers: { "Content-Type": "image/jpeg", "Content-Length": String(length) },
    });
  },
});
self.onmessage = () => self.postMessage({ port: server.port, pending: server.pendingRequests });
