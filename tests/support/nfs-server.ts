import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, startChild } from "../../src/common/child-process.ts";
import { freePort, takesConnections } from "./ports.ts";

const ganesha = "/usr/bin/ganesha.nfsd";

/** NFS-Ganesha is there; only root may run it. */
export const hasGanesha = existsSync(ganesha);
export const whyNoNfs = "needs nfs-ganesha-vfs (scripts/setup kernel)";

/**
 * A real NFS-Ganesha that serves NFS v4 on a port of its own, with everything it writes in a folder of its own.
 * `exports` are folders of this machine by the path that clients mount; one that begins with `/ro` is read-only.
 * It listens on every address of the machine. Needs root.
 */
export class NfsServer implements AsyncDisposable {
  #main: Child | undefined;

  private constructor(
    readonly folder: string,
    readonly port: number,
  ) {}

  static async start(exports: Readonly<Record<string, string>>): Promise<NfsServer> {
    const folder = await mkdtemp(join(tmpdir(), "livecam-ganesha-"));
    const server = new NfsServer(folder, await freePort());
    await mkdir(join(folder, "recovery"));
    await mkdir("/var/run/ganesha", { recursive: true });
    await server.serve(exports);
    return server;
  }

  /** Starts it with these exports, and waits until it takes connections. */
  async serve(exports: Readonly<Record<string, string>>): Promise<void> {
    await writeFile(join(this.folder, "ganesha.conf"), this.#config(exports));
    await this.run();
  }

  /** Starts it again as it was. */
  async run(): Promise<void> {
    const files = { f: "ganesha.conf", L: "log", p: "pid" };
    const options = Object.entries(files).flatMap(([name, file]) => [`-${name}`, join(this.folder, file)]);
    const main = startChild({ argv: [ganesha, "-F", "-N", "EVENT", ...options] });
    this.#main = main;
    let ended = false;
    void main.exited.then(() => {
      ended = true;
    });
    while (!(await takesConnections(this.port))) {
      if (ended) throw new Error(`ganesha: ${await readFile(join(this.folder, "log"), "utf8")}`);
      await Bun.sleep(50);
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#main?.kill(name);
  }

  /** As a power cut of the NAS: nobody is told. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#main?.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Without the minute and a half that a server waits at its start for clients to claim what they had open. */
  #config(exports: Readonly<Record<string, string>>): string {
    const blocks = Object.entries(exports).map(
      ([pseudo, path], index) => `EXPORT {
  Export_Id = ${index + 1}; Path = ${path}; Pseudo = ${pseudo};
  Access_Type = ${pseudo.startsWith("/ro") ? "RO" : "RW"}; Squash = None; SecType = sys;
  Protocols = 4; Transports = TCP; FSAL { Name = VFS; }
}
`,
    );
    return `NFS_CORE_PARAM {
  Protocols = 4; NFS_Port = ${this.port};
  Enable_NLM = false; Enable_RQUOTA = false; Enable_UDP = false;
}
NFSv4 {
  Graceless = true; Lease_Lifetime = 10; Minor_Versions = 0, 1, 2;
  RecoveryBackend = fs; RecoveryRoot = "${join(this.folder, "recovery")}";
}
${blocks.join("")}`;
  }
}
