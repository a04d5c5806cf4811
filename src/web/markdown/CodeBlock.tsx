import { CopyButton } from '../ui/CopyButton.tsx';

export function CodeBlock({ language, text }: { language: string; text: string }) {
  return (
    <figure class="code-block">
      <figcaption>
        <span class="code-language">{language || 'text'}</span>
        <CopyButton text={text} label="Copy code" withText />
      </figcaption>
      {/* Focusable, so that a keyboard can scroll wide code. */}
      <pre tabIndex={0} aria-label={language ? `Code, ${language}` : 'Code'}>
        <code>{text}</code>
      </pre>
    </figure>
  );
}
