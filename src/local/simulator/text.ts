/**
 * What the simulator says. It never poses as a model: the first words of every answer say
 * what it is. The same question always gets the same answer, token by token.
 */

export interface Question {
  readonly model: string;
  /** The last user message, without directive. */
  readonly text: string;
  /** null: no system prompt came. */
  readonly systemLength: number | null;
  readonly messages: number;
  readonly images: number;
}

const MAX_QUOTE_LENGTH = 240;
const WORDS =
  'amber brook cedar delta ember fjord grove harbour island juniper kelp lantern meadow north ' +
  'ocean pebble quartz river summit tide umber valley willow yarrow zephyr';
const FILLER_WORDS = WORDS.split(' ');
const WORDS_PER_FILLER_LINE = 8;

/** Words with the blanks before them; long ones in pieces, never inside a character. */
const TOKEN = /\s*\S{1,12}|\s+$/gu;

export function tokenize(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

/** Exactly `count` tokens of the answer, or as many as it has (null). */
export function answerTokens(question: Question, count: number | null): string[] {
  if (count === 0) return [];
  const tokens = tokenize(answerText(question));
  return count === null ? tokens : fit(tokens, count, question.text);
}

export function thinkingTokens(question: Question, count: number): string[] {
  if (count === 0) return [];
  const words = countWords(question.text);
  const text =
    `This is simulated thinking, no model reasons here. The question has ${words} words ` +
    `and ${question.messages} messages led to it. A real model would weigh its answer now.`;
  return fit(tokenize(text), count, question.text);
}

/** What stands in for the answer when JSON is asked for without a schema. */
export function jsonAnswer(question: Question): object {
  return {
    simulated: true,
    answer: 'Simulated answer: no language model runs here.',
    question: shorten(question.text),
  };
}

function answerText(question: Question): string {
  const parts = [
    "**Simulated answer:** no language model runs here, this is Switchboard's Ollama simulator.",
    quote(question),
    `What can be said without a model:\n\n${facts(question).join('\n')}`,
  ];
  const seed = hash(question.text);
  if (seed % 2 === 0 || /\bcode\b/i.test(question.text)) parts.push(codeBlock(question.text));
  parts.push(
    'Shape the next answer with `[[sim tokens=80 tokenMs=30]]` in your message, ' +
      'or connect a real Ollama for real answers.',
  );
  return parts.join('\n\n');
}

function quote(question: Question): string {
  const text = shorten(question.text);
  if (text === '') return 'Your message was empty.';
  return `You wrote:\n\n${text.replace(/^/gm, '> ')}`;
}

function facts(question: Question): string[] {
  const { text, systemLength, images } = question;
  const earlier = Math.max(0, question.messages - 1 - (systemLength === null ? 0 : 1));
  const lines = [
    `- **${countWords(text)} words**, ${Array.from(text).length} characters`,
    `- ${earlier} earlier messages in this chat came along`,
    systemLength === null ? '- no system prompt was sent' : `- a system prompt of ${systemLength} characters was sent`,
    `- answered as \`${question.model}\``,
  ];
  if (images > 0) lines.push(`- ${images} images came along; nobody looked at them`);
  return lines;
}

function codeBlock(text: string): string {
  const words = text.match(/[\p{L}\p{N}-]+/gu) ?? [];
  const shown = JSON.stringify(words.slice(0, 6));
  return `\`\`\`js\nconst words = ${shown};\nconsole.log(words.length); // ${Math.min(words.length, 6)}\n\`\`\``;
}

function fit(tokens: string[], count: number, seedText: string): string[] {
  if (tokens.length >= count) return tokens.slice(0, count);
  let random = hash(seedText);
  for (let line = 1; tokens.length < count; line += 1) {
    tokens.push(line === 1 ? '\n\n-' : '\n-', ' Filler', ` ${line}:`);
    for (let word = 0; word < WORDS_PER_FILLER_LINE; word += 1) {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
      tokens.push(` ${FILLER_WORDS[(random >>> 16) % FILLER_WORDS.length] ?? ''}`);
    }
  }
  tokens.length = count;
  return tokens;
}

function shorten(text: string): string {
  if (text.length <= MAX_QUOTE_LENGTH) return text.trim();
  // By code points: half of a surrogate pair would not survive the way to the client.
  return `${Array.from(text.slice(0, MAX_QUOTE_LENGTH * 2))
    .slice(0, MAX_QUOTE_LENGTH)
    .join('')}…`;
}

function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

/** FNV-1a over at most the first 256 characters. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length && index < 256; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return value;
}
