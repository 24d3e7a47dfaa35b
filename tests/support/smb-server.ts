import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, runChild, startChild } from "../../src/common/child-process.ts";
import { errnoOf } from "../../src/common/errors.ts";
import type { SmbClientDestination, SmbMountDestination } from "../../src/edge/destination-config.ts";
import { freePort, takesConnections } from "./ports.ts";

const smbd = "/usr/sbin/smbd";
const smbpasswd = "/usr/bin/smbpasswd";

/** Samba's server and client are there, and this user may run a server for itself. */
export const hasSamba = Bun.which(smbd) !== null && Bun.which("smbclient") !== null;
export const canServeSmb = process.getuid?.() === 0 && hasSamba;
export const whyNoSmb = "needs root, samba and smbclient (scripts/setup smb)";

export const smbPassword = 'pass %"word; \\ $HOME';

/**
 * A real Samba on a port of its own on 127.0.0.1, with everything it writes in a folder of its own. `shares` are
 * folders of this machine by name; a name that begins with `ro-` is read-only. Needs root.
 */
export class SmbServer implements AsyncDisposable {
  readonly username = "root";

  private constructor(
    readonly folder: string,
    readonly port: number,
    readonly shares: Readonly<Record<string, string>>,
  ) {}

  #main: Child | undefined;

  static async start(shares: Record<string, string>): Promise<SmbServer> {
    const folder = await mkdtemp(join(tmpdir(), "livecam-smbd-"));
    const server = new SmbServer(folder, await freePort(), shares);
    await mkdir(join(folder, "state"));
    await writeFile(join(folder, "smb.conf"), server.#config());
    await writeFile(join(folder, "password"), `${smbPassword}\n`, { mode: 0o600 });
    await server.setPassword(smbPassword);
    await server.run();
    return server;
  }

  /** The only one that it takes from now on; connections that it has stay. */
  async setPassword(password: string): Promise<void> {
    const set = await runChild({
      argv: [smbpasswd, "-c", join(this.folder, "smb.conf"), "-a", "-s", this.username],
      stdin: Buffer.from(`${password}\n${password}\n`),
      timeoutMs: 30_000,
    });
    if (set.exitCode !== 0) throw new Error(`smbpasswd: ${set.stderrTail}`);
  }

  /** What a destination has to say to reach `share`. */
  destination(share: string): SmbClientDestination {
    return {
      ...({ type: "smb", mode: "client", server: "127.0.0.1", port: this.port } as const),
      ...{ share, path: "", username: this.username, password: { file: join(this.folder, "password") } },
      ...({ protocol: "SMB3", verify: "size" } as const),
    };
  }

  /** The same for the kernel, which has to mount it. */
  mountDestination(share: string, more: Partial<SmbMountDestination> = {}): SmbMountDestination {
    const { verify, ...same } = this.destination(share);
    return { ...same, mode: "mount", options: [], ...more };
  }

  /** Starts it, and waits until it takes connections. */
  async run(): Promise<void> {
    // In a process group of its own: when it is told to end, it tells its whole group.
    const argv = [smbd, "--foreground", "--debug-stdout"];
    this.#main = startChild({ argv: [...argv, "--configfile", join(this.folder, "smb.conf")] });
    for (let ended = false; !(await takesConnections(this.port)); await Bun.sleep(20)) {
      void this.#main.exited.then(() => {
        ended = true;
      });
      if (ended) throw new Error(`smbd: ${(await this.#main.exited).stderrTail}`);
    }
  }

  /** To every process of it: they are a process group. */
  async signal(name: NodeJS.Signals): Promise<void> {
    if (this.#main === undefined) throw new Error("smbd was never started");
    try {
      process.kill(-this.#main.pid, name);
    } catch (error) {
      if (errnoOf(error) !== "ESRCH") throw error;
    }
  }

  /** As a power cut of the NAS: nobody is told. */
  async kill(): Promise<void> {
    await this.signal("SIGKILL");
    await this.#main?.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  #config(): string {
    const state = join(this.folder, "state");
    const global = {
      "server role": "standalone server",
      interfaces: "127.0.0.1/8",
      "bind interfaces only": "yes",
      "smb ports": String(this.port),
      ...Object.fromEntries(
        ["private dir", "lock directory", "state directory", "cache directory", "pid directory"].map(
          (key) => [key, state],
        ),
      ),
      "ncalrpc dir": join(state, "ncalrpc"),
      "passdb backend": `tdbsam:${join(state, "passdb.tdb")}`,
      "log file": join(state, "log"),
      "disable spoolss": "yes",
      "load printers": "no",
      "disable netbios": "yes",
    };
    const sections = Object.entries(this.shares).map(([name, path]) => ({
      name,
      settings: { path, "read only": name.startsWith("ro-") ? "yes" : "no" },
    }));
    return [{ name: "global", settings: global }, ...sections]
      .map(({ name, settings }) => {
        const lines = Object.entries(settings).map(([key, value]) => `  ${key} = ${value}\n`);
        return `[${name}]\n${lines.join("")}`;
      })
      .join("");
  }
}
