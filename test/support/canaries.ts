/** Marked secrets and texts, and the search for them in whatever comes out of a server. */

export interface Canary {
  name: string;
  /** Letters, digits and hyphens: nothing that an encoding changes. */
  value: string;
  /** Where it may be: names of sinks. */
  allowed?: readonly string[];
}

export interface Sink {
  name: string;
  text: string;
}

/** One line for each canary that is where it must not be, plain or in one of the usual encodings. */
export function leaks(canaries: readonly Canary[], sinks: readonly Sink[]): string[] {
  return canaries.flatMap(({ name, value, allowed = [] }) =>
    sinks
      .filter((sink) => !allowed.includes(sink.name) && formsOf(value).some((form) => sink.text.includes(form)))
      .map((sink) => `${name} in ${sink.name}: ${excerpt(sink.text, value)}`),
  );
}

/** As it is, in hex, and in base64 at each place of three where it may begin. */
function formsOf(value: string): string[] {
  const inBase64 = [0, 1, 2].map((shift) => {
    const text = Buffer.from('x'.repeat(shift) + value).toString('base64');
    // The first and the last group also hold what stands beside it.
    return text.slice(shift === 0 ? 0 : 4, Math.floor((shift + value.length) / 3) * 4);
  });
  return [value, Buffer.from(value).toString('hex'), ...inBase64];
}

function excerpt(text: string, value: string): string {
  const at = text.indexOf(value);
  return at === -1 ? '(encoded)' : text.slice(Math.max(0, at - 80), at + value.length + 40);
}
