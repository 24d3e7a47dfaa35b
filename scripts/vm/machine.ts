import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Child, runChild, startChild } from "../../src/common/child-process.ts";
import { freePort } from "../../tests/support/ports.ts";
import { run, type VmImage } from "./image.ts";

const spoolDiskBytes = 400_000_000;
const bootMs = 300_000;

/** Where the guest reaches what listens on the loopback of this machine. */
export const hostInGuest = "10.0.2.2";

/** A text, or a copy of a file of this machine. */
export type GuestFile = { text: string; mode?: number } | { copyOf: string; mode?: number };

/**
 * A Debian with systemd and a real kernel, in software emulation: it needs no right to virtualise, and is some ten
 * times slower than the machine it runs on. Its spool is a disk of its own (`/dev/vdb` at `/var/lib/livecam`).
 */
export class VirtualMachine implements AsyncDisposable {
  readonly #folder: string;
  readonly #image: VmImage;
  #qemu: Child | undefined;
  #sshPort = 0;
  #hubPort = 0;
  #boots = 0;

  private constructor(folder: string, image: VmImage) {
    this.#folder = folder;
    this.#image = image;
  }

  /** `files` by their path in the guest. */
  static async create(image: VmImage, files: Readonly<Record<string, GuestFile>>): Promise<VirtualMachine> {
    const folder = await mkdtemp(join(tmpdir(), "livecam-vm-"));
    const vm = new VirtualMachine(folder, image);
    try {
      await vm.#make(files);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    return vm;
  }

  /** Its disks, with `files` on the first. */
  async #make(files: Readonly<Record<string, GuestFile>>): Promise<void> {
    await run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", this.#at("key"));
    await run("cp", "--sparse=always", "--reflink=auto", this.#image.rootDisk, this.#at("root.img"));
    await run("truncate", "-s", String(spoolDiskBytes), this.#at("spool.img"));
    await run("mkfs.ext4", "-q", "-F", this.#at("spool.img"));
    const mounted = this.#at("mounted");
    await mkdir(mounted);
    await run("mount", "-o", "loop", this.#at("root.img"), mounted);
    try {
      const authorized: GuestFile = { text: await readFile(this.#at("key.pub"), "utf8"), mode: 0o600 };
      for (const [path, file] of Object.entries<GuestFile>({
        ...files,
        "/root/.ssh/authorized_keys": authorized,
      })) {
        const target = join(mounted, path);
        await mkdir(dirname(target), { recursive: true, mode: 0o755 });
        if ("text" in file) await writeFile(target, file.text);
        else await copyFile(file.copyOf, target);
        await chmod(target, file.mode ?? 0o644);
      }
    } finally {
      await run("umount", mounted);
    }
  }

  /** Resolves when it takes commands. `rtc`: what its clock shows at first, instead of the time. */
  async boot(options: { rtc?: string } = {}): Promise<void> {
    this.#sshPort = await freePort();
    this.#hubPort = await freePort();
    this.#boots++;
    const drives = ["root", "spool"].flatMap((name) => [
      "-drive",
      // A flush of the guest is not passed on: what it has written is here already, and survives its end.
      `file=${this.#at(`${name}.img`)},format=raw,if=virtio,cache=unsafe`,
    ]);
    this.#qemu = startChild({
      argv: [
        ...["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "1024"],
        ...["-display", "none", "-monitor", "none", "-serial", `file:${this.consolePath}`],
        ...["-kernel", this.#image.kernel, "-initrd", this.#image.initrd],
        ...["-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 panic=5 quiet"],
        ...[...drives, "-device", "virtio-rng-pci"],
        ...[
          "-nic",
          [
            "user,model=virtio-net-pci",
            `hostfwd=tcp:127.0.0.1:${this.#sshPort}-:22`,
            `hostfwd=tcp:127.0.0.1:${this.#hubPort}-:8080`,
          ].join(),
        ],
        ...["-rtc", `base=${options.rtc ?? "utc"}`],
      ],
    });
    await this.answers(bootMs);
  }

  /** Where a hub in it is reached, which listens on its port 8080. */
  get hubUrl(): string {
    return `http://127.0.0.1:${this.#hubPort}`;
  }

  get consolePath(): string {
    return this.#at("console.log");
  }

  /** Resolves when it takes commands. */
  async answers(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    let ended = false;
    void this.#qemu?.exited.then(() => {
      ended = true;
    });
    for (;;) {
      const { exitCode } = await this.#ssh("true", 20_000).catch(() => ({ exitCode: 1 }));
      if (exitCode === 0) return;
      if (ended || performance.now() > deadline) {
        const said = await readFile(this.consolePath, "latin1").catch(() => "");
        throw new Error(`the machine does not come up: ${said.slice(-2000)}`);
      }
      await Bun.sleep(1000);
    }
  }

  /** A shell command in it, as root. Throws when it fails. */
  async run(command: string, timeoutMs = 120_000): Promise<string> {
    const { exitCode, stdout, stderrTail } = await this.#ssh(command, timeoutMs);
    const text = new TextDecoder().decode(stdout);
    if (exitCode !== 0) throw new Error(`in the machine, "${command}" (${exitCode}): ${text}${stderrTail}`);
    return text;
  }

  async write(path: string, text: string): Promise<void> {
    await this.run(`cat >${path} <<'END_OF_FILE'\n${text}\nEND_OF_FILE`);
  }

  /** As when the plug is pulled: what its kernel had not written is gone. */
  async cutPower(): Promise<void> {
    this.#qemu?.kill("SIGKILL");
    await this.#qemu?.exited;
  }

  /** A clean end. */
  async shutDown(): Promise<void> {
    await this.run("systemctl poweroff").catch(() => undefined);
    await this.#qemu?.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cutPower();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #at(name: string): string {
    return join(this.#folder, name);
  }

  #ssh(command: string, timeoutMs: number) {
    const options = {
      BatchMode: "yes",
      StrictHostKeyChecking: "no",
      UserKnownHostsFile: "/dev/null",
      LogLevel: "ERROR",
      ConnectTimeout: "10",
      ControlMaster: "auto",
      ControlPath: this.#at(`ssh-${this.#boots}`),
      ControlPersist: "30",
    };
    return runChild({
      argv: [
        ...["ssh", "-p", String(this.#sshPort), "-i", this.#at("key")],
        ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
        ...["root@127.0.0.1", command],
      ],
      timeoutMs,
    });
  }
}
