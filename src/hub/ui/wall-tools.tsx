/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import { Icon } from "./icon.tsx";
import type { PageContext } from "./page-context.ts";

const columns = ["auto", "1", "2", "3", "4", "5", "6", "8"] as const;

/** What a person chooses for the whole wall; the script shows it, since nothing of it works without. */
export const WallTools: FC<{ page: PageContext }> = ({ page }) => {
  const { t, format } = page;
  return (
    <div class="wall-tools" data-wall-tools hidden>
      <label class="choice">
        <input type="checkbox" data-wall-live />
        {t.wall.live}
      </label>
      <label class="choice">
        {t.wall.columns}
        <select data-wall-columns>
          {columns.map((value) => (
            <option value={value}>{value === "auto" ? t.wall.auto : format.number(Number(value))}</option>
          ))}
        </select>
      </label>
      <button class="button small" type="button" data-wall-full>
        <Icon name="expand" />
        {t.wall.fullScreen}
      </button>
      <p class="muted" data-wall-limit hidden>
        {t.wall.limit}
      </p>
    </div>
  );
};
