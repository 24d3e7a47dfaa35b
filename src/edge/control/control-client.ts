import * as v from "valibot";
import { AppError, type ErrorCode, errnoOf } from "../../common/errors.ts";
import { ConnectionReport, EdgeStatus, ReloadReport, UploadList } from "../../common/protocol/control.ts";
import { httpStatusOf, Problem } from "../../common/protocol/problem.ts";

/** A running edge, asked over its control socket. Throws `unavailable` when none listens, and what the edge answers. */
export class ControlClient {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  status(): Promise<EdgeStatus> {
    return this.#json("/status", EdgeStatus);
  }

  uploads(): Promise<UploadList> {
    return this.#json("/uploads", UploadList);
  }

  checkArchive(): Promise<ConnectionReport> {
    return this.#json("/archive", ConnectionReport);
  }

  reload(): Promise<ReloadReport> {
    return this.#json("/reload", ReloadReport, "POST");
  }

  async snapshot(cameraId: string): Promise<Uint8Array> {
    return (await this.#request(`/cameras/${encodeURIComponent(cameraId)}/snapshot`, "GET")).bytes();
  }

  async post(path: string, body?: unknown): Promise<void> {
    await this.#request(path, "POST", body);
  }

  async #json<S extends v.GenericSchema>(
    path: string,
    schema: S,
    method: "GET" | "POST" = "GET",
  ): Promise<v.InferInput<S>> {
    const json: unknown = await (await this.#request(path, method)).json();
    if (v.is(schema, json)) return json;
    throw new AppError(
      "unavailable",
      "the running livecam-edge answers in another way: is it of another version?",
    );
  }

  async #request(path: string, method: string, body?: unknown): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`http://edge${path}`, {
        unix: this.#socketPath,
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(70_000),
      });
    } catch (cause) {
      const errno = errnoOf(cause);
      // Bun's own words of these say less.
      throw new AppError("unavailable", whyNot(this.#socketPath, errno), errno ? {} : { cause });
    }
    if (response.ok) return response;
    const problem = v.safeParse(Problem, await response.json().catch(() => undefined));
    if (!problem.success) throw new AppError("internal", `the edge answered ${response.status}`);
    const { code, detail, title, issues = [] } = problem.output;
    throw new AppError(code in httpStatusOf ? (code as ErrorCode) : "internal", detail ?? title, {
      issues: issues.map(({ received, ...issue }) =>
        received === undefined ? issue : { ...issue, received },
      ),
    });
  }
}

/** Why nobody answers, and what to do about it. */
function whyNot(path: string, errno: string | undefined): string {
  switch (errno) {
    case "ENOENT":
      return `no livecam-edge listens on ${path}: start one, or name its config (--config) or its socket (--socket)`;
    case "ECONNREFUSED":
      return `no livecam-edge answers on ${path}: the one that made this socket is gone`;
    case "EACCES":
    case "EPERM":
      return `you may not open ${path}: its owner and root may (sudo)`;
    default:
      return `no livecam-edge answers on ${path}`;
  }
}
