import { systemClock } from "../common/clock.ts";
import { AppError } from "../common/errors.ts";
import { checkInput } from "../common/input-issues.ts";
import { formatWireTime } from "../common/protocol/wire.ts";
import { Passwords, UserName } from "./auth/passwords.ts";
import type { CliContext } from "./cli-context.ts";
import { type PasswordSource, readNewPassword } from "./cli-password.ts";
import { formatTable } from "./cli-table.ts";
import { type HubOptions, loadHubConfig } from "./config.ts";
import type { Role } from "./http/app-env.ts";
import { openStorage } from "./storage.ts";

export async function addUser(
  name: string,
  options: HubOptions & PasswordSource & { role: Role },
  context: CliContext,
): Promise<number> {
  const userName = checkName(name);
  const { data_path } = await loadHubConfig(options);
  const passwordHash = await new Passwords().hash(await readNewPassword(options, context));
  await using storage = await openStorage(data_path, systemClock);
  const { role } = options;
  const user = { name: userName, passwordHash, role, createdAtMs: systemClock.wallMs() };
  if (!(await storage.users.add(user))) throw new AppError("conflict", `there is a user ${userName} already`);
  context.out.write(`${userName} may sign in, as ${role}\n`);
  return 0;
}

export async function changePassword(
  name: string,
  options: HubOptions & PasswordSource,
  context: CliContext,
): Promise<number> {
  const userName = checkName(name);
  const { data_path } = await loadHubConfig(options);
  await using storage = await openStorage(data_path, systemClock);
  if (!(await storage.users.find(userName))) throw noSuchUser(userName);
  const passwordHash = await new Passwords().hash(await readNewPassword(options, context));
  if (!(await storage.users.setPassword(userName, passwordHash))) throw noSuchUser(userName);
  context.out.write(`${userName} has a new password, and is signed out everywhere\n`);
  return 0;
}

export async function removeUser(name: string, options: HubOptions, context: CliContext): Promise<number> {
  const userName = checkName(name);
  const { data_path } = await loadHubConfig(options);
  await using storage = await openStorage(data_path, systemClock);
  if (!(await storage.users.remove(userName))) throw noSuchUser(userName);
  context.out.write(`${userName} may not sign in any more\n`);
  return 0;
}

export async function listUsers(
  options: HubOptions & { json?: boolean },
  context: CliContext,
): Promise<number> {
  const { data_path } = await loadHubConfig(options);
  await using storage = await openStorage(data_path, systemClock);
  const users = (await storage.users.list()).map(({ name, role, createdAtMs }) => ({
    name,
    role,
    created_at: formatWireTime(createdAtMs),
  }));
  context.out.write(
    options.json ? `${JSON.stringify(users)}\n` : formatTable(["name", "role", "created_at"], users),
  );
  return 0;
}

function checkName(name: string): string {
  const checked = checkInput(UserName, name);
  if (checked.ok) return checked.output;
  const issues = checked.issues.map((issue) => ({ ...issue, path: "name" }));
  throw new AppError("invalid_input", "the name is not accepted", { issues });
}

function noSuchUser(name: string): AppError {
  return new AppError("not_found", `there is no user ${name}`);
}
