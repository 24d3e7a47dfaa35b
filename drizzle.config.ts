import { defineConfig } from "drizzle-kit";

// `bunx drizzle-kit generate` after a change of the schema; then list the new file in src/hub/db/migrations.ts.
export default defineConfig({
  dialect: "sqlite",
  schema: "./src/hub/db/schema.ts",
  out: "./src/hub/db/migrations",
});
