// Address: of the screens that a host hands out. Pure.

/**
 * @param {string} origin such as `https://quiz.example`
 * @param {"stage"|"overlay"} kind
 * @param {string} channel
 * @param {{theme?: string, scale?: string, lang?: string}} look empty where the screen decides
 * @returns {string}
 */
export function screenAddress(origin, kind, channel, look) {
  const url = new URL(`/${kind}/${encodeURIComponent(channel)}`, origin);
  for (const [name, value] of Object.entries(look)) if (value) url.searchParams.set(name, value);
  return url.href;
}
