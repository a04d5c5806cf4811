/** The form's fields: what a definition holds, in the order in which people think of it. */

export const FIELD_NAMES = [
  'id',
  'name',
  'kind',
  'model',
  'endpoint',
  'apiKeyVariable',
  'systemPromptFrom',
  'systemPrompt',
  'options',
  'think',
  'keepAlive',
  'concurrency',
  'queueLength',
  'queueTimeoutMs',
  'graceMs',
  'turnsPerMinute',
  'tokensPerDay',
  'deadlines.connectTimeoutMs',
  'deadlines.firstTokenTimeoutMs',
  'deadlines.idleTimeoutMs',
  'deadlines.totalTimeoutMs',
  'retentionDays',
] as const;
export type FieldName = (typeof FIELD_NAMES)[number];

export interface FieldInfo {
  label: string;
  help: string;
  input: 'line' | 'number' | 'area' | 'choice';
  /** Of a `choice`: values with their words. */
  choices?: readonly (readonly [value: string, words: string])[];
  /** Shown as a time beside the number. */
  isMs?: boolean;
  isCode?: boolean;
  placeholder?: string;
}

const DEADLINE = { input: 'number', isMs: true, placeholder: "server's setting" } as const;

export const FIELDS: Readonly<Record<FieldName, FieldInfo>> = {
  id: {
    label: 'Id',
    help: 'Stays for ever and stands in addresses and @mentions: 2 to 48 lower-case letters, digits and hyphens.',
    input: 'line',
    isCode: true,
  },
  name: { label: 'Name', help: 'What people see.', input: 'line' },
  kind: {
    label: 'Kind of endpoint',
    help: 'Which protocol the endpoint speaks.',
    input: 'choice',
    choices: [
      ['ollama', 'Ollama'],
      ['openai', 'OpenAI-compatible'],
      ['workers-ai', 'Workers AI'],
    ],
  },
  model: {
    label: 'Model',
    help: "The endpoint's name for it. Empty: DEFAULT_MODEL, for Ollama only.",
    input: 'line',
    isCode: true,
    placeholder: 'DEFAULT_MODEL',
  },
  endpoint: {
    label: 'Endpoint',
    help: 'Root of the endpoint, one that ALLOWED_ENDPOINTS names. Empty: OLLAMA_BASE_URL.',
    input: 'line',
    isCode: true,
    placeholder: 'OLLAMA_BASE_URL',
  },
  apiKeyVariable: {
    label: "Key's variable",
    help: 'The name of the secret that holds the key, never the key: ends in _API_KEY.',
    input: 'line',
    isCode: true,
  },
  systemPromptFrom: {
    label: 'System prompt',
    help: 'What stands in front of every conversation.',
    input: 'choice',
    choices: [
      ['server', "The server's (SYSTEM_PROMPT)"],
      ['own', 'Its own'],
    ],
  },
  systemPrompt: { label: 'Own system prompt', help: 'Empty: none at all.', input: 'area' },
  options: {
    label: 'Options',
    help: 'A JSON object with Ollama\'s names, for example {"temperature": 0.2, "num_ctx": 8192}.',
    input: 'area',
    isCode: true,
    placeholder: '{}',
  },
  think: {
    label: 'Thinking',
    help: 'Whether the model thinks before it answers, and how much.',
    input: 'choice',
    choices: [
      ['', "The model's own way"],
      ['false', 'Off'],
      ['true', 'On'],
      ['low', 'Low'],
      ['medium', 'Medium'],
      ['high', 'High'],
      ['max', 'Max'],
    ],
  },
  keepAlive: {
    label: 'Keep alive',
    help: 'How long Ollama keeps the model loaded: 5m, 1h, seconds as a number, -1 for ever.',
    input: 'line',
    isCode: true,
    placeholder: "endpoint's setting",
  },
  concurrency: {
    label: 'Slots',
    help: 'Answers that the endpoint makes at once (OLLAMA_NUM_PARALLEL). Empty: no limit and no line.',
    input: 'number',
    placeholder: 'no limit',
  },
  queueLength: {
    label: 'Length of the line',
    help: 'Turns that may wait for a slot; one more fails.',
    input: 'number',
  },
  queueTimeoutMs: {
    label: 'Longest wait (ms)',
    help: 'For a slot, or for an endpoint that is down.',
    input: 'number',
    isMs: true,
  },
  graceMs: {
    label: 'Grace after a stop (ms)',
    help: 'How long running answers may go on.',
    input: 'number',
    isMs: true,
  },
  turnsPerMinute: {
    label: 'Turns per minute',
    help: 'Begun by all users together; more of them wait.',
    input: 'number',
    placeholder: 'no limit',
  },
  tokensPerDay: {
    label: 'Tokens per day',
    help: 'Prompts and whole answers, per day (UTC), as the endpoint counts them; beyond them turns fail.',
    input: 'number',
    placeholder: 'no limit',
  },
  'deadlines.connectTimeoutMs': {
    ...DEADLINE,
    label: 'To connect (ms)',
    help: 'Until the endpoint takes the connection.',
  },
  'deadlines.firstTokenTimeoutMs': {
    ...DEADLINE,
    label: 'To the first token (ms)',
    help: 'Includes loading the model.',
  },
  'deadlines.idleTimeoutMs': { ...DEADLINE, label: 'Between tokens (ms)', help: 'Silence within an answer.' },
  'deadlines.totalTimeoutMs': {
    ...DEADLINE,
    label: 'In all (ms)',
    help: 'From the beginning of an answer to its end.',
  },
  retentionDays: {
    label: 'Retention (days)',
    help: 'Sessions in which nothing was said for so long are erased. Empty: kept.',
    input: 'number',
    placeholder: 'kept',
  },
};

export interface FieldGroup {
  title: string;
  fields: readonly FieldName[];
}

export const FIELD_GROUPS: readonly FieldGroup[] = [
  { title: 'Who answers', fields: ['id', 'name', 'kind', 'model', 'endpoint', 'apiKeyVariable'] },
  { title: 'How it answers', fields: ['systemPromptFrom', 'systemPrompt', 'options', 'think', 'keepAlive'] },
  {
    title: 'Line and budgets',
    fields: ['concurrency', 'queueLength', 'queueTimeoutMs', 'graceMs', 'turnsPerMinute', 'tokensPerDay'],
  },
  {
    title: 'Deadlines',
    fields: [
      'deadlines.connectTimeoutMs',
      'deadlines.firstTokenTimeoutMs',
      'deadlines.idleTimeoutMs',
      'deadlines.totalTimeoutMs',
    ],
  },
  { title: 'Keeping', fields: ['retentionDays'] },
];
