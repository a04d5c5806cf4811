/** Schemes an answer may link to. Anything else (javascript:, data:, file:, ...) stays text. */
const LINK_SCHEMES = new Set(['http:', 'https:', 'mailto:']);
const IMAGE_SCHEMES = new Set(['http:', 'https:']);

function absolute(href: string, schemes: ReadonlySet<string>): string | null {
  // No base: a relative address in an answer would point into this site, which the model cannot mean.
  const url = URL.parse(href);
  return url !== null && schemes.has(url.protocol) ? url.href : null;
}

/** The address as a browser would follow it, or null where it must not be a link. */
export function safeLink(href: string): string | null {
  return absolute(href, LINK_SCHEMES);
}

/** The address of an image that may be offered to the reader, or null. */
export function safeImage(href: string): string | null {
  return absolute(href, IMAGE_SCHEMES);
}
