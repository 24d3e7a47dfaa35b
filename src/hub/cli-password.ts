import { readFile } from "node:fs/promises";
import { AppError } from "../common/errors.ts";
import { checkInput } from "../common/input-issues.ts";
import { NewPassword } from "./auth/passwords.ts";
import type { CliContext } from "./cli-context.ts";

export interface PasswordSource {
  passwordFile?: string;
}

const maxInputBytes = 8192;

/**
 * A new password: from the file, else typed twice on a terminal, else from stdin. One trailing newline is dropped.
 * Throws `invalid_input` when it is too short or too long.
 */
export async function readNewPassword(source: PasswordSource, context: CliContext): Promise<string> {
  const password = await readPassword(source, context);
  const checked = checkInput(NewPassword, password);
  if (checked.ok) return checked.output;
  // What was typed is not repeated on the screen.
  const issues = checked.issues.map(({ message }) => ({ path: "password", message }));
  throw new AppError("invalid_input", "the password is not accepted", { issues });
}

async function readPassword({ passwordFile }: PasswordSource, context: CliContext): Promise<string> {
  if (passwordFile !== undefined) {
    try {
      return withoutNewline(await readFile(passwordFile, "utf8"));
    } catch (cause) {
      throw new AppError("invalid_input", `cannot read the password file ${passwordFile}`, { cause });
    }
  }
  if (!context.in.isTTY) return withoutNewline(await readAll(context.in));
  const first = await ask("Password: ", context);
  if ((await ask("Once more: ", context)) !== first) {
    throw new AppError("invalid_input", "the two passwords differ");
  }
  return first;
}

async function readAll(input: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk);
    size += bytes.byteLength;
    if (size > maxInputBytes) throw new AppError("invalid_input", "that is too long for a password");
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Reads a line from a terminal without showing it. */
function ask(prompt: string, { in: input, err }: CliContext): Promise<string> {
  err.write(prompt);
  input.setRawMode(true);
  input.resume();
  input.setEncoding("utf8");
  return new Promise((resolve, reject) => {
    let typed = "";
    const end = () => {
      input.off("data", onData);
      input.setRawMode(false);
      input.pause();
      err.write("\n");
    };
    const onData = (chunk: string) => {
      for (const key of chunk) {
        if (key === "\r" || key === "\n") {
          end();
          return resolve(typed);
        }
        if (key === "\u0003" || key === "\u0004") {
          end();
          return reject(new AppError("cancelled", "cancelled"));
        }
        if (key === "\u007f" || key === "\b") typed = Array.from(typed).slice(0, -1).join("");
        else if (key >= " ") typed += key;
      }
    };
    input.on("data", onData);
  });
}

function withoutNewline(text: string): string {
  return text.replace(/\r?\n$/, "");
}
