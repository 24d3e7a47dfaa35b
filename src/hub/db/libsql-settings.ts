import { AppError } from "../../common/errors.ts";
import type { LibsqlDatabase } from "./libsql-database.ts";
import { settings as table } from "./schema.ts";
import type { Settings } from "./settings.ts";

export function createLibsqlSettings(database: LibsqlDatabase): Settings {
  const get = async (name: string) => {
    const rows = await database.read("SELECT value FROM settings WHERE name = ?", [name]);
    return rows[0]?.[0] as string | undefined;
  };
  return {
    get,
    async getOrSet(name, value) {
      const known = await get(name);
      if (known !== undefined) return known;
      await database.write([database.orm.insert(table).values({ name, value }).onConflictDoNothing()]);
      const stored = await get(name);
      if (stored === undefined) throw new AppError("internal", `the setting ${name} was not stored`);
      return stored;
    },
  };
}
