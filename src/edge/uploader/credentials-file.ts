import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError, errnoOf } from "../../common/errors.ts";
import type { Secret } from "../../common/secret.ts";

export interface SmbAccount {
  username: string;
  password: Secret;
  domain: string | undefined;
}

const prefix = "smb-credentials-";

/**
 * An account as `smbclient --authentication-file` and `mount.cifs -o credentials=` read it, in a file that only we
 * can read, for as long as it is open. What killed workers left in `folder` is removed. Throws `invalid_config` for a
 * password that such a file cannot hold, `io`.
 */
export async function openCredentialsFile(
  folder: string,
  { username, password, domain }: SmbAccount,
): Promise<{ path: string } & AsyncDisposable> {
  const text = password.reveal();
  if (/^\s|[\r\n\0]/.test(text)) {
    throw new AppError(
      "invalid_config",
      "an SMB password must not begin with a blank or hold a line break: the credentials file has no way to say it",
    );
  }
  const path = join(folder, `${prefix}${process.pid}-${crypto.randomUUID()}`);
  const lines = [`username=${username}`, `password=${text}`, ...(domain ? [`domain=${domain}`] : [])];
  try {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    await removeLeftovers(folder);
    await writeFile(path, `${lines.join("\n")}\n`, { flag: "wx", mode: 0o600 });
  } catch (cause) {
    throw new AppError("io", `cannot write the SMB credentials into ${folder}`, { cause });
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(folder, name), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errnoOf(error) === "EPERM";
  }
}
