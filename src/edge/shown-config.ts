const hidden = "hidden";

/** A config, as the schema gives it or as it stands in a file; what is no camera of that form is left alone. */
interface WithCameras {
  cameras?: unknown;
}

/**
 * The config as others may see it. It holds no secrets but says where they are; what may be one in the address of a
 * network camera is hidden.
 */
export function withoutTokens<T extends WithCameras>(config: T): T {
  if (!Array.isArray(config.cameras)) return config;
  return { ...config, cameras: config.cameras.map((camera) => withAddress(camera, withoutValues)) };
}

/** What `withoutTokens` has hidden is there again where `known` has the same camera at the same address. */
export function withTokensOf<T extends WithCameras>(config: T, known: WithCameras): T {
  if (!Array.isArray(config.cameras) || !Array.isArray(known.cameras)) return config;
  const addresses = new Map(known.cameras.map((camera) => [camera?.id, camera?.source?.url]));
  const shown = (camera: { id?: unknown }) => (url: string) => {
    const address: unknown = addresses.get(camera.id);
    return typeof address === "string" && withoutValues(address) === url ? address : url;
  };
  return { ...config, cameras: config.cameras.map((camera) => withAddress(camera, shown(camera))) };
}

function withAddress<T>(camera: T, change: (url: string) => string): T {
  const { source } = (camera ?? {}) as { source?: { url?: unknown } };
  if (typeof source?.url !== "string") return camera;
  return { ...camera, source: { ...source, url: change(source.url) } };
}

/** Cameras take keys in the query of their address, or in its path; names are shown, values are not. */
function withoutValues(url: string): string {
  const query = url.indexOf("?");
  const path = (query < 0 ? url : url.slice(0, query)).replace(/=[^/&;]*/g, `=${hidden}`);
  if (query < 0) return path;
  const parts = url.slice(query + 1).split("&");
  return `${path}?${parts.map((part) => (part.includes("=") ? part.replace(/=.*/s, `=${hidden}`) : hidden)).join("&")}`;
}
