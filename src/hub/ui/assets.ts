import controls from "./assets/controls.css" with { type: "text" };
import frame from "./assets/frame.css" with { type: "text" };
import icon from "./assets/icon.svg" with { type: "text" };
import pictures from "./assets/pictures.css" with { type: "text" };
import player from "./assets/player.css" with { type: "text" };
import tables from "./assets/tables.css" with { type: "text" };
import wall from "./assets/wall.css" with { type: "text" };
import { openClientScript } from "./client-script.ts";

export interface Asset {
  /** `/assets/style.1a2b3c4d5e6f.css`; another content has another address. */
  path: string;
  contentType: string;
  text(): Promise<string>;
}

/** What the pages need beside themselves. It lies in the program, so a hub without a disk still looks as it should. */
export interface Assets {
  style: Asset;
  /** All of it in one, hls.js with it. */
  script: Asset;
  icon: Asset;
}

export function createAssets(): Assets {
  const asset = (
    [name, ending, contentType]: [string, string, string],
    identity: string,
    text = async () => identity,
  ): Asset => {
    const hash = new Bun.CryptoHasher("sha256").update(identity).digest("hex").slice(0, 12);
    return { path: `/assets/${name}.${hash}.${ending}`, contentType, text };
  };
  const script = openClientScript();
  return {
    style: asset(
      ["style", "css", "text/css; charset=utf-8"],
      [frame, controls, pictures, wall, player, tables].join("\n"),
    ),
    script: asset(["script", "js", "text/javascript; charset=utf-8"], script.identity, script.text),
    icon: asset(["icon", "svg", "image/svg+xml"], icon),
  };
}
