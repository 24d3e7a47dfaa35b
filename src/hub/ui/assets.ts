import controls from "./assets/controls.css" with { type: "text" };
import frame from "./assets/frame.css" with { type: "text" };
import icon from "./assets/icon.svg" with { type: "text" };
import live from "./assets/live.js" with { type: "text" };
import pictures from "./assets/pictures.css" with { type: "text" };
import player from "./assets/player.js" with { type: "text" };
import tables from "./assets/tables.css" with { type: "text" };

export interface Asset {
  /** `/assets/style.1a2b3c4d5e6f.css`; another content has another address. */
  path: string;
  contentType: string;
  text: string;
}

/** What the pages need beside themselves. It lies in the program, so a hub without a disk still looks as it should. */
export interface Assets {
  style: Asset;
  player: Asset;
  /** Of the live page alone. */
  live: Asset;
  icon: Asset;
}

export function createAssets(): Assets {
  const asset = (name: string, ending: string, contentType: string, text: string): Asset => {
    const hash = new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 12);
    return { path: `/assets/${name}.${hash}.${ending}`, contentType, text };
  };
  return {
    style: asset("style", "css", "text/css; charset=utf-8", [frame, controls, pictures, tables].join("\n")),
    player: asset("player", "js", "text/javascript; charset=utf-8", player),
    live: asset("live", "js", "text/javascript; charset=utf-8", live),
    icon: asset("icon", "svg", "image/svg+xml", icon),
  };
}
